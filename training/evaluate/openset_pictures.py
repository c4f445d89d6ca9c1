"""Pictures of an open-set evaluation: DET, CMC, scores, groups, and what a larger gallery costs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator, PercentFormatter
from scipy.special import ndtr, ndtri

from gallery.metrics import Reals
from training.evaluate.openset import OpenSetReport
from training.evaluate.openset_group_picture import plot_groups
from training.evaluate.openset_style import BLUE, GREEN, GREY, MARKS, ORANGE, new_figure

DET_TICKS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.99)
DPI = 130


def plot_all(report: OpenSetReport, caption: str, out: Path) -> dict[str, Path]:
    """Every picture there are data for, as PNG; name to file."""
    drawers: dict[str, Callable[[OpenSetReport, str], Figure | None]] = {
        "det": _det, "cmc": _cmc, "scores": _scores, "groups": plot_groups, "by_enrolled": _by_enrolled,
    }  # fmt: skip
    made = {}
    for name, drawer in drawers.items():
        figure = drawer(report, caption)
        if figure is not None:
            made[name] = out / f"{name}.png"
            _save(figure, made[name])
    return made


def _det(report: OpenSetReport, caption: str) -> Figure:
    """Both errors on normal deviate axes, where scores that are normally distributed make a straight line."""
    figure, axes = new_figure("Misses against false alarms (DET)", caption)
    curve = report.det
    least = max(1e-4, min(curve.x[0], *curve.low[curve.low > 0], 0.01) / 1.5)
    axes.set_xscale("function", functions=(_deviate, ndtr))
    axes.set_yscale("function", functions=(_deviate, ndtr))
    axes.fill_between(curve.x, curve.low, curve.high, color=BLUE, alpha=0.2, linewidth=0, label="95 %, people redrawn")
    axes.plot(curve.x, curve.y, color=BLUE, linewidth=2, label=f"{report.searches.subjects} enrolled")
    for mark, (rate, cell) in zip(MARKS, report.identification[0].cells.items(), strict=False):
        if cell.rate:
            axes.plot(rate, cell.rate.value, mark, color=ORANGE, markersize=8, zorder=5)
            text = f"FPIR {100 * rate:g} %: {100 * cell.rate.value:.1f} % missed"
            axes.annotate(text, (rate, cell.rate.value), xytext=(9, 5), textcoords="offset points", fontsize=9)
    supported = report.drawn.smallest
    axes.axvspan(least / 2, supported, color=GREY, alpha=0.12, linewidth=0)
    if supported > 1.3 * least:
        axes.text(
            supported, 0.02, "too few searches to say ", transform=axes.get_xaxis_transform(), ha="right", va="bottom",
            fontsize=8, color=GREY, rotation=90,
        )  # fmt: skip
    for axis, low, high in ((axes.xaxis, least, 0.5), (axes.yaxis, *_span(curve.low, curve.high))):
        axis.set_major_locator(_fixed([tick for tick in DET_TICKS if low <= tick <= high]))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}"))
        axis.set_minor_locator(NullLocator())
        axis.set_minor_formatter(NullFormatter())
    axes.set_xlim(least, 0.5)
    axes.set_ylim(*_span(curve.low, curve.high))
    axes.set_xlabel("strangers' searches that return somebody: FPIR (%)")
    axes.set_ylabel("enrolled people's searches missed: FNIR (%)")
    axes.legend(frameon=False, loc="upper right")
    return figure


def _span(low: Reals, high: Reals) -> tuple[float, float]:
    shown = low[low > 0]
    return max(1e-3, float(shown.min()) / 1.5 if len(shown) else 1e-3), min(0.995, float(high.max()) * 1.05 + 0.02)


def _deviate(share: Reals) -> Reals:
    return np.asarray(ndtri(np.clip(share, 1e-7, 1 - 1e-7)))


def _fixed(ticks: list[float]) -> Any:
    return FixedLocator(ticks)


def _cmc(report: OpenSetReport, caption: str) -> Figure:
    figure, axes = new_figure("How long a list of candidates has to be (CMC)", caption)
    curve = report.cmc
    axes.fill_between(curve.x, curve.low, curve.high, color=BLUE, alpha=0.2, linewidth=0, label="95 %, people redrawn")
    axes.plot(curve.x, curve.y, color=BLUE, linewidth=2, label=f"{report.searches.subjects} enrolled")
    chance = curve.x / report.searches.subjects
    axes.plot(curve.x, chance, color=GREY, linewidth=1.3, linestyle="--", label="by chance")
    for mark, k in zip(MARKS, (1, 10, 50), strict=True):
        if k <= len(curve.x):
            axes.plot(k, curve.y[k - 1], mark, color=ORANGE, markersize=8, zorder=5)
            place = (10, -14) if k < 50 else (-6, -16)
            axes.annotate(
                f"rank {k}: {100 * curve.y[k - 1]:.1f} %", (k, curve.y[k - 1]), xytext=place,
                textcoords="offset points", fontsize=9, ha="left" if k < 50 else "right",
            )  # fmt: skip
    axes.set_ylim(0, 1.02)
    axes.set_xscale("log")
    axes.set_xlim(0.93, max(curve.x[-1] * 1.12, 2))
    axes.xaxis.set_major_locator(_fixed([k for k in (1.0, 2.0, 5.0, 10.0, 20.0, 50.0) if k <= curve.x[-1]]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=""))
    axes.set_xlabel("rank: candidates looked at (logarithmic)")
    axes.set_ylabel("enrolled people found within it (%)")
    axes.legend(frameon=False, loc="center left")
    return figure


def _scores(report: OpenSetReport, caption: str) -> Figure:
    figure, axes = new_figure("Best scores of searches", caption)
    drawn = report.drawn
    right, wrong = drawn.mated & drawn.hit, drawn.mated & ~drawn.hit
    edges = np.linspace(float(np.quantile(drawn.best, 0.0005)), float(drawn.best.max()), 70)
    kinds = (
        (~drawn.mated, "strangers", ORANGE, "stepfilled", 0.35),
        (right, "enrolled, best is right", BLUE, "stepfilled", 0.35),
        (wrong, "enrolled, best is another", "black", "step", 1.0),
    )
    for mask, label, colour, kind, alpha in kinds:
        count = (drawn.mated if kind == "step" or colour == BLUE else ~drawn.mated).sum()
        weights = np.full(int(mask.sum()), 100 / max(count, 1))
        axes.hist(
            drawn.best[mask],
            edges,
            weights=weights,
            histtype=kind,
            color=colour,
            alpha=alpha,
            linewidth=1.6,
            label=label,
        )
    for rate, threshold in report.thresholds.items():
        axes.axvline(threshold, color=GREY, linestyle="--", linewidth=1.2)
        axes.text(
            threshold, 0.99, f" FPIR {100 * rate:g} %", rotation=90, va="top", ha="right", fontsize=8, color=GREY,
            transform=axes.get_xaxis_transform(),
        )  # fmt: skip
    axes.set_xlabel("score of the best candidate (cosine, higher is better)")
    axes.set_ylabel("share of its kind of searches (% a bin)")
    axes.legend(frameon=False, loc="upper left")
    return figure


def _by_enrolled(report: OpenSetReport, caption: str) -> Figure | None:
    if len(report.sizes) < 2 or not report.thresholds:
        return None
    figure, axes = new_figure("What a larger gallery costs", caption)
    top = 0.0
    for number, (rate, colour, mark) in enumerate(zip(report.thresholds, (ORANGE, BLUE, GREEN), MARKS, strict=False)):
        shown = [(size, held) for size, cells in report.sizes.items() if (held := cells[rate].rate) is not None]
        if not shown:
            continue
        x = np.array([size for size, _ in shown]) * 1.02**number
        y, low, high = (np.array([getattr(held, part) for _, held in shown]) for part in ("value", "low", "high"))
        spread = np.maximum([y - low, high - y], 0)
        axes.errorbar(x, y, yerr=spread, color=colour, marker=mark, capsize=3, label=f"FPIR {100 * rate:g} %")
        top = max(top, float(high.max()))
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(_fixed([float(size) for size in report.sizes]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_ylim(0, min(1.0, 1.15 * top) or 1)
    axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=""))
    axes.set_xlabel("subjects enrolled (logarithmic)")
    axes.set_ylabel("enrolled people's searches missed: FNIR (%)")
    axes.legend(frameon=False, title="threshold held at", loc="upper left")
    return figure


def _save(figure: Figure, path: Path) -> None:
    """The picture at `path`, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.stem}.unfinished.png")
    try:
        FigureCanvasAgg(figure)
        figure.savefig(unfinished, dpi=DPI)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
