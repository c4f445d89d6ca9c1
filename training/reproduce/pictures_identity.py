"""Pictures of people recognised: rank-1 of every pair of views, and how long a list of candidates has to be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from numpy.typing import NDArray

from training.evaluate.openset_style import BLUE, GREEN, ORANGE, dress, write_caption
from training.reproduce.picture_style import head, titled, write_cells

LINES = ((BLUE, "-", "o"), (ORANGE, "-", "s"), (GREEN, "-", "^"), ("#CC79A7", "--", "v"), ("#56B4E9", "--", "D"))
_TICKS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0)


@dataclass(frozen=True, eq=False)
class Views:
    """Rank-1 in % (gallery views, probe views), NaN where the protocol has no cell; `rank1`: the figure they give."""

    name: str
    gallery: tuple[str, ...]
    probe: tuple[str, ...]
    per_cent: NDArray[np.float64]
    rank1: float


def views_picture(tables: Sequence[Views], title: str, caption: str) -> Figure:
    """One heat map a table, all in the same colours."""
    widest = max(len(table.probe) for table in tables)
    columns = min(len(tables), 2 if widest > 6 else 3)
    rows = -(-len(tables) // columns)
    side = float(np.clip(0.36 * widest + 0.9, 2.6, 5.2))
    figure = Figure(figsize=(columns * side + 0.9, rows * (side + 0.2) + 0.8), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    images = [_heat_map(axes, table) for axes, table in zip(panels, tables, strict=False)]
    for axes in panels[len(tables) :]:
        axes.set_visible(False)
    figure.colorbar(images[0], ax=list(panels), label="rank-1 (%)", shrink=0.6, aspect=30)
    head(figure, title)
    write_caption(figure, caption)
    return figure


def _heat_map(axes: Any, table: Views) -> Any:
    axes.set_facecolor("#eceff3")
    image = axes.imshow(np.ma.masked_invalid(table.per_cent), vmin=0, vmax=100, cmap="Blues")
    write_cells(axes, table.per_cent, dark_from=55, size=7.5)
    axes.spines[:].set_visible(False)
    axes.set_title(f"{table.name}: {table.rank1:.1f} %", loc="left", fontsize=10)
    axes.set_xticks(range(len(table.probe)), table.probe, rotation=90, fontsize=8)
    axes.set_yticks(range(len(table.gallery)), table.gallery, fontsize=8)
    axes.tick_params(length=2)
    axes.set_xlabel("probe view")
    axes.set_ylabel("gallery view")
    return image


def cmc_picture(curves: Mapping[str, Sequence[float]], title: str, caption: str, of: str) -> Figure:
    """Share (not %) of probes with their person within rank 1, 2, ...; `of`: what is looked through."""
    figure, axes = titled(title, caption, width=6.6, height=4.6)
    last, low = 1, 1.0
    for (name, shares), (colour, line, mark) in zip(curves.items(), LINES, strict=False):
        ranks = np.arange(1, len(shares) + 1)
        last, low = max(last, len(ranks)), min(low, *shares)
        marked = [k - 1 for k in (1, 5, 10, 20, 50) if k <= len(ranks)]
        label = f"{name} ({100 * shares[0]:.1f})"
        axes.plot(
            ranks, 100 * np.asarray(shares), color=colour, linestyle=line, marker=mark, markevery=marked, label=label
        )
    axes.set_xscale("log")
    axes.set_xlim(0.93, max(last * 1.12, 2))
    axes.set_ylim(max(0.0, 10 * np.floor(10 * low - 0.5)), 101)
    axes.xaxis.set_major_locator(FixedLocator([tick for tick in _TICKS if tick <= last]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(f"rank: {of} looked at (logarithmic)")
    axes.set_ylabel("probes with their person among them (%)")
    dress(axes)
    axes.legend(frameon=False, loc="lower right", title="in brackets: rank-1", title_fontsize=8)
    return figure
