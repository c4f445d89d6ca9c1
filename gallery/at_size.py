"""What a calibration says of galleries of one size: rows of its table, the DET, the conditions of the probes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gallery.calibration_table import Between, Condition, Histogram, Point, Row
from gallery.intervals import few_errors
from gallery.metrics import Interval, Names, Reals
from gallery.sub_galleries import Searches
from gallery.tail import Tail
from gallery.trials import Labelled, Trials
from model.errors import InvalidRequest

VALUES_LIMIT = 100
POINTS = 40
BINS = 50


@dataclass(frozen=True, slots=True, eq=False)
class AtSize:
    """Searches of galleries of one size, and as how many independent ones they count."""

    searches: Searches
    weights: Reals
    worth: float
    tail: Tail | None

    @property
    def size(self) -> int:
        return self.searches.size

    def rows(self, rates: Sequence[float]) -> list[Row]:
        return [self._row(rate) for rate in rates]

    def _row(self, rate: float) -> Row:
        few = few_errors(rate, self.worth)
        by_tail = few and self.tail is not None and self.tail.fits and rate < self.tail.share
        threshold = self.searches.threshold(rate)
        if by_tail and self.tail is not None:
            threshold = max(self.tail.threshold(rate), -1.0)
        threshold = min(threshold, 1.0)
        fpir, fnir = self.at(threshold)
        return Row(
            subjects=self.size, fpir=rate, threshold=threshold, fnir=None if fnir is None else fnir.value,
            fpir_between=between(fpir, self.worth), fnir_between=None if fnir is None else between(fnir),
            errors=rate * self.worth, tail=by_tail,
        )  # fmt: skip

    def at(self, threshold: float) -> tuple[Interval, Interval | None]:
        return self.searches.fpir(threshold, self.weights), self.searches.fnir(threshold, self.weights)

    def curve(self) -> list[Point]:
        """From the smallest rate that is supported to nearly all."""
        wanted = np.geomspace(min(0.5, 3 / self.worth), 0.95, POINTS)
        points = []
        for threshold in sorted({self.searches.threshold(float(rate)) for rate in wanted}):
            fpir, fnir = self.at(threshold)
            points.append(
                Point(
                    threshold=threshold, fpir=fpir.value, fpir_between=between(fpir, self.worth),
                    fnir=None if fnir is None else fnir.value, fnir_between=None if fnir is None else between(fnir),
                )
            )  # fmt: skip
        return points


def between(found: Interval, worth: float | None = None) -> Between:
    """The ends of an interval; where no error was seen, the upper one is that of the rule of 3."""
    high = max(found.high, min(1.0, 3 / worth)) if worth and not found.value else found.high
    return round(found.low, 6), round(high, 6)


def histogram(searches: Searches) -> Histogram:
    start = float(min(searches.score.min(), searches.own.min(initial=1.0)))
    edges = np.linspace(start, 1.0 + 1e-6, BINS + 1)
    nonmated = np.histogram(searches.score, edges, weights=searches.mass)[0] / searches.strangers
    mated = np.histogram(searches.own, edges)[0] / max(len(searches.own), 1)
    return Histogram(
        start=start, width=float(edges[1] - edges[0]),
        mated=tuple(mated.round(6).tolist()), nonmated=tuple(nonmated.clip(0, 1).round(6).tolist()),
    )  # fmt: skip


def conditions(
    label: str, values: Names, largest: AtSize, trials: Trials, data: Labelled, threshold: float, rates: Sequence[float]
) -> list[Condition]:
    known = sorted({str(value) for value in values} - {""})
    if len(known) > VALUES_LIMIT:
        raise InvalidRequest(
            f"labels.{label}", f"has {len(known)} values; at most {VALUES_LIMIT} can have a curve each"
        )
    found = []
    for value in known:
        here = values == value
        if not here[trials.probe].any():
            continue
        only = largest.searches.only(here, trials)
        worth = only.worth(largest.weights, float(here.sum()))
        part = AtSize(only, largest.weights, worth, Tail.of(only.score, only.mass, only.strangers, worth))
        fpir, fnir = part.at(threshold)
        found.append(
            Condition(
                label=label, value=value, subjects=len(np.unique(data.subject[here])), searches=int(here.sum()),
                fpir=fpir.value, fpir_between=between(fpir, worth),
                fnir=None if fnir is None else fnir.value, fnir_between=None if fnir is None else between(fnir),
                rows=tuple(part.rows([rate for rate in rates if rate >= 3 / worth])),
            )
        )  # fmt: skip
    return found
