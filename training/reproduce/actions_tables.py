"""Tables I to V: actions on five data sets, by one stream and by the ensembles of two, four and six."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import TypeAlias

from rich.console import Console

from training.evaluate.action_result import ActionResult
from training.evaluate.ensemble import WEIGHTS, ensemble
from training.reproduce import paper
from training.reproduce.choices import Choices
from training.reproduce.experiment import recipe_file
from training.reproduce.gather import Reports, cell, gather
from training.reproduce.made import Made
from training.reproduce.report import PROBABILITIES
from training.reproduce.table import Ours, Row, Table

SEEDS = (1,)


@dataclass(frozen=True, slots=True)
class Column:
    """A published recipe and which of its figures."""

    recipe: str
    figure: Callable[[ActionResult], float]


def _accuracy(result: ActionResult) -> float:
    return result.accuracy


def _top5(result: ActionResult) -> float:
    return result.top(5)


def _mean_by_class(result: ActionResult) -> float:
    return result.mean_by_class


COLUMNS: Mapping[str, tuple[Column, ...]] = MappingProxyType(
    {
        "table-1": (Column("ntu60-xsub", _accuracy), Column("ntu60-xview", _accuracy)),
        "table-2": (Column("ntu120-xsub", _accuracy), Column("ntu120-xset", _accuracy)),
        "table-3": (Column("kinetics", _accuracy), Column("kinetics", _top5)),
        "table-4": (Column("pku-mmd-xsub", _accuracy), Column("pku-mmd-xview", _accuracy)),
        "table-5": (Column("finegym", _mean_by_class), Column("finegym", _accuracy)),
    }
)
"""Of each table, in the order of the paper's columns."""


def actions_table(name: str, choices: Choices, console: Console) -> Made:
    """Train and test every stream of every column's recipe; each ensemble whose streams are all there is a row."""
    columns, told = COLUMNS[name], paper.TABLES[name]
    seeds = choices.seeds or SEEDS
    found = {
        recipe: gather(choices, console, recipe_file(recipe), choices.streams, seeds)
        for recipe in dict.fromkeys(column.recipe for column in columns)
    }
    members = {row.name: streams for row in told.rows if (streams := paper.STREAMS_OF.get(row.name))}
    rows = tuple(
        Row(row.name, row.paper, _ours(columns, found, members[row.name]), row.publication)
        if row.name in members
        else row
        for row in told.rows
    )
    table = Table(name, told.title, told.columns, rows)
    reports = tuple(report for each in found.values() for report in each)
    return Made(name, told.title, (table,), (), reports, told.remark)


Cells: TypeAlias = tuple[Ours | None, ...]


def _ours(columns: Sequence[Column], found: Mapping[str, Reports], streams: Sequence[str]) -> Cells:
    return tuple(_cell(found[column.recipe], column, streams) for column in columns)


def _cell(reports: Reports, column: Column, streams: Sequence[str]) -> Ours | None:
    """The ensemble's figure over the seeds that have all its streams."""
    shares: dict[int, float | None] = {}
    used = []
    for seed in reports.seeds:
        members = [reports.of[stream, seed] for stream in streams if (stream, seed) in reports.of]
        if len(members) == len(streams):
            results = [ActionResult.load(member.run / PROBABILITIES) for member in members]
            shares[seed] = column.figure(ensemble(results, [WEIGHTS[stream] for stream in streams]))
            used += [member.report for member in members]
    return cell(shares, used)


table_1, table_2, table_3, table_4, table_5 = (partial(actions_table, name) for name in COLUMNS)
