"""Pictures of an action recogniser class by class: confusion, differences between two models, levels of difficulty."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from training.evaluate.openset_style import BLUE, GREY, ORANGE, dress, write_caption
from training.reproduce.picture_style import INK, head_legend, shortened, titled, write_cells

WRITTEN = 20
"""Up to so many classes the cells of a confusion matrix are written into."""
_NAMED = 70
_SHOWN = 30
"""Of too many classes to draw a bar for each, so many of the best and of the worst."""


def confusion_picture(counts: NDArray[Any], labels: Sequence[str], title: str, caption: str) -> Figure:
    """counts: (true, given) recordings, or their mean over seeds; colours are shares of the true class in %."""
    total = counts.sum(axis=1, keepdims=True)
    shares = np.divide(100.0 * counts, total, out=np.full(counts.shape, np.nan), where=total > 0)
    side = float(np.clip(0.36 * len(labels) + 3.2, 5.4, 9.5))
    figure, axes = titled(title, caption, width=side + 1.0, height=side + 0.6)
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.set_facecolor("#eceff3")  # classes that were not tested
    # A few per cent must be seen beside a diagonal of ninety.
    image = axes.imshow(np.ma.masked_invalid(shares), norm=PowerNorm(0.5, 0, 100), cmap="Blues")
    if len(labels) <= WRITTEN:
        write_cells(axes, shares, dark_from=35)
    _name_axes(axes, labels, side)
    figure.colorbar(
        image, ax=axes, label="share of the true class (%)", shrink=0.7, aspect=30, ticks=[0, 5, 20, 50, 100]
    )
    return figure


def _name_axes(axes: Any, labels: Sequence[str], side: float) -> None:
    axes.set_xlabel("given")
    axes.set_ylabel("true")
    step = -(-len(labels) // _NAMED)
    places = range(0, len(labels), step)
    size = float(np.clip(52 * side / max(len(places), 1) / 1.35, 4.5, 9))
    axes.set_xticks(places, [shortened(labels[i]) for i in places], rotation=90, fontsize=size)
    axes.set_yticks(places, [shortened(labels[i]) for i in places], fontsize=size)
    axes.tick_params(length=2)


@dataclass(frozen=True)
class Change:
    """How a class's accuracy differs, in points: mean over seeds and their standard deviation (0 of one seed)."""

    label: str
    mean: float
    sd: float = 0.0


def differences_picture(changes: Sequence[Change], title: str, caption: str) -> Figure:
    """Fig. 6: what each class gains (blue) or loses (orange), largest gain first."""
    ordered = sorted(changes, key=lambda change: (-change.mean, change.label))
    shown = ordered if len(ordered) <= 2 * _SHOWN + 10 else [*ordered[:_SHOWN], *ordered[-_SHOWN:]]
    places = np.arange(len(shown), dtype=float)
    if len(shown) < len(ordered):
        places[_SHOWN:] += 1.5
    figure, axes = titled(title, caption, width=6.6, height=1.7 + 0.2 * (places[-1] + 1))
    means = np.array([change.mean for change in shown])
    axes.barh(places, means, color=np.where(means >= 0, BLUE, ORANGE), height=0.72)
    if any(change.sd for change in shown):
        axes.errorbar(
            means, places, xerr=[change.sd for change in shown], fmt="none", ecolor=INK, elinewidth=0.8, capsize=1.5
        )  # fmt: skip
    if len(shown) < len(ordered):
        left_out = f"… {len(ordered) - len(shown)} classes in between"
        axes.text(0, _SHOWN + 0.25, left_out, fontsize=8, color=GREY, va="center", ha="center", backgroundcolor="white")
    axes.axvline(0, color=INK, linewidth=0.8)
    if not means.any():
        axes.set_xlim(-1, 1)
    axes.set_yticks(places, [shortened(change.label) for change in shown], fontsize=8)
    axes.set_ylim(places[-1] + 0.8, -0.8)
    axes.grid(visible=False, axis="y")
    axes.set_xlabel(f"difference of accuracy (points): {gains_text(changes)}")
    return figure


def gains_text(changes: Sequence[Change]) -> str:
    """How many classes gain and lose.

    >>> gains_text([Change("a", 2.0), Change("b", -1.0), Change("c", 0.5), Change("d", 0.0)])
    '2 classes gain, 1 loses, 1 unchanged'
    """
    up = sum(change.mean > 0 for change in changes)
    down = sum(change.mean < 0 for change in changes)
    same = len(changes) - up - down
    parts = [f"{up} {'class gains' if up == 1 else 'classes gain'}", f"{down} {'loses' if down == 1 else 'lose'}"]
    return ", ".join([*parts, f"{same} unchanged"] if same else parts)


@dataclass(frozen=True)
class Level:
    """Classes of alike difficulty: accuracy of both models in %, with standard deviations over seeds.

    paper: the two figures of Table X, where it has this level.
    """

    name: str
    baseline: float
    ours: float
    baseline_sd: float = 0.0
    ours_sd: float = 0.0
    paper: tuple[float, float] | None = None


def levels_picture(levels: Sequence[Level], names: tuple[str, str], title: str, caption: str) -> Figure:
    """Table X as bars: both models at each level of difficulty, what is gained above them, the paper's as diamonds."""
    figure, axes = titled(title, caption, width=6.8, height=4.4)
    axes.grid(visible=False, axis="x")
    places = np.arange(len(levels), dtype=float)
    sides = ((-0.19, GREY, names[0], "baseline"), (0.19, BLUE, names[1], "ours"))
    for number, (shift, colour, name, field) in enumerate(sides):
        values = [getattr(level, field) for level in levels]
        spread = [getattr(level, f"{field}_sd") for level in levels]
        axes.bar(places + shift, values, 0.36, color=colour, alpha=0.85, label=name)
        if any(spread):
            axes.errorbar(places + shift, values, yerr=spread, fmt="none", ecolor=INK, elinewidth=1, capsize=3)
        told = [
            (place + shift, level.paper[number]) for place, level in zip(places, levels, strict=True) if level.paper
        ]
        if told:
            label = "the paper's" if number == 0 else None
            axes.plot(*zip(*told, strict=True), "D", color="white", markeredgecolor=INK, markersize=5, label=label)
    for place, level in zip(places, levels, strict=True):
        top = max(level.baseline + level.baseline_sd, level.ours + level.ours_sd, *(level.paper or (0.0,)))
        axes.text(place, top + 1.5, f"{level.ours - level.baseline:+.1f}", ha="center", fontsize=9, fontweight="bold")
    axes.set_xticks(places, [level.name for level in levels])
    axes.set_ylim(0, 119)
    axes.set_yticks(range(0, 101, 20))
    axes.set_xlabel("classes in order of the baseline's accuracy, hardest first")
    axes.set_ylabel("mean accuracy of the classes (%)")
    axes.legend(frameon=False, loc="upper left", ncols=3, fontsize=9)
    return figure


@dataclass(frozen=True)
class Occluded:
    """Accuracy in % by occluded part of one model: mean over seeds, and their standard deviations."""

    name: str
    accuracy: Mapping[str, float]
    sd: Mapping[str, float]


def occlusion_picture(
    ours: Sequence[Occluded], paper: Mapping[str, Mapping[str, float]], title: str, caption: str, paper_ours: str = ""
) -> Figure:
    """Table IX as bars: a bar a model of ours at each part; ticks are the paper's other methods, the diamond its own.

    paper: method to accuracy by part in %; empty where the data are not the paper's.
    """
    parts = list(dict.fromkeys(part for model in ours for part in model.accuracy))
    figure = Figure(figsize=(7.0, 1.9 + (0.24 * len(ours) + 0.36) * len(parts)), layout="constrained")
    axes = figure.subplots()
    dress(axes)
    axes.grid(visible=False, axis="y")
    height = 0.78 / max(len(ours), 1)
    places = np.arange(len(parts), dtype=float)
    for number, (model, colour) in enumerate(zip(ours, _shades(len(ours)), strict=True)):
        _occluded_bars(axes, model, parts, places + (number - (len(ours) - 1) / 2) * height, height, colour)
    _paper_marks(axes, parts, paper, paper_ours)
    axes.set_yticks(places, parts)
    axes.set_ylim(len(parts) - 0.45, -0.55)
    axes.set_xlim(0, 100)
    axes.set_xlabel("accuracy on incomplete skeletons, trained on whole ones (%)")
    head_legend(figure, title)
    write_caption(figure, caption)
    return figure


def _occluded_bars(
    axes: Any, model: Occluded, parts: Sequence[str], places: NDArray[np.float64], height: float, colour: str
) -> None:
    values = [model.accuracy.get(part, np.nan) for part in parts]
    spread = [model.sd.get(part, 0.0) for part in parts]
    axes.barh(places, values, height * 0.92, color=colour, label=model.name)
    if any(spread):
        axes.errorbar(values, places, xerr=spread, fmt="none", ecolor=INK, elinewidth=1, capsize=2)
    for place, value in zip(places, values, strict=True):
        if not np.isnan(value):
            axes.text(1.2, place, f"{value:.1f}", va="center", fontsize=7.5, color="white", fontweight="bold")


def _shades(count: int) -> list[str]:
    """Grey for the first of several (the baseline), then the house's colours."""
    return [BLUE] if count == 1 else [GREY, BLUE, ORANGE, "#009E73", "#CC79A7", "#56B4E9"][:count]


def _paper_marks(axes: Any, parts: Sequence[str], paper: Mapping[str, Mapping[str, float]], own: str) -> None:
    others = [
        (row[part], y) for name, row in paper.items() if name != own for y, part in enumerate(parts) if part in row
    ]
    if others:
        x, y = zip(*others, strict=True)
        axes.plot(x, y, "|", color=INK, markersize=17, markeredgewidth=1.1, label="the paper's others")
    if mine := [(paper[own][part], y) for y, part in enumerate(parts) if own in paper and part in paper[own]]:
        axes.plot(
            *zip(*mine, strict=True), "D", color="white", markeredgecolor=INK, markersize=6, label=f"the paper's {own}"
        )  # fmt: skip
