"""Results of an evaluation as they are printed: tables, and lines about what to make of them."""

from collections import Counter
from collections.abc import Iterable
from math import isnan, nan

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as Grid

from gallery.calibration import Calibration
from gallery.metrics import Interval
from training.evaluate.embedding import LeftOut
from training.evaluate.gait import GaitResult
from training.evaluate.open_set import RATES
from training.evaluate.scoring import Table

SHOWN_LEFT_OUT = 5
_CAPTION = (
    "Rank-1 in % of probes; 95 %: interval, people drawn again. Beside it nearest neighbour on hand-made features: "
    "bones: bone lengths alone; motion: body size removed."
)


def per_cent(share: float | None) -> str:
    """A share as a percentage; a dash where there is none.

    >>> per_cent(0.9471), per_cent(nan), per_cent(None)
    ('94.7', '-', '-')
    """
    return "-" if share is None or isnan(share) else f"{100 * share:.1f}"


def show_gait(console: Console, result: GaitResult, title: str) -> None:
    """One row a figure, with what simple features reach beside it; then what was left out and why."""
    grid = plain_grid(title, ("rank-1", "95 %", *result.simple, "people", "probes", "gallery"), caption=_CAPTION)
    for table, interval in zip(result.tables, result.intervals, strict=True):
        grid.add_row(*_row(table, interval, [scores.get(table.name, nan) for scores in result.simple.values()]))
    if result.mean is not None:
        grid.add_row("mean", per_cent(result.mean))
    console.print(grid)
    views = result.tables[0].probe_views
    if len(views) > 1 and all(table.probe_views == views for table in result.tables):
        console.print(_by_view(result))
    console.print(_open_set(result))
    for name, (there, nominal) in result.found.items():
        if there != nominal:
            console.print(f"{name}: {there} of {nominal} sequences are in the data set", style="yellow")
    for line in result.realism.lines() if result.realism else ():
        console.print(f"simulated: {line}")
    show_left_out(console, result.left_out)


def _row(table: Table, interval: Interval, simple: Iterable[float]) -> tuple[str, ...]:
    between = f"{per_cent(interval.low)}-{per_cent(interval.high)}"
    people = str(table.people) if table.people == table.gallery_people else f"{table.people}/{table.gallery_people}"
    return (
        table.name, per_cent(table.accuracy()), between,
        *map(per_cent, simple), people, str(len(table.probes)), str(len(table.gallery)),
    )  # fmt: skip


def _by_view(result: GaitResult) -> Grid:
    grid = plain_grid("rank-1 by probe view, mean over the gallery's views", result.tables[0].probe_views)
    for table in result.tables:
        grid.add_row(table.name, *(per_cent(share) for share in table.by_probe_view().values()))
    return grid


def _open_set(result: GaitResult) -> Grid:
    """What is missed at rates of false positives, and both errors at the bundle's own threshold."""
    with_prior = ("threshold", "FPIR", "FNIR") if result.prior else ()
    columns = ("enrolled", *(f"at {100 * rate:g} %" for rate in RATES), *with_prior)
    caption = "FNIR in % at FPIR of so many %, half of the people strangers" + (
        "; then both at the bundle's own threshold" if result.prior else ""
    )
    grid = plain_grid("open set", columns, caption=caption)
    for table in result.tables:
        if table.open_set is None:
            continue
        content = table.open_set.to_json(len(table.probes), result.prior)
        cells = [per_cent(content["fnir_at_fpir"].get(f"{rate:g}")) for rate in RATES]
        if result.prior:
            at = content["at_the_prior"]
            cells += [f"{at['threshold']:.3f}", per_cent(at["fpir"]), per_cent(at["fnir"])]
        grid.add_row(table.name, str(content["subjects_enrolled"]), *cells)
    return grid


def plain_grid(title: str, columns: Iterable[str], *, caption: str | None = None) -> Grid:
    """A table narrow enough for a terminal of 80 columns; the first column names the rows."""
    grid = Grid(
        title=title, caption=caption, caption_justify="left", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1)
    )
    grid.add_column("", no_wrap=True)
    for name in columns:
        grid.add_column(name, justify="right", no_wrap=True)
    return grid


def show_left_out(console: Console, left_out: tuple[LeftOut, ...]) -> None:
    """How many sequences were left out for which reason, and one example of each."""
    reasons = Counter(reason for item in left_out for reason in item.reasons)
    for reason, count in reasons.most_common(SHOWN_LEFT_OUT):
        example = next(item.detail for item in left_out if reason in item.reasons)
        console.print(f"left out: {count} sequences, {reason} ({example})", style="yellow")


def show_calibration(console: Console, calibration: Calibration) -> None:
    """One row a size of gallery: threshold and misses at each rate."""
    rates = sorted({row.fpir for row in calibration.table})
    title = "threshold, and below it the share of mates missed, by subjects in the gallery and rate of false positives"
    grid = plain_grid(title, [f"{100 * rate:g} %" for rate in rates], caption=f"made on {calibration.made_on}")
    for size in sorted({row.subjects for row in calibration.table}):
        rows = [calibration.row(size, rate) for rate in rates]
        grid.add_row(str(size), *(f"{row.threshold:.3f}\n{per_cent(row.fnir)} %" if row else "-" for row in rows))
    console.print(grid)
    worth = "" if calibration.worth is None else f", worth {calibration.worth:.0f} independent ones among everybody"
    console.print(f"{calibration.subjects} people, {calibration.searches} searches by strangers{worth}")
