"""Both errors of every group, side by side."""

from typing import Any

from matplotlib.figure import Figure

from gallery.metrics import Interval
from training.evaluate.openset import OpenSetReport
from training.evaluate.openset_groups import Group, Grouping
from training.evaluate.openset_style import BLUE, GREEN, GREY, dress, write_caption


def plot_groups(report: OpenSetReport, caption: str) -> Figure | None:
    """FPIR and FNIR of every group side by side, on one threshold."""
    found = report.groupings
    lines = sum(len(grouping.groups) + 1 for grouping in found)
    if not lines:
        return None
    figure = Figure(figsize=(8.6, 1.7 + 0.27 * lines), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    first = found[0]
    places = _places(found)
    for axes, error, mean in ((left, "FPIR", first.rate), (right, "FNIR", _missed_of_all(report, first.rate))):
        dress(axes)
        axes.grid(visible=False, axis="y")
        for grouping, group, y in places:
            cell = group.fpir if error == "FPIR" else group.fnir
            _bar(axes, y, cell.rate, BLUE if found.index(grouping) % 2 == 0 else GREEN)
        if mean is not None:
            axes.axvline(100 * mean, color=GREY, linestyle="--", linewidth=1.2)
            axes.text(
                100 * mean, 1.0, " all", transform=axes.get_xaxis_transform(), va="bottom", fontsize=8, color=GREY
            )
        axes.set_xlim(left=0)
        axes.set_xlabel("false alarms: FPIR (%)" if error == "FPIR" else "misses: FNIR (%)")
    names = [f"{grouping.column} {group.value} ({group.people})" for grouping, group, _ in places]
    left.set_yticks([y for *_, y in places], names, fontsize=9)
    left.set_ylim(places[-1][2] + 0.7, -0.7)  # the first at the top
    title = f"Groups at one threshold ({first.threshold:.3f}); 95 %, people redrawn; in brackets: people"
    figure.suptitle(title, fontsize=11, fontweight="bold", x=0.01, ha="left")
    write_caption(figure, caption)
    return figure


def _places(found: tuple[Grouping, ...]) -> list[tuple[Grouping, Group, float]]:
    places, y = [], 0.0
    for grouping in found:
        for group in grouping.groups:
            places.append((grouping, group, y))
            y += 1
        y += 0.6
    return places


def _missed_of_all(report: OpenSetReport, rate: float) -> float | None:
    cell = report.identification[0].cells[rate]
    return cell.rate.value if cell.rate else None


def _bar(axes: Any, y: float, rate: Interval | None, colour: str) -> None:
    if rate is None:
        axes.text(0, y, " too few for a statement", va="center", fontsize=8, color=GREY, style="italic")
        return
    value, low, high = 100 * rate.value, 100 * rate.low, 100 * rate.high
    axes.barh(y, value, color=colour, alpha=0.55, height=0.7)
    axes.errorbar(
        value, y, xerr=[[max(value - low, 0)], [max(high - value, 0)]], color="black", capsize=3, linewidth=1.2
    )
