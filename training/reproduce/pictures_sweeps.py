"""Fig. 4: accuracy against one setting at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from training.evaluate.openset_style import BLUE, GREY, dress, write_caption
from training.reproduce.picture_style import head


@dataclass(frozen=True)
class Point:
    """Accuracy in % at one value of the setting: mean and standard deviation over `seeds`."""

    value: float
    mean: float
    sd: float
    seeds: int


@dataclass(frozen=True)
class Sweep:
    """One setting. symbol: as the paper writes it; chosen: the value that the paper settles on."""

    symbol: str
    says: str
    chosen: float
    points: tuple[Point, ...]


def sweeps_picture(sweeps: Sequence[Sweep], title: str, caption: str) -> Figure:
    """One panel a setting, all on the same axis of accuracy; dashed: the paper's choice, ringed: the best here."""
    figure = Figure(figsize=(7.4, 1.2 + 2.7 * -(-len(sweeps) // 2)), layout="constrained")
    panels = figure.subplots(-(-len(sweeps) // 2), 2, squeeze=False, sharey=True)
    low, high = _span(sweeps)
    for axes, sweep, letter in zip(panels.flat, sweeps, "abcdefgh", strict=False):
        dress(axes)
        axes.set_title(f"({letter}) {sweep.symbol}: {sweep.says}", loc="left", fontsize=10)
        _panel(axes, sweep)
        axes.set_ylim(low, high)
    for axes in panels.flat[len(sweeps) :]:
        axes.set_visible(False)
    for axes in panels[:, 0]:
        axes.set_ylabel("accuracy (%)")
    head(figure, title)
    write_caption(figure, caption)
    return figure


def _panel(axes: Any, sweep: Sweep) -> None:
    """Values stand evenly, in their order: they are chosen by factors of two and ten."""
    if not sweep.points:
        axes.text(0.5, 0.5, "not run", ha="center", va="center", color=GREY, style="italic", transform=axes.transAxes)
        axes.set_xticks([])
        return
    points = sorted(sweep.points, key=lambda point: point.value)
    x = np.arange(len(points))
    mean = np.array([point.mean for point in points])
    axes.errorbar(
        x, mean, yerr=[point.sd for point in points], color=BLUE, marker="o", capsize=3, linewidth=1.8, markersize=5
    )
    best = int(mean.argmax())
    axes.plot(best, mean[best], "o", markersize=12, markerfacecolor="none", markeredgecolor=BLUE)
    axes.annotate(f"{mean[best]:.1f}", (best, mean[best]), xytext=(9, 5), textcoords="offset points", fontsize=9)
    if at := [i for i, point in enumerate(points) if point.value == sweep.chosen]:
        axes.axvline(at[0], color=GREY, linestyle="--", linewidth=1.1, zorder=0)
    axes.set_xticks(x, [f"{point.value:g}" for point in points])
    axes.set_xlim(-0.4, len(points) - 0.6)
    axes.set_xlabel(sweep.symbol)


def _span(sweeps: Sequence[Sweep]) -> tuple[float, float]:
    ends = [end for sweep in sweeps for point in sweep.points for end in (point.mean - point.sd, point.mean + point.sd)]
    if not ends:
        return 0.0, 100.0
    room = max(0.25 * (max(ends) - min(ends)), 0.5)
    return max(0.0, min(ends) - room), max(ends) + room
