"""Pictures of a gallery's health, as PNG: own against others' scores, and the menagerie."""

import io
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from gallery.doctor_findings import Report, Scores
from gallery.doctor_rules import ranks_of

# Okabe and Ito: told apart with any kind of colour vision.
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#6b7280"
DPI = 130
MOST_POINTS = 20_000


def pictures(report: Report) -> dict[str, bytes]:
    """Caption to PNG."""
    scores = report.scores
    if scores is None or np.isnan(scores.best_other).all():
        return {}
    made = {
        "Best score of each template with another of its own subject, and with other subjects. The further apart the "
        "two are, the better people can be told apart.": _png(_scores(report, scores)),
    }
    if (~np.isnan(scores.own)).sum() >= 2:
        made[
            "One point a subject: how well its templates match each other, by rank, and how well they match others. "
            "Corners: doves, chameleons, phantoms and worms."
        ] = _png(_menagerie(report, scores))
    return made


def _scores(report: Report, scores: Scores) -> Figure:
    figure = Figure(figsize=(7.2, 3.8), layout="constrained")
    axes = figure.subplots()
    own = scores.best_own[~np.isnan(scores.best_own)]
    both = np.concatenate([own, scores.best_other])
    edges = np.linspace(float(np.quantile(both, 0.001)), float(both.max()), 60).tolist()
    for values, label, colour in ((scores.best_other, "other subjects", ORANGE), (own, "own subject", BLUE)):
        if len(values):
            weights = np.full(len(values), 100 / len(values))
            axes.hist(values, edges, weights=weights, color=colour, alpha=0.4, label=f"with {label} ({len(values):,})")
    axes.set_xlabel("best score of a template (cosine, higher is better)")
    axes.set_ylabel("templates (% a bin)")
    axes.legend(frameon=False, loc="upper left")
    _finish(figure, axes, "Best scores of templates", report)
    return figure


def _menagerie(report: Report, scores: Scores) -> Figure:
    figure = Figure(figsize=(7.2, 5.6), layout="constrained")
    axes = figure.subplots()
    known = ~np.isnan(scores.own)
    x, y = 100 * ranks_of(scores.own)[known], 100 * ranks_of(np.where(known, scores.others, np.nan))[known]
    some = np.random.default_rng(0).permutation(len(x))[:MOST_POINTS]
    axes.scatter(x[some], y[some], s=12 if len(some) < 2000 else 3, color=BLUE, alpha=0.45, linewidths=0)
    for edge in (25, 75):
        axes.axvline(edge, color=GREY, linewidth=1, linestyle="--")
        axes.axhline(edge, color=GREY, linewidth=1, linestyle="--")
    for name, place, side in (
        ("worms", (1, 99), "left"),
        ("chameleons", (99, 99), "right"),
        ("phantoms", (1, 1), "left"),
        ("doves", (99, 1), "right"),
    ):
        count = len(report.animals.get(name.removesuffix("s"), ()))
        text = f"{name} ({count})" if report.animals else name
        axes.text(
            *place, text, ha=side, va="top" if place[1] > 50 else "bottom", fontweight="bold", color=ORANGE,
            fontsize=10, bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.5},
        )  # fmt: skip
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 100)
    axes.set_xlabel("scores within the subject: rank (%), right is higher")
    axes.set_ylabel("scores with others: rank (%), up is higher")
    _finish(figure, axes, "The menagerie", report)
    return figure


def _finish(figure: Figure, axes: Any, title: str, report: Report) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_title(title, loc="left", fontsize=12, fontweight="bold")
    text = f"gallery {report.gallery}: {report.subjects:,} subjects, {report.templates:,} templates"
    figure.supxlabel(text, fontsize=7.5, color=GREY, x=0.01, ha="left", parse_math=False)


def _png(figure: Figure) -> bytes:
    FigureCanvasAgg(figure)
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=DPI)
    return buffer.getvalue()
