"""Fig. 5: how classes come apart in the course of training."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from training.evaluate.openset_style import BLUE, GREEN, ORANGE, write_caption
from training.reproduce.picture_style import head_legend, shortened

# Okabe and Ito's, with marks of their own: told apart in grey too.
LOOKS = (
    (BLUE, "o"), (ORANGE, "s"), (GREEN, "^"), ("#CC79A7", "D"), ("#56B4E9", "v"), ("#E69F00", "P"), ("#000000", "X"),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Scatter:
    """One epoch (from 1). points: (n, 2); classes: (n,) numbers of the labels. separation: of the embeddings
    themselves, as the mean silhouette in [-1, 1]: what the picture only shows in two dimensions."""

    epoch: int
    points: NDArray[np.float64]
    classes: NDArray[np.int64]
    separation: float


def tsne_picture(scatters: Sequence[Scatter], labels: Sequence[str], title: str, caption: str) -> Figure:
    """A panel an epoch, the same recordings in each."""
    columns = 2
    rows = -(-len(scatters) // columns)
    figure = Figure(figsize=(6.8, 1.5 + 3.0 * rows), layout="constrained")
    panels = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes, scatter, letter in zip(panels, scatters, "abcdefghijklmnopqrstuvwxyz", strict=False):
        _panel(axes, scatter, labels)
        axes.set_title(
            f"({letter}) epoch {scatter.epoch}, separation {scatter.separation:.2f}", loc="left", fontsize=9.5
        )
    for axes in panels[len(scatters) :]:
        axes.set_visible(False)
    head_legend(figure, title)
    write_caption(figure, caption)
    return figure


def _panel(axes: Any, scatter: Scatter, labels: Sequence[str]) -> None:
    for number, label in enumerate(labels):
        colour, mark = LOOKS[number % len(LOOKS)]
        here = scatter.points[scatter.classes == number]
        axes.scatter(*here.T, s=16, marker=mark, color=colour, alpha=0.75, linewidths=0, label=shortened(label))
    axes.set_xticks([])
    axes.set_yticks([])
    axes.margins(0.06)
    axes.spines[:].set_color("#c5ccd8")
