"""What each part of the method gives, seed by seed: the picture of Table VIII."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from training.evaluate.openset_style import BLUE, GREY
from training.reproduce.picture_style import INK, titled


@dataclass(frozen=True)
class Variant:
    """Scores in % by seed. interval: of the mean difference to the baseline with the same seeds, 95 %, in points."""

    name: str
    scores: Mapping[int, float]
    interval: tuple[float, float] | None = None


def variants_picture(variants: Sequence[Variant], title: str, caption: str) -> Figure:
    """A row a variant: a dot a seed, the mean as a bar; thin lines join the same seed, so that pairs can be followed.

    The first variant is the baseline: its mean is the dashed line, and the others' intervals are drawn from there.
    """
    figure, axes = titled(title, caption, width=6.8, height=1.9 + 0.55 * len(variants))
    axes.grid(visible=False, axis="y")
    base = float(np.mean(list(variants[0].scores.values())))
    axes.axvline(base, color=GREY, linestyle="--", linewidth=1.1, zorder=0)
    for seed in sorted({seed for variant in variants for seed in variant.scores}):
        pairs = [(variant.scores[seed], y) for y, variant in enumerate(variants) if seed in variant.scores]
        axes.plot(*zip(*pairs, strict=True), color="#c5ccd8", linewidth=0.8, zorder=1)
    for y, variant in enumerate(variants):
        values = list(variant.scores.values())
        mean = float(np.mean(values))
        if variant.interval is not None:
            low, high = variant.interval
            axes.plot([base + low, base + high], [y + 0.28] * 2, color=INK, linewidth=1.4, solid_capstyle="butt")
        axes.plot([mean, mean], [y - 0.22, y + 0.22], color=GREY if y == 0 else BLUE, linewidth=4, zorder=2)
        axes.scatter(values, [y] * len(values), s=26, color="white", edgecolors=INK, linewidths=1.0, zorder=3)
        axes.annotate(
            f"{mean:.1f}", (mean, y - 0.24), xytext=(0, 2), textcoords="offset points", ha="center", fontsize=8
        )
    axes.set_yticks(range(len(variants)), [variant.name for variant in variants])
    axes.set_ylim(len(variants) - 0.4, -0.7)
    axes.margins(x=0.08)
    axes.set_xlabel("score (%): accuracy, or mean rank-1")
    return figure
