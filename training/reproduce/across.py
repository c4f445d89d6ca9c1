"""Table VIII's gains over every data set that was measured: a mean over sets says more than few seeds of one."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from statistics import fmean
from typing import TypeAlias

from rich.console import Console

from model.errors import InvalidDataSet
from training.reproduce import paper
from training.reproduce.ablation import BASELINE, untrained
from training.reproduce.choices import Choices
from training.reproduce.experiment import ABLATION
from training.reproduce.gain import Gain, gain, verdict
from training.reproduce.made import Made
from training.reproduce.report import Report, report_of_its_weights
from training.reproduce.table import Ours, Row, Table

Runs: TypeAlias = Mapping[str, Mapping[int, Report]]
"""Reports by variant and seed."""
TITLE = "Table VIII's gains, data set by data set (points over the baseline with the same seed)"


def across(choices: Choices, console: Console) -> Made:
    """Trains and tests nothing. Raises `InvalidDataSet` where fewer than two data sets were measured."""
    sets: dict[str, Runs] = {}
    for place in sorted(path for path in choices.runs.glob("*") if path.is_dir()):
        runs = {variant: dict(_reports(place / variant)) for variant in ABLATION}
        if not runs[BASELINE]:
            continue
        if reason := untrained(runs[BASELINE]):
            console.print(f"{place.name} is left out. {reason}", highlight=False, soft_wrap=True)
            continue
        sets[place.name] = runs
    if len(sets) < 2:
        reason = (
            f"holds {len(sets)} data sets with a baseline that counts, two are needed: `reproduce table-8 --recipe`"
        )
        raise InvalidDataSet(str(choices.runs), reason)
    reports = tuple(report for runs in sets.values() for each in runs.values() for report in each.values())
    return Made("across", TITLE, (table_of(sets),), (), reports, paper.TABLES["table-8"].remark)


def _reports(place: Path) -> Iterator[tuple[int, Report]]:
    """Of a variant's runs, those that are of the weights beside them."""
    for run in sorted(place.glob("seed-*")):
        if report := report_of_its_weights(run):
            yield report.seed, report


def table_of(sets: Mapping[str, Runs]) -> Table:
    """A row a data set, then their mean, in which every set counts once however many seeds it has."""
    variants = tuple(each for each in ABLATION if each != BASELINE)
    gains = {name: {each: _gain(runs, each) for each in variants} for name, runs in sets.items()}
    told = {row.name: row for row in paper.TABLES["table-8"].rows}
    nothing = (None,) * len(variants)
    rows = [Row("paper, NTU RGB+D 60", tuple(told[each].paper[-1] for each in variants))]
    for name, found in gains.items():
        marks = tuple(
            dict.fromkeys(mark for each in sets[name].values() for one in each.values() for mark in one.marks)
        )
        rows.append(Row(name, nothing, tuple(Ours(one.differences, marks) if one else None for one in found.values())))
    overall = {each: over_sets({name: found[each] for name, found in gains.items()}) for each in variants}
    rows.append(
        Row("mean of the data sets", nothing, tuple(Ours(one.differences) if one else None for one in overall.values()))
    )
    conclusion = tuple(sentence(each, one) for each, one in overall.items() if one)
    return Table("across", TITLE, variants, tuple(rows), comparable=False, conclusion=conclusion)


def _gain(runs: Runs, variant: str) -> Gain | None:
    points = {each: {seed: 100 * report.score for seed, report in runs[each].items()} for each in (variant, BASELINE)}
    return gain(points[variant], points[BASELINE])


def over_sets(gains: Mapping[str, Gain | None]) -> Gain | None:
    """The gain as a mean over data sets, each by its mean over seeds; None where no set has one.

    >>> found = over_sets({"a": Gain({1: 1.0, 2: 3.0}, None, None), "b": Gain({1: 4.0}, None, None), "c": None})
    >>> dict(found.differences), found.mean
    ({1: 2.0, 2: 4.0}, 3.0)
    """
    means = [fmean(one.differences.values()) for one in gains.values() if one]
    numbered = dict(enumerate(means, 1))
    return gain(numbered, dict.fromkeys(numbered, 0.0))


def sentence(variant: str, found: Gain) -> str:
    """One line about a variant.

    >>> sentence("full", Gain({1: 1.0, 2: 1.2, 3: 0.8}, 0.5, 1.5))
    'full: +1.0 points over the baseline, mean of 3 data sets (95 %: +0.5 to +1.5), above it on 3: better'
    """
    above = sum(value > 0 for value in found.differences.values())
    head = f"{variant}: {found.mean:+.1f} points over the baseline, mean of {found.seeds} data sets"
    if found.low is None or found.high is None:
        return f"{head}: one data set tells nothing"
    return f"{head} (95 %: {found.low:+.1f} to {found.high:+.1f}), above it on {above}: {verdict(found)}"
