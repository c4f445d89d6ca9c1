"""Pictures of an evaluation: matrices of view pairs, and a confusion matrix."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from training.evaluate.scoring import Table

Reals = NDArray[np.float64]
_COLOURS = "viridis"
_LIGHT = 0.55
"""Above this share a cell is bright, and is written on in black."""
LARGEST = 16.0
"""Inches of a confusion matrix, however many classes."""
WRITTEN = 40
"""Classes up to which its cells hold numbers."""
NAMED = 130
"""Classes that an axis has names for."""


def plot_matrices(tables: Sequence[Table], title: str, path: Path) -> None:
    """One matrix a table side by side: rank-1 in per cent, gallery views down, probe views across."""
    shown = [table for table in tables if len(table.gallery_views) > 1] or list(tables)
    side = max(3.2, 0.5 * max(len(table.probe_views) for table in shown) + 0.6)
    columns = min(3, len(shown))
    rows = -(-len(shown) // columns)
    figure = Figure(figsize=(columns * side + 1.0, rows * (0.9 * side + 0.4) + 0.4), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False).ravel()
    image = None
    for axes, table in zip(grid, shown, strict=False):
        image = _matrix(axes, table)
    for axes in grid[len(shown) :]:
        axes.set_visible(False)
    figure.suptitle(title)
    if image is not None:
        figure.colorbar(image, ax=list(grid), label="rank-1 (%)", shrink=0.8)
    save_picture(figure, path)


def _matrix(axes: Any, table: Table) -> Any:
    per_cent = 100 * table.matrix
    image = axes.imshow(np.ma.masked_invalid(per_cent), vmin=0, vmax=100, cmap=_COLOURS)
    _write_cells(axes, per_cent, 100.0)
    axes.set_title(f"{table.name}: rank-1 {100 * table.accuracy():.1f} %")
    axes.set_xticks(range(len(table.probe_views)), table.probe_views, rotation=90)
    axes.set_yticks(range(len(table.gallery_views)), table.gallery_views)
    axes.set_xlabel("probe view")
    axes.set_ylabel("gallery view")
    return image


def plot_confusion(counts: NDArray[np.int64], labels: Sequence[str], title: str, path: Path) -> None:
    """counts: (true, given), written into the cells as long as there is room; colours are shares of the true class.

    Of many classes only some are named at the axes; a class that is not in the data has no row.
    """
    there: NDArray[np.bool_] = np.asarray(counts.any(axis=1))
    shares = 100 * counts[there] / counts[there].sum(axis=1, keepdims=True)
    width, height = (float(np.clip(0.42 * n + 2.5, 4.5, LARGEST)) for n in (len(labels), len(shares)))
    figure = Figure(figsize=(width + 1, max(height, 0.35 * width)), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(shares, vmin=0, vmax=100, cmap=_COLOURS, aspect="equal", interpolation="nearest")
    if len(labels) <= WRITTEN:
        _write_cells(axes, shares, 100.0, counts[there])
    _name_axis(axes.xaxis, labels, rotation=90)
    _name_axis(axes.yaxis, [label for label, here in zip(labels, there, strict=True) if here])
    axes.set_xlabel("given")
    axes.set_ylabel("true")
    axes.set_title(title)
    figure.colorbar(image, ax=axes, label="share of the true class (%)", shrink=0.8)
    save_picture(figure, path)


def _name_axis(axis: Any, labels: Sequence[str], rotation: float = 0) -> None:
    """Names at equal steps, as many as can be read; long ones are cut."""
    step = -(-len(labels) // NAMED)
    shown = [label if len(label) <= 28 else f"{label[:27]}…" for label in labels[::step]]
    axis.set_ticks(range(0, len(labels), step), shown, rotation=rotation, fontsize=10 if len(labels) <= 20 else 7)


def _write_cells(axes: Any, values: Reals, top: float, text: NDArray[Any] | None = None) -> None:
    size = 7.5 if len(values) <= 15 else 5.5
    for (row, column), value in np.ndenumerate(values):
        if np.isnan(value) or (text is not None and text[row, column] == 0):
            continue
        word = f"{value:.0f}" if text is None else str(text[row, column])
        colour = "black" if value > _LIGHT * top else "white"
        axes.text(column, row, word, ha="center", va="center", color=colour, fontsize=size)


def save_picture(figure: Figure, path: Path) -> None:
    """The picture at `path`, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.stem}.unfinished.png")
    try:
        FigureCanvasAgg(figure)
        figure.savefig(unfinished, dpi=110)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
