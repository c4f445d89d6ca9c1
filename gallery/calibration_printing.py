"""A calibration in words and tables, for the terminal."""

from collections.abc import Iterator

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from gallery.calibration import Calibration
from gallery.calibration_table import Between, Row
from gallery.metrics import decibels
from model.errors import InvalidRequest

SIZES_SHOWN = 12
RATES_SHOWN = 7


def per_cent(share: float | None, digits: int = 1) -> str:
    """A share as a percentage; a dash where there is none.

    >>> per_cent(0.9471), per_cent(None)
    ('94.7', '-')
    """
    return "-" if share is None else f"{100 * share:.{digits}f}"


def interval(between: Between | None) -> str:
    """The ends of an interval as percentages.

    >>> interval((0.012, 0.2))
    '1.2-20.0'
    """
    return "-" if between is None else f"{per_cent(between[0])}-{per_cent(between[1])}"


def thresholds_table(calibration: Calibration) -> Table:
    """One row a size of gallery, one column a rate: the threshold, and below it the share of mates that it misses."""
    caption = "Below a threshold: mates missed, in %, and its 95 % interval, subjects drawn again."
    if any(row.few for row in calibration.table):
        caption += " *: fewer than 30 errors are behind it (rule of 30)."
    if any(row.tail for row in calibration.table):
        caption += " ~: by the fit of the tail."
    caption += " -: more people are needed (rule of 3)."
    table = Table(
        title="threshold by subjects in the gallery and share of strangers let through", caption=caption,
        caption_justify="left", box=SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1),
    )  # fmt: skip
    table.add_column("subjects", justify="right", no_wrap=True)
    rates = calibration.rates[-RATES_SHOWN:]
    for rate in rates:
        table.add_column(f"{100 * rate:.3g} %\n{decibels(rate):.1f} dB", justify="right", no_wrap=True)
    for size in calibration.sizes[-SIZES_SHOWN:]:
        table.add_row(str(size), *(_cell(calibration.row(size, rate)) for rate in rates))
    return table


def _cell(row: Row | None) -> str:
    if row is None:
        return "-"
    marks = ("*" if row.few else "") + ("~" if row.tail else "")
    return f"{row.threshold:.3f}{marks}\n{per_cent(row.fnir)}\n{interval(row.fnir_between)}"


def conditions_table(calibration: Calibration) -> Table | None:
    """One row a value of a label: both errors of its probes at the threshold of all; None without labels."""
    if not calibration.conditions:
        return None
    table = Table(
        title=f"by condition, at the threshold that lets {100 * calibration.target_fpir:g} % of all strangers through",
        box=SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1),
    )  # fmt: skip
    for name in ("label", "value", "subjects", "probes", "FPIR %", "95 %", "FNIR %", "95 %", "own threshold"):
        table.add_column(name, justify="left" if name in ("label", "value") else "right", no_wrap=True)
    for one in calibration.conditions:
        own = next((row for row in one.rows if row.fpir == calibration.target_fpir), None)
        table.add_row(
            escape(one.label), escape(one.value), str(one.subjects), str(one.searches),
            per_cent(one.fpir), interval(one.fpir_between), per_cent(one.fnir), interval(one.fnir_between),
            "-" if own is None else f"{own.threshold:.3f}",
        )  # fmt: skip
    return table


def lines(calibration: Calibration, prior: Calibration | None = None) -> Iterator[str]:
    """What it rests on, and what the bundle's own thresholds would do here."""
    yield f"calibration {calibration.id} of {calibration.created or 'unknown date'}: {calibration.made_on}"
    if calibration.worth is not None:
        yield (
            f"{calibration.subjects} people, {calibration.searches} searches by strangers; those of one person hang "
            f"together, so among everybody they are worth {calibration.worth:.0f} independent ones: rates down to "
            f"{100 * calibration.supported:.2g} % ({decibels(max(calibration.supported, 1e-9)):.1f} dB) are supported"
        )
    if calibration.tail is not None and not calibration.tail.fits:
        yield "no generalised Pareto distribution fits the tail of strangers' scores: small rates are as counted"
    if calibration.evidence:
        low, high = calibration.evidence[0][1], calibration.evidence[-1][1]
        yield f"likelihood ratios from 10^{low:.1f} to 10^{high:.1f}: what these people can show of one comparison"
    if calibration.best > 1 or calibration.min_margin:
        margin = f"; a match must be {calibration.min_margin:g} above the runner-up" if calibration.min_margin else ""
        yield f"a subject scores as the mean of its best {calibration.best}{margin}"
    if prior is not None:
        yield from _prior(calibration, prior)


def _prior(calibration: Calibration, prior: Calibration) -> Iterator[str]:
    size, rate = calibration.sizes[-1], calibration.target_fpir
    try:
        held = prior.threshold(size, rate, templates=round(size * calibration.templates_per_subject))
    except InvalidRequest:
        return
    found = calibration.at(held.value)
    if found is not None:
        yield (
            f"the bundle's own threshold for {100 * rate:g} % among {size} ({held.value:.3f}) would let "
            f"{per_cent(found.fpir)} % of strangers through ({interval(found.fpir_between)})"
        )
