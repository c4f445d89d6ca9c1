"""A calibration as a picture: the scores of mates and of strangers, and the trade-off between both errors."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from gallery.calibration import Calibration
from model.errors import InvalidRequest

MATED, NONMATED = "#1b7f4d", "#b3402e"
DPI = 120
CONDITIONS_SHOWN = 12


def plot_calibration(calibration: Calibration, title: str, path: Path) -> None:
    """Write the picture (PNG) at `path`, whole or not at all. Raises `InvalidRequest` where nothing was kept for it."""
    if calibration.histogram is None or not calibration.curve:
        raise InvalidRequest("calibration", f"{calibration.id} is of format 1, which keeps no curves: measure it again")
    figure = Figure(figsize=(13, 4.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    _histograms(left, calibration)
    _trade_off(right, calibration)
    figure.suptitle(title, fontsize=11)
    _save(figure, path)


def _histograms(axes: Any, calibration: Calibration) -> None:
    held = calibration.histogram
    assert held is not None
    edges = held.start + held.width * np.arange(len(held.mated) + 1)
    for shares, colour, name in ((held.nonmated, NONMATED, "strangers' best"), (held.mated, MATED, "mates' own")):
        axes.stairs(100 * np.array(shares), edges, fill=True, alpha=0.35, color=colour)
        axes.stairs(100 * np.array(shares), edges, color=colour, label=name)
    row = calibration.row(calibration.sizes[-1], calibration.target_fpir)
    if row is not None:
        name = f"{row.threshold:.3f}, for {100 * row.fpir:g} % of strangers"
        axes.axvline(row.threshold, color="black", linestyle="--", linewidth=1, label=name)
    axes.set_xlabel("score")
    axes.set_ylabel("searches (%)")
    axes.set_title(f"scores among {calibration.sizes[-1]} subjects", fontsize=10)
    axes.legend(fontsize=8, loc="upper left")


def _trade_off(axes: Any, calibration: Calibration) -> None:
    points = [point for point in calibration.curve if point.fnir is not None and point.fnir_between is not None]
    rates = 100 * np.array([point.fpir for point in points])
    missed = 100 * np.array([point.fnir for point in points])
    bands = 100 * np.array([point.fnir_between for point in points])
    sideways = 100 * np.array([point.fpir_between for point in points])
    axes.fill_between(
        rates, bands[:, 0], bands[:, 1], color=MATED, alpha=0.2, label="FNIR, 95 % (subjects drawn again)"
    )
    lowest = 100 * max(calibration.supported, 1e-6)
    axes.fill_betweenx(
        missed, sideways[:, 0].clip(lowest / 10), sideways[:, 1], color=NONMATED, alpha=0.12, label="FPIR, 95 %"
    )
    axes.plot(rates, missed, color="black", linewidth=1.2, label="all probes")
    for condition in calibration.conditions[:CONDITIONS_SHOWN]:
        rows = [row for row in condition.rows if row.fnir is not None]
        if rows:
            shares = [100 * (row.fnir or 0) for row in rows]
            axes.plot(
                [100 * row.fpir for row in rows],
                shares,
                marker=".",
                linewidth=0.8,
                label=f"{condition.label} {condition.value}",
            )
    axes.axvline(lowest, color="grey", linestyle=":", linewidth=1, label="rule of 3")
    axes.set_xscale("log")
    axes.set_xlim(left=lowest * 0.8)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("strangers let through: FPIR (%)")
    axes.set_ylabel("mates missed: FNIR (%)")
    axes.set_title(f"both errors among {calibration.sizes[-1]} subjects", fontsize=10)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1.0, 1.0))


def _save(figure: Figure, path: Path) -> None:
    unfinished = path.with_name(f".{path.stem}.unfinished.png")
    try:
        FigureCanvasAgg(figure)
        with unfinished.open("wb") as stream:
            figure.savefig(stream, dpi=DPI, format="png")
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
