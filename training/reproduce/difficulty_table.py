"""Table X: what the method gains on the classes that the baseline finds hard, and on those it finds easy."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rich.console import Console

from training.evaluate.levels import Level, difficulty
from training.reproduce import paper
from training.reproduce.ablation import BASELINE, FULL, RECIPE, SEEDS, name_of, untrained
from training.reproduce.choices import Choices
from training.reproduce.experiment import recipe_file
from training.reproduce.gather import Reports, cell, gather
from training.reproduce.made import Made
from training.reproduce.report import Report
from training.reproduce.table import Ours, Row, Table


def table_10(choices: Choices, console: Console) -> Made:
    """Train and test baseline and whole method; classes in levels by each seed's own baseline."""
    file = choices.recipe or recipe_file(RECIPE)
    name = name_of(choices, file, actions=True)
    reports = gather(choices, console, file, (BASELINE, FULL), choices.seeds or SEEDS)
    table = difficulty_table(reports, name, comparable=choices.recipe is None)
    return Made("table-10", table.title, (table,), (), tuple(reports), paper.TABLES["table-10"].remark)


@dataclass(frozen=True, slots=True)
class _Levels:
    """Levels of every seed, and the reports they are of."""

    of: Mapping[int, tuple[Level, ...]]
    reports: tuple[Report, ...]


def difficulty_table(reports: Reports, recipe: str, *, comparable: bool) -> Table:
    """A row a level. The paper's rows stand beside ours where ours has 60 classes, above them where it has not."""
    told = paper.TABLES["table-10"]
    found = _levels(reports)
    names = [level.name for level in next(iter(found.of.values()), ())]
    alike = names == [row.name.removeprefix("class ") for row in told.rows]
    if alike or not names:
        rows = [Row(row.name, row.paper, _cells(found, i)) for i, row in enumerate(told.rows)]
    else:
        unknown: tuple[None, ...] = (None,) * len(told.columns)
        rows = [*told.rows, *(Row(f"here, class {name}", unknown, _cells(found, i)) for i, name in enumerate(names))]
    where = "" if comparable else f"; here: {recipe}"
    said = tuple(_conclusions(reports))
    return Table("table-10", f"{told.title}{where}", told.columns, tuple(rows), comparable and alike, said)


def _levels(reports: Reports) -> _Levels:
    """Of the seeds that have both; classes that a smaller test lacks are left out of that seed's levels."""
    baseline, full = reports.by_seed(BASELINE), reports.by_seed(FULL)
    both = sorted(baseline.keys() & full.keys())
    of = {seed: difficulty(by_class(baseline[seed]), by_class(full[seed])) for seed in both}
    return _Levels(of, tuple(report for seed in both for report in (baseline[seed], full[seed])))


def by_class(report: Report) -> dict[str, float]:
    """Accuracy of each class that was tested."""
    return {label: float(figures["accuracy"]) for label, figures in report.figures["classes"].items()}


def _cells(found: _Levels, place: int) -> tuple[Ours | None, ...]:
    levels = {seed: each[place] for seed, each in found.of.items()}
    columns = (
        {seed: level.baseline for seed, level in levels.items()},
        {seed: level.ours for seed, level in levels.items()},
        {seed: level.gain for seed, level in levels.items()},
    )
    return tuple(cell(column, found.reports) for column in columns)


def _conclusions(reports: Reports) -> Iterator[str]:
    if baseline := reports.by_seed(BASELINE):
        if unfitted := untrained(baseline):
            yield unfitted
        yield (
            "Part of the gain on hard classes would be there without any method: classes are ranked by the baseline's "
            "own test, and who is unlucky there is luckier with the next network."
        )
