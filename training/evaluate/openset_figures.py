"""Searches to figures: rates with intervals over people, or why there is none."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import ceil

import numpy as np

from gallery.intervals import few_errors, people_needed
from gallery.metrics import Interval, Numbers, Reals
from gallery.open_set_metrics import (
    between_two,
    columns_at,
    draws_of,
    grid_of,
    interval_of,
    reaching,
    shares,
    worth_of,
)
from training.data.arrays import Strings
from training.evaluate.openset_data import Walks, values_of
from training.evaluate.openset_search import Searches
from training.protocols.cells import Integers, Mask

RATES = (0.003, 0.01, 0.1)
RANKS = (1, 10, 50)
LEAST_PEOPLE = 10
"""Drawing fewer people again says next to nothing about others."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A rate with its interval, or why it is refused. few: the rule of 30 is not met, so it is a rough one.

    people_short: further people that are needed before it is given.
    """

    rate: Interval | None
    refused: str = ""
    people_short: int = 0
    few: bool = False


@dataclass(frozen=True, eq=False)
class Drawn:
    """Searches counted by person, and the people drawn again.

    owner, taken: (m,) who searched and whom the best score is of. walk: (m,) of which walk. subset: how many were
    enrolled in the galleries these searches are of.
    """

    owner: Numbers
    taken: Numbers
    walk: Numbers
    mated: Mask
    best: Reals
    hit: Mask
    draws: Reals
    subset: int

    @property
    def people(self) -> int:
        return int(self.draws.shape[1])

    @cached_property
    def grid(self) -> Reals:
        return grid_of(self.best[~self.mated], self.best[self.mated], RATES)

    @cached_property
    def stranger_walks(self) -> int:
        return len(np.unique(self.walk[~self.mated]))

    @cached_property
    def independent(self) -> float:
        """As how many independent searches by strangers these count: no more than walks, and fewer where errors hang
        together, because some people are taken for others, or others for them, again and again."""
        column = int(self.columns(RATES[-1])[0])
        return worth_of(self.false_positive[:, column], self.stranger_walks)

    @cached_property
    def false_positive(self) -> Reals:
        """FPIR (draws, thresholds)."""
        return self.false_positives(~self.mated, self.grid)

    def false_positives(self, strangers: Mask, grid: Reals) -> Reals:
        """FPIR of some of the strangers' searches at each threshold of a rising grid, (draws, thresholds)."""
        best = self.best[strangers]
        by_searcher = reaching(best, self.owner[strangers], self.people, grid)
        by_taken = reaching(best, self.taken[strangers], self.people, grid)
        return between_two(self.draws, by_searcher, by_taken, self.searches(strangers))

    @cached_property
    def false_negative(self) -> Reals:
        """FNIR (draws, thresholds)."""
        return 1 - self.reached(self.mated & self.hit, self.mated)

    @property
    def smallest(self) -> float:
        """The smallest FPIR that these searches can show (rule of 3)."""
        return min(1.0, 3 / max(self.independent, 1e-9))

    def reached(self, counted: Mask, of: Mask) -> Reals:
        """Share of the searches `of` that are `counted` and reach the threshold, (draws, thresholds)."""
        counts = reaching(self.best[counted], self.owner[counted], self.people, self.grid)
        return shares(self.draws, counts, self.searches(of))

    def searches(self, of: Mask) -> Reals:
        return np.bincount(self.owner[of], minlength=self.people).astype(np.float64)

    def columns(self, rate: float) -> Numbers:
        return columns_at(self.false_positive, rate)

    def threshold(self, rate: float) -> float:
        return float(self.grid[self.columns(rate)[0]])

    def at(self, values: Reals, columns: Numbers) -> Reals:
        return np.asarray(values[np.arange(len(values)), columns])

    def refusal(self, rate: float) -> tuple[str, int]:
        """Why an FPIR of `rate` cannot be claimed, and how many more people it takes; ("", 0) where it can."""
        people = len(np.unique(self.owner[~self.mated]))
        more = people_needed(rate, people, self.independent)
        walks = f"{self.stranger_walks} walks by strangers, worth {self.independent:.0f} independent searches"
        return (f"{walks}, {ceil(3 / rate - 1e-9)} needed", more) if more else ("", 0)

    def fnir_cells(self, among: Mask | None = None) -> dict[float, Cell]:
        """FNIR at each of `RATES`, of all mated searches or those `among` them; the threshold is that of all."""
        mated = self.mated if among is None else self.mated & among
        missed = self.false_negative if among is None else 1 - self.reached(mated & self.hit, mated)
        cells: dict[float, Cell] = {}
        for rate in RATES:
            reason, more = self.refusal(rate)
            few = few_errors(rate, self.independent)
            drawn = self.at(missed, self.columns(rate))
            cells[rate] = Cell(None, reason, more) if reason else self.cell(drawn, mated, few=few)
        return cells

    def cell(self, drawn: Reals, of: Mask, *, few: bool = False) -> Cell:
        people = len(np.unique(self.owner[of]))
        if people < LEAST_PEOPLE:
            return Cell(None, f"{people} people", LEAST_PEOPLE - people)
        return Cell(interval_of(drawn, len(np.unique(self.walk[of]))), few=few)


def drawn_from(data: Walks, owner: Integers, found: Searches, draws: int, size: int | None = None) -> Drawn:
    """The searches of the whole galleries, or of those of `size` people."""
    best, rank, taken = (found.best, found.rank, found.taken) if size is None else found.at[size]
    kept = ~np.isnan(best)
    rows = found.row[kept]
    weights = draws_of(int(owner.max()) + 1, draws)
    return Drawn(
        owner=owner[rows],
        taken=taken[kept],
        walk=data.walk[rows],
        mated=found.mated[kept],
        best=best[kept],
        hit=rank[kept] == 1,
        draws=weights,
        subset=size or found.subjects,
    )


@dataclass(frozen=True, eq=False)
class Row:
    """One line of NIST's two tables: whose probes, and the cells by rate or by rank."""

    column: str
    value: str
    people: int
    searches: int
    cells: Mapping[float, Cell]


def identification(drawn: Drawn, probes: Mapping[str, Strings]) -> tuple[Row, ...]:
    """T > 0. FNIR at each of `RATES`, of all probes and of each value of the columns; the threshold is that of all."""
    return _rows(drawn, probes, drawn.fnir_cells)


def investigation(drawn: Drawn, rank: Numbers, probes: Mapping[str, Strings]) -> tuple[Row, ...]:
    """T = 0. Share whose mate is not within each of `RANKS` of the candidates, which a person is to look through."""

    def cells(mask: Mask | None) -> dict[float, Cell]:
        mated = drawn.mated if mask is None else drawn.mated & mask
        found: dict[float, Cell] = {}
        for k in RANKS:
            if k >= drawn.subset:
                found[k] = Cell(None, f"only {drawn.subset} enrolled", k + 1 - drawn.subset)
                continue
            found[k] = drawn.cell(missed_at(drawn, rank, mated, k), mated)
        return found

    return _rows(drawn, probes, cells)


def missed_at(drawn: Drawn, rank: Numbers, mated: Mask, k: int) -> Reals:
    late = np.bincount(drawn.owner[mated & (rank > k)], minlength=drawn.people).astype(np.float64)
    return shares(drawn.draws, late[:, None], drawn.searches(mated))[:, 0]


def _rows(
    drawn: Drawn, probes: Mapping[str, Strings], cells: Callable[[Mask | None], dict[float, Cell]]
) -> tuple[Row, ...]:
    whole = Row("", "all", _people(drawn, drawn.mated), int(drawn.mated.sum()), cells(None))
    rows = [whole]
    for column, values in probes.items():
        for value in values_of(values):
            mask = drawn.mated & (values == value)
            if mask.any():
                rows.append(Row(column, value, _people(drawn, mask), int(mask.sum()), cells(mask)))
    return tuple(rows)


def _people(drawn: Drawn, mask: Mask) -> int:
    return len(np.unique(drawn.owner[mask]))


def by_size(data: Walks, owner: Integers, found: Searches, draws: int) -> dict[int, dict[float, Cell]]:
    """FNIR at each of `RATES` for each size of gallery; each size has its own threshold."""
    sizes: Sequence[int | None] = (*found.at, None)
    return {size or found.subjects: drawn_from(data, owner, found, draws, size).fnir_cells() for size in sizes}


def best_supported(drawn: Drawn) -> float | None:
    """The rate that groups are compared at: the smallest with 30 expected errors, else the largest supported."""
    able = [rate for rate in RATES if not drawn.refusal(rate)[1]]
    firm = [rate for rate in able if not few_errors(rate, drawn.independent)]
    return min(firm) if firm else max(able, default=None)
