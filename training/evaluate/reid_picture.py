"""The picture of a re-identification: CMC of the five settings, the variants side by side."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator, PercentFormatter

from training.evaluate.openset_style import BLUE, GREEN, ORANGE, dress, write_caption
from training.evaluate.plot import save_picture
from training.evaluate.reid import ReidResult, Searches
from training.protocols.reid import Variant

# Okabe and Ito's, as the open-set pictures have them; what is worn alike has one line style.
_LOOKS = {
    "N-N": (BLUE, "o", "-"), "B-B": (ORANGE, "s", "-"), "C-C": (GREEN, "^", "-"),
    "C-N": ("#CC79A7", "v", "--"), "B-N": ("#56B4E9", "D", "--"),
}  # fmt: skip
_TITLES = {
    Variant.PUBLISHED: "published: all but the probe itself",
    Variant.STRICT: "strict: nothing of the probe's view",
}
_TICKS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0)


def plot_cmc(result: ReidResult, title: str, path: Path) -> None:
    """Share of windows with a mate among the first 1 to 50 that they find."""
    variants = [variant for variant in Variant if any(one.variant is variant for one in result.searches)]
    figure = Figure(figsize=(1.2 + 4.6 * len(variants), 4.8), layout="constrained")
    low = _lowest(result.searches)
    for axes, variant in zip(figure.subplots(1, len(variants), squeeze=False)[0], variants, strict=True):
        _panel(axes, [one for one in result.searches if one.variant is variant], variant)
        axes.set_ylim(low, 1 + 0.02 * (1 - low))
    figure.suptitle(title, fontsize=12, fontweight="bold")
    counts = f"{result.people} people, windows of {result.windows.frames} frames"
    write_caption(figure, f"{counts}; in brackets rank-1 in %. All windows of the gallery are candidates, not people.")
    save_picture(figure, path)


def _lowest(searches: Sequence[Searches]) -> float:
    """Where the axis begins: below all curves, at a round share."""
    shares = np.concatenate([one.cmc for one in searches])
    known = shares[~np.isnan(shares)]
    return max(0.0, float(np.floor(10 * known.min() - 0.5)) / 10) if len(known) else 0.0


def _panel(axes: Any, searches: Sequence[Searches], variant: Variant) -> None:
    dress(axes)
    last = 1
    for one in searches:
        if np.isnan(one.cmc).any():
            continue
        colour, mark, line = _LOOKS[one.setting.name]
        ranks = np.arange(1, len(one.cmc) + 1)
        last = max(last, len(ranks))
        shown = [k - 1 for k in (1, 5, 10, 20, 50) if k <= len(ranks)]
        label = f"{one.setting.name} ({100 * one.figure('rank1'):.1f})"
        axes.plot(
            ranks, one.cmc, color=colour, linestyle=line, marker=mark, markevery=shown, linewidth=1.8, label=label
        )
    axes.set_title(_TITLES[variant], loc="left", fontsize=10)
    axes.set_xscale("log")
    axes.set_xlim(0.93, max(last * 1.12, 2))
    axes.xaxis.set_major_locator(FixedLocator([k for k in _TICKS if k <= last]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.yaxis.set_major_formatter(PercentFormatter(1, decimals=0, symbol=""))
    axes.set_xlabel("rank: windows looked at (logarithmic)")
    axes.set_ylabel("probes with their person among them (%)")
    if axes.lines:
        axes.legend(frameon=False, loc="lower right")
