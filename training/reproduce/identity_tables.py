"""Tables VI and VII: people told apart by their walk, and windows of walks re-identified, both on CASIA-B."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import TypeAlias

from rich.console import Console

from training.recipe import load_recipe
from training.reproduce import paper
from training.reproduce.ablation import BASELINE, FULL, conclusions, name_of
from training.reproduce.about import check_task
from training.reproduce.choices import Choices
from training.reproduce.experiment import recipe_file
from training.reproduce.gather import Reports, cell, gather
from training.reproduce.made import Made
from training.reproduce.report import Report, published_rank1
from training.reproduce.table import Ours, Row, Table

SEEDS = (1,)
AVERAGE = "Avg"
PAPER_POSES = "casia-b-transg"
"""Kind of data of Table VII: poses in space. Others of CASIA-B are of the image, and not to be compared."""
_WINDOWS = (
    "Here a walk is the mean of the embeddings of all its windows, as it is served; GaitGraph, whose settings the "
    "paper follows, takes the window in the middle."
)
FIGURES: Mapping[str, str] = MappingProxyType(
    {"R1": "rank1", "R5": "rank5", "R10": "rank10", "mAP": "map", "mINP": "minp"}
)
"""Columns, and what a report calls them."""
Figures: TypeAlias = Callable[[Report], Mapping[str, float]]
"""Shares by column."""


def table_6(choices: Choices, console: Console) -> Made:
    """Gait on CASIA-B: NM, BG and CL. With another recipe its protocol's figures, the baseline beside the whole
    method, and none of the paper's."""
    file = choices.recipe or recipe_file("casia-b")
    check_task(load_recipe(file, choices.settings), "gait", "Table VI")
    variants = choices.variants or ((FULL,) if choices.recipe is None else (BASELINE, FULL))
    reports = gather(choices, console, file, variants, choices.seeds or SEEDS)
    if choices.recipe is None:
        table = _of_the_paper("table-6", reports, variants, gait_rank1)
    else:
        table = _of_another_set(reports, variants, name_of(choices, file))
    return Made("table-6", table.title, (table,), (), tuple(reports), f"{paper.TABLES['table-6'].remark} {_WINDOWS}")


def table_7(choices: Choices, console: Console) -> Made:
    """Re-identification: the paper's five settings as TranSG counts them, then all figures, counted strictly too."""
    file = choices.recipe or recipe_file("casia-b-reid")
    check_task(load_recipe(file, choices.settings), "reid", "Table VII")
    variants = choices.variants or (FULL,)
    reports = gather(choices, console, file, variants, choices.seeds or SEEDS)
    comparable = choices.recipe is None and all(report.data.kind in (None, PAPER_POSES) for report in reports)
    tables = [_of_the_paper("table-7", reports, variants, published_rank1, comparable=comparable)]
    if reports.by_seed(FULL):
        tables.append(all_figures(reports))
    return Made("table-7", tables[0].title, tuple(tables), (), tuple(reports), paper.TABLES["table-7"].remark)


def gait_rank1(report: Report) -> dict[str, float]:
    """Rank-1 of each of a protocol's figures, a share; on CASIA-B with their mean as the paper names it."""
    out = {table["name"]: float(table["rank1"]) for table in report.figures["tables"] if table["rank1"] is not None}
    mean = report.figures.get("mean_rank1")
    return out if mean is None else out | {AVERAGE: float(mean)}


def _of_the_paper(
    name: str, reports: Reports, variants: tuple[str, ...], figures: Figures, *, comparable: bool = True
) -> Table:
    """The whole method stands at the paper's own row; other variants below it."""
    told = paper.TABLES[name]
    rows = [
        Row(row.name, row.paper, cells(reports, FULL, told.columns, figures), row.publication)
        if row.name == paper.OURS and FULL in variants
        else row
        for row in told.rows
    ]
    unknown: tuple[None, ...] = (None,) * len(told.columns)
    rows += [Row(v, unknown, cells(reports, v, told.columns, figures)) for v in variants if v != FULL]
    return Table(name, told.title, told.columns, tuple(rows), comparable, tuple(_said(reports, variants)))


def _of_another_set(reports: Reports, variants: tuple[str, ...], recipe: str) -> Table:
    columns = tuple(dict.fromkeys(column for report in reports for column in gait_rank1(report))) or ("rank-1",)
    unknown: tuple[None, ...] = (None,) * len(columns)
    rows = tuple(Row(variant, unknown, cells(reports, variant, columns, gait_rank1)) for variant in variants)
    title = f"As Table VI, on {recipe}: rank-1 in %"
    return Table("table-6", title, columns, rows, False, tuple(_said(reports, variants)))


def all_figures(reports: Reports) -> Table:
    """Rank-1, 5 and 10, mAP and mINP of every setting, as published and strictly; of the whole method."""
    first = next(iter(reports.by_seed(FULL).values()))
    keys = [(row["setting"], row["variant"]) for row in first.figures["settings"]]
    unknown: tuple[None, ...] = (None,) * len(FIGURES)
    rows = tuple(Row(f"{setting} {variant}", unknown, _figures(reports, setting, variant)) for setting, variant in keys)
    title = "All figures of the whole method; strict: nothing of the probe's own view may be found"
    return Table("table-7-figures", title, tuple(FIGURES), rows, comparable=False)


def _figures(reports: Reports, setting: str, variant: str) -> tuple[Ours | None, ...]:
    found = reports.by_seed(FULL)

    def one(report: Report, figure: str) -> float | None:
        rows = report.figures["settings"]
        return next((row[figure] for row in rows if (row["setting"], row["variant"]) == (setting, variant)), None)

    return tuple(cell({seed: one(r, name) for seed, r in found.items()}, found.values()) for name in FIGURES.values())


def cells(reports: Reports, variant: str, columns: tuple[str, ...], figures: Figures) -> tuple[Ours | None, ...]:
    """A cell a column; None for a figure that was not measured."""
    found = reports.by_seed(variant)
    shares = {seed: figures(report) for seed, report in found.items()}
    return tuple(cell({seed: each.get(c) for seed, each in shares.items()}, found.values()) for c in columns)


def _said(reports: Reports, variants: tuple[str, ...]) -> Iterator[str]:
    """Whether the method gains, where the baseline was measured with it."""
    if BASELINE in variants:
        yield from conclusions(reports, variants)
