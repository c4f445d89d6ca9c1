"""Both errors by group at one common threshold, and how far groups are apart."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb, isfinite
from typing import TypeAlias

import numpy as np

from gallery.intervals import few_errors, people_needed
from gallery.metrics import Interval, Reals
from gallery.open_set_metrics import ratio_of, shares
from training.data.arrays import Strings
from training.evaluate.openset_data import values_of
from training.evaluate.openset_figures import LEAST_PEOPLE, Cell, Drawn
from training.protocols.cells import Mask

# By group: the rate in every draw, and its interval.
Rates: TypeAlias = dict[str, tuple[Reals, Interval]]


@dataclass(frozen=True, eq=False)
class Group:
    """One value of a column: how many people and walks searched as strangers, how many as mates, and both errors."""

    value: str
    people: int
    stranger_walks: int
    mated_searches: int
    fpir: Cell
    fnir: Cell


@dataclass(frozen=True, slots=True)
class Ratio:
    """Between the group with the highest rate and the one with the lowest. ratio: with an interval over people; None
    where the lowest is 0, and then at_least is the ratio of the highest's lower end to what the rule of 3 leaves the
    lowest. The pair was chosen for being the furthest apart of `pairs`, so the interval is widened for
    that (Bonferroni): where it touches 1, no difference is shown."""

    highest: str
    lowest: str
    ratio: Interval | None
    pairs: int
    at_least: float | None = None

    @property
    def shown(self) -> bool:
        """Whether the data show a difference at all."""
        return (self.ratio.low if self.ratio else self.at_least or 0.0) > 1


@dataclass(frozen=True, eq=False)
class Grouping:
    """All values of a column at `threshold`, which lets `rate` of all strangers through."""

    column: str
    threshold: float
    rate: float
    groups: tuple[Group, ...]
    fpir_ratio: Ratio | None
    fnir_ratio: Ratio | None


def groupings(drawn: Drawn, columns: Mapping[str, Strings], threshold: float, rate: float) -> tuple[Grouping, ...]:
    """columns: name to the value of each search, (searches,); "" is unknown, and left out."""
    return tuple(_grouping(drawn, name, values, threshold, rate) for name, values in columns.items())


def _grouping(drawn: Drawn, column: str, values: Strings, threshold: float, rate: float) -> Grouping:
    groups: list[Group] = []
    false_positive: Rates = {}
    false_negative: Rates = {}
    passed = drawn.best >= threshold
    for value in values_of(values):
        mask = values == value
        strangers, mated = mask & ~drawn.mated, mask & drawn.mated
        wrong, missed = (
            _share(drawn, strangers & passed, strangers),
            _share(drawn, mated & ~(passed & drawn.hit), mated),
        )
        walks = len(np.unique(drawn.walk[strangers]))
        fpir, fnir = _fpir(drawn, wrong, strangers, walks, rate), drawn.cell(missed, mated)
        if fpir.rate:
            false_positive[value] = wrong, fpir.rate
        if fnir.rate:
            false_negative[value] = missed, fnir.rate
        people = len(np.unique(drawn.owner[mask]))
        groups.append(Group(value, people, walks, int(mated.sum()), fpir, fnir))
    ratios = _ratio(false_positive), _ratio(false_negative)
    return Grouping(column, threshold, rate, tuple(groups), *ratios)


def at_threshold(drawn: Drawn, threshold: float, claimed: float | None) -> tuple[Cell, Cell]:
    """FPIR and FNIR at a threshold; the FPIR is refused where so few searches cannot show the rate `claimed`."""
    passed = drawn.best >= threshold
    wrong = _wrong(drawn, ~drawn.mated, threshold)
    missed = _share(drawn, drawn.mated & ~(passed & drawn.hit), drawn.mated)
    fpir = _fpir(drawn, wrong, ~drawn.mated, drawn.stranger_walks, claimed or 1.0)
    return fpir, drawn.cell(missed, drawn.mated)


def _wrong(drawn: Drawn, strangers: Mask, threshold: float) -> Reals:
    return drawn.false_positives(strangers, np.array([threshold]))[:, 0]


def _share(drawn: Drawn, counted: Mask, of: Mask) -> Reals:
    counts = np.bincount(drawn.owner[counted], minlength=drawn.people).astype(np.float64)
    return shares(drawn.draws, counts[:, None], drawn.searches(of))[:, 0]


def _fpir(drawn: Drawn, wrong: Reals, strangers: Mask, walks: int, rate: float) -> Cell:
    """Refused where so few strangers searched that even a group without an error could be at `rate`."""
    people = len(np.unique(drawn.owner[strangers]))
    worth = walks * drawn.independent / max(drawn.stranger_walks, 1)
    more = max(people_needed(rate, people, worth), LEAST_PEOPLE - people)
    if more > 0:
        return Cell(None, f"{people} people, {walks} walks", more)
    return drawn.cell(wrong, strangers, few=few_errors(rate, worth))


def _ratio(rates: Rates) -> Ratio | None:
    """The largest ratio between two groups that may be compared."""
    if len(rates) < 2:
        return None
    pairs = comb(len(rates), 2)
    rising = sorted(rates, key=lambda value: rates[value][1].value)
    lowest, highest = rising[0], rising[-1]
    (low, low_interval), (high, high_interval) = rates[lowest], rates[highest]
    if not low_interval.value:
        return Ratio(highest, lowest, None, pairs, high_interval.low / low_interval.high)
    return Ratio(highest, lowest, ratio_of(high, low, level=1 - 0.05 / pairs), pairs)


def shown_differences(found: Sequence[Grouping]) -> list[str]:
    """In words, every difference between groups that the data show."""
    lines = []
    for grouping in found:
        for error, ratio in (("FPIR", grouping.fpir_ratio), ("FNIR", grouping.fnir_ratio)):
            if ratio is None or not ratio.shown:
                continue
            who = f"{grouping.column}: {error} of {ratio.highest} is"
            if ratio.ratio:
                held = ratio.ratio
                most = f"{held.low:.2g} to {held.high:.2g}" if isfinite(held.high) else f"at least {held.low:.2g}"
                lines.append(f"{who} {held.value:.2g} times that of {ratio.lowest} ({most})")
            else:
                lines.append(f"{who} at least {ratio.at_least:.2g} times that of {ratio.lowest}, which had none")
    return lines
