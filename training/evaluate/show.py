"""Results of an evaluation as they are printed: tables, and lines about what to make of them."""

from collections import Counter
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table as Grid

from gallery.calibration import Calibration
from gallery.metrics import Interval
from training.evaluate.actions import ActionResult
from training.evaluate.embedding import LeftOut
from training.evaluate.gait import GaitResult
from training.evaluate.scoring import Table

SHOWN_LEFT_OUT = 5


def per_cent(share: float) -> str:
    """A share as a percentage; a dash where there is none.

    >>> per_cent(0.9471), per_cent(float("nan"))
    ('94.7', '-')
    """
    return "-" if share != share else f"{100 * share:.1f}"


def show_gait(console: Console, result: GaitResult, title: str) -> None:
    """One row a figure, with what simple features reach beside it; then what was left out and why."""
    grid = Grid(title=title, caption="rank-1, % of probes; interval: 95 %, people drawn again", caption_justify="left")
    grid.add_column("probes")
    for name in ("rank-1", "interval", "rank-5", *result.simple, "people", "probes", "gallery"):
        grid.add_column(name, justify="right", max_width=16)
    for table, interval in zip(result.tables, result.intervals, strict=True):
        grid.add_row(
            *_row(table, interval, [result.simple[kind].get(table.name, float("nan")) for kind in result.simple])
        )
    if len(result.tables) > 1:
        grid.add_section()
        grid.add_row("mean", per_cent(result.mean))
    console.print(grid)
    views = result.tables[0].probe_views
    if len(views) > 1 and all(table.probe_views == views for table in result.tables):
        console.print(_by_view(result))
    for name, (there, nominal) in result.found.items():
        if there != nominal:
            console.print(f"{name}: {there} of {nominal} sequences are in the data set", style="yellow")
    for line in result.realism.lines() if result.realism else ():
        console.print(f"simulated: {line}")
    show_left_out(console, result.left_out)


def _row(table: Table, interval: Interval, simple: Iterable[float]) -> tuple[str, ...]:
    between = f"{per_cent(interval.low)}-{per_cent(interval.high)}"
    people = str(table.people) if table.people == table.gallery_people else f"{table.people} of {table.gallery_people}"
    return (
        table.name, per_cent(table.accuracy()), between, per_cent(table.accuracy(5)),
        *map(per_cent, simple), people, str(len(table.probes)), str(len(table.gallery)),
    )  # fmt: skip


def _by_view(result: GaitResult) -> Grid:
    grid = Grid(title="rank-1 by probe view, mean over the other views")
    grid.add_column("")
    for view in result.tables[0].probe_views:
        grid.add_column(view, justify="right")
    for table in result.tables:
        grid.add_row(table.name, *(per_cent(share) for share in table.by_probe_view().values()))
    return grid


def show_left_out(console: Console, left_out: tuple[LeftOut, ...]) -> None:
    """How many sequences were left out for which reason, and one example of each."""
    reasons = Counter(reason for item in left_out for reason in item.reasons)
    for reason, count in reasons.most_common(SHOWN_LEFT_OUT):
        example = next(item.detail for item in left_out if reason in item.reasons)
        console.print(f"left out: {count} sequences, {reason} ({example})", style="yellow")


def show_actions(console: Console, result: ActionResult, title: str) -> None:
    """One row a class, worst first."""
    grid = Grid(title=title)
    grid.add_column("action")
    for name in ("recognised, %", "sequences", "people", "most often taken for"):
        grid.add_column(name, justify="right")
    confusion = result.confusion
    for label, (share, count, people) in sorted(result.by_class().items(), key=lambda item: item[1][0]):
        row = confusion[result.labels.index(label)].copy()
        row[result.labels.index(label)] = 0
        other = result.labels[int(row.argmax())] if row.any() else ""
        grid.add_row(label, per_cent(share), str(count), str(people), other)
    interval, chance = result.interval(), 1 / len(result.labels)
    grid.add_section()
    grid.add_row("all", per_cent(result.accuracy), str(len(result.true)), str(result.people))
    console.print(grid)
    console.print(
        f"accuracy {per_cent(result.accuracy)} % (95 %: {per_cent(interval.low)}-{per_cent(interval.high)}, people "
        f"drawn again); mean over classes {per_cent(result.mean_by_class)} %; chance {per_cent(chance)} %"
    )
    for label, count in result.unknown.items():
        console.print(f"left out: {count} sequences of {label!r}, which the classifier does not know", style="yellow")
    show_left_out(console, result.left_out)


def show_calibration(console: Console, calibration: Calibration) -> None:
    """One row a size of gallery: threshold and misses at each rate."""
    grid = Grid(title=f"threshold (and misses) to keep false positives below a rate; made on {calibration.made_on}")
    grid.add_column("subjects", justify="right")
    rates = sorted({row.fpir for row in calibration.table})
    for rate in rates:
        grid.add_column(f"FPIR {100 * rate:g} %", justify="right")
    for size in sorted({row.subjects for row in calibration.table}):
        rows = {row.fpir: row for row in calibration.table if row.subjects == size}
        cells = [f"{rows[r].threshold:.3f} ({per_cent(_share(rows[r].fnir))} %)" for r in rates]
        grid.add_row(str(size), *cells)
    console.print(grid)
    console.print(f"{calibration.subjects} people, {calibration.searches} independent searches by strangers")


def _share(value: float | None) -> float:
    return float("nan") if value is None else value
