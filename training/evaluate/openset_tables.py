"""An open-set evaluation as it is printed: NIST's two tables, groups, and what to make of them."""

from collections.abc import Iterator, Sequence
from math import isfinite

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid

from training.evaluate.openset import GUIDANCE_FPIR, GUIDANCE_SHARE, OpenSetReport
from training.evaluate.openset_curves import CANDIDATES
from training.evaluate.openset_figures import RANKS, RATES, Cell, Row
from training.evaluate.openset_groups import Grouping, Ratio, shown_differences
from training.evaluate.show import per_cent

Lines = list[tuple[str, ...]]
FEW = "~"
_LEGEND = (
    "Beside it the 95 % interval, people drawn again. ~: fewer than 30 errors expected, rough. "
    "+n people: not given; it takes so many more."
)


def cell_text(cell: Cell) -> str:
    """A rate in per cent with its interval, or how many more people it needs.

    >>> cell_text(Cell(None, "12 searches by strangers, 988 more needed", 494))
    '+494 people'
    """
    if cell.rate is None:
        return f"+{cell.people_short:,} people"
    held = cell.rate
    return f"{FEW if cell.few else ''}{per_cent(held.value)} {per_cent(held.low)}-{per_cent(held.high)}"


def identification_lines(report: OpenSetReport) -> tuple[tuple[str, ...], Lines]:
    """T > 0: header and lines."""
    header = ("probes", "people", "searches", *(f"FPIR {rate:g}" for rate in RATES))
    return header, _lines(report.identification, RATES)


def investigation_lines(report: OpenSetReport) -> tuple[tuple[str, ...], Lines]:
    """T = 0: header and lines."""
    header = ("probes", "people", "searches", *(f"rank {k}" for k in RANKS))
    return header, _lines(report.investigation, RANKS)


def _lines(rows: Sequence[Row], keys: Sequence[float]) -> Lines:
    """One line a row, and one before each column's values that names the column."""
    lines: Lines = []
    column = ""
    for row in rows:
        if row.column != column:
            column = row.column
            lines.append((f"by {column}", *[""] * (2 + len(keys))))
        cells = [row.cells[key] for key in keys]
        texts = ["-" if cell.refused.startswith("only") else cell_text(cell) for cell in cells]
        lines.append((row.value, str(row.people), f"{row.searches:,}", *texts))
    return lines


def size_lines(report: OpenSetReport) -> tuple[tuple[str, ...], Lines]:
    header = ("enrolled", *(f"FPIR {rate:g}" for rate in RATES))
    return header, [(f"{size:,}", *(cell_text(cells[rate]) for rate in RATES)) for size, cells in report.sizes.items()]


def group_lines(grouping: Grouping) -> tuple[tuple[str, ...], Lines]:
    header = (grouping.column, "people", "walks", "searches", "FPIR", "FNIR")
    return header, [
        (g.value, str(g.people), f"{g.stranger_walks:,}", f"{g.mated_searches:,}", cell_text(g.fpir), cell_text(g.fnir))
        for g in grouping.groups
    ]


def ratio_text(error: str, ratio: Ratio | None) -> str:
    """The largest ratio between groups in words."""
    if ratio is None:
        return f"{error}: fewer than two groups are large enough to compare"
    shown = "a difference is shown" if ratio.shown else "no difference is shown"
    if ratio.ratio is None:
        return f"{error}: highest for {ratio.highest}; {ratio.lowest} had none: {shown}"
    held = ratio.ratio
    most = f"{held.low:.2f}-{held.high:.2f}" if isfinite(held.high) else f"at least {held.low:.2f}"
    between = f"{ratio.highest} / {ratio.lowest} = {held.value:.2f} ({most})"
    of = "" if ratio.pairs == 1 else f", the largest of {ratio.pairs} pairs, which the interval allows for"
    return f"{error}: {between}{of}: {shown}"


def caption(report: OpenSetReport, title: str) -> str:
    """Data, people and searches, for below a picture."""
    found, drawn = report.searches, report.drawn
    made = "simulated, " if report.data.simulated else ""
    return (
        f"{title} ({made}{report.data.people} people): {found.divisions} divisions, {found.subjects} enrolled with "
        f"{found.templates:,.0f} templates; {int(drawn.mated.sum()):,} searches by them, "
        f"{int((~drawn.mated).sum()):,} by strangers ({drawn.stranger_walks:,} walks, "
        f"worth {drawn.independent:,.0f} independent ones)"
    )


def statements(report: OpenSetReport) -> Iterator[str]:
    """What matters, in sentences."""
    for rate, cell in report.identification[0].cells.items():
        if cell.rate:
            rough = " (roughly: fewer than 30 errors are expected)" if cell.few else ""
            between = f"{per_cent(cell.rate.value)} % ({per_cent(cell.rate.low)}-{per_cent(cell.rate.high)})"
            allowed = f"Where {100 * rate:g} % of strangers' searches may return somebody"
            yield f"{allowed}, {between} of enrolled people's searches are missed{rough}."
        else:
            yield f"FPIR {100 * rate:g} % cannot be shown: {cell.refused}; about {cell.people_short:,} people more."
    listed = min(CANDIDATES, report.drawn.subset)
    for k, cell in report.investigation[0].cells.items():
        if cell.rate:
            yield f"Not within the first {k:g} of {listed} candidates: {per_cent(cell.rate.value)} %."
    yield from (f"{line}." for line in shown_differences(report.groupings))
    if report.held and report.held.fpir.rate and report.held.fnir.rate:
        held = report.held
        source = "the bundle's own threshold" if held.source == "prior" else "the given threshold"
        target = "" if held.target is None else f", set for FPIR {100 * held.target:g} %,"
        both = f"FPIR is {cell_text(held.fpir)} % and FNIR {cell_text(held.fnir)} %"
        yield f"At {source} {held.threshold:.3f}{target} {both}."


def requirement_text(report: OpenSetReport) -> str | None:
    """Pass or fail, and why."""
    required = report.requirement
    if required is None:
        return None
    wanted = (
        f"FPIR <= {GUIDANCE_FPIR:g} with at least {100 * GUIDANCE_SHARE:g} % of {required.operational:,} enrolled "
        "(US guidance on identity proofing)"
    )
    if not required.passed:
        return f"FAIL: {wanted}: {'; '.join(required.reasons)}"
    measured = "" if required.fpir is None else f", FPIR {cell_text(required.fpir)} %"
    return f"PASS: {wanted}: {required.enrolled:,} enrolled, threshold {required.threshold:.3f}{measured}"


def show_open_set(console: Console, report: OpenSetReport, title: str) -> None:
    console.print(caption(report, title), markup=False)
    if not report.data.walks_known:
        console.print(
            "the data do not say which sequences are of one walk: each counts as a walk of its own", style="yellow"
        )
    _print(console, "identification (T > 0): FNIR in %", *identification_lines(report), _LEGEND)
    listed = min(CANDIDATES, report.drawn.subset)
    shown = f"investigation (T = 0): not in the first k of {listed} candidates, in %"
    _print(console, shown, *investigation_lines(report), "-: no more are enrolled than are looked at.")
    if len(report.sizes) > 1:
        _print(console, "by size of gallery: FNIR in %", *size_lines(report))
    for grouping in report.groupings:
        held = f"one threshold {grouping.threshold:.3f}, FPIR {100 * grouping.rate:g} % over all"
        _print(console, f"by {grouping.column}, in %", *group_lines(grouping), held)
        for error, ratio in (("FPIR", grouping.fpir_ratio), ("FNIR", grouping.fnir_ratio)):
            console.print(ratio_text(error, ratio), markup=False)
    for line in statements(report):
        console.print(line, markup=False, highlight=False)
    if text := requirement_text(report):
        console.print(text, markup=False, style="green" if text.startswith("PASS") else "bold red")


def _print(console: Console, title: str, header: tuple[str, ...], lines: Lines, below: str | None = None) -> None:
    grid = Grid(
        title=escape(title),
        caption=below,
        caption_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 0, 0, 1),
    )
    for number, name in enumerate(header):
        grid.add_column(escape(name), justify="right" if number else "left", no_wrap=True)
    for line in lines:
        grid.add_row(*map(escape, line))
    console.print(grid)
