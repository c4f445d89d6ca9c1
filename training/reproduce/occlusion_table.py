"""Table IX: trained on whole skeletons, tested without a part of the body."""

from collections.abc import Iterator
from functools import partial

from rich.console import Console

from training.reproduce import paper
from training.reproduce.ablation import BASELINE, FULL, RECIPE, name_of
from training.reproduce.choices import Choices
from training.reproduce.experiment import recipe_file
from training.reproduce.gather import Reports, gather
from training.reproduce.made import Made
from training.reproduce.report import Report
from training.reproduce.table import Ours, Row, Table

SEEDS = (1,)


def table_9(choices: Choices, console: Console) -> Made:
    """Train and test the whole method, and other variants that are asked for, with each part hidden."""
    variants = choices.variants or (FULL,)
    file = choices.recipe or recipe_file(RECIPE)
    name = name_of(choices, file, actions=True)
    reports = gather(choices, console, file, variants, choices.seeds or SEEDS, occlusion=True)
    table = occlusion_table(reports, variants, name, comparable=choices.recipe is None)
    return Made("table-9", table.title, (table,), (), tuple(reports), paper.TABLES["table-9"].remark)


def occlusion_table(reports: Reports, variants: tuple[str, ...], recipe: str, *, comparable: bool) -> Table:
    """The paper's own row is the whole method's; the other variants have none."""
    told = paper.TABLES["table-9"]
    rows = [_row(row, reports, told.columns) for row in told.rows]
    unknown: tuple[None, ...] = (None,) * len(told.columns)
    for variant in variants:
        if variant != FULL:
            rows.append(Row(variant, unknown, _cells(reports, variant, told.columns)))
    where = "" if comparable else f"; here: {recipe}"
    return Table(
        "table-9", f"{told.title}{where}", told.columns, tuple(rows), comparable, tuple(_conclusions(reports, variants))
    )


def _row(row: Row, reports: Reports, columns: tuple[str, ...]) -> Row:
    if row.name != paper.OURS:
        return row
    return Row(row.name, row.paper, _cells(reports, FULL, columns), row.publication)


def _cells(reports: Reports, variant: str, columns: tuple[str, ...]) -> tuple[Ours | None, ...]:
    return tuple(reports.ours(variant, partial(without, part=column.replace(" ", "-"))) for column in columns)


def without(report: Report, part: str) -> float | None:
    """Accuracy with the part hidden; None where it was not tested."""
    figures = (report.occlusion or {}).get(part)
    return float(figures["accuracy"]) if figures else None


def _conclusions(reports: Reports, variants: tuple[str, ...]) -> Iterator[str]:
    yield "Joints are hidden after a recording is centred; the paper does not say when."
    for variant in dict.fromkeys((BASELINE, *variants)):
        whole = reports.ours(variant)
        if whole is not None:
            spread = "" if whole.sd is None else f" ± {whole.sd:.1f}"
            yield f"{variant}: {whole.mean:.1f}{spread} % on whole skeletons."
