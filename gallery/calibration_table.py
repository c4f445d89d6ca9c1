"""The rows of a calibration's table, and how thresholds between and beyond them are found."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from gallery.intervals import few_errors
from gallery.tail import Tail

Share: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Between: TypeAlias = tuple[Share, Share]
"""The ends of an interval at 95 %, subjects drawn again."""

NEARLY = 1 / 0.9
"""A gallery this much larger than the largest measured is taken for measured: NIST asks for 90 % of the size."""


class Row(BaseModel):
    """Measured: among `subjects`, `threshold` lets `fpir` of the strangers through and misses `fnir` of the mates.

    errors: false positives behind the rate, as independent ones; `few` of them (rule of 30) make it uncertain.
    tail: the threshold comes from the fit of the tail, because of few errors.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    subjects: int = Field(ge=1)
    fpir: float = Field(gt=0, lt=1)
    threshold: float = Field(ge=-1, le=1.001)
    fnir: Share | None = None
    fpir_between: Between | None = None
    fnir_between: Between | None = None
    errors: float | None = Field(default=None, ge=0)
    tail: bool = False

    @property
    def few(self) -> bool:
        return self.errors is not None and few_errors(self.fpir, self.errors / self.fpir)


class Point(BaseModel):
    """Both errors at one threshold among the most subjects measured: a point of the DET, with its band."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    threshold: float
    fpir: Share
    fpir_between: Between
    fnir: Share | None = None
    fnir_between: Between | None = None


class Condition(BaseModel):
    """The probes whose label has this value, among the most subjects measured.

    rows: threshold and misses at each rate that these probes alone can show. fpir, fnir: of these probes at the
    threshold that holds the target over all probes.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    label: str
    value: str
    subjects: int = Field(ge=0)
    searches: int = Field(ge=0)
    fpir: Share
    fpir_between: Between
    fnir: Share | None = None
    fnir_between: Between | None = None
    rows: tuple[Row, ...] = ()


class Histogram(BaseModel):
    """Shares of the scores of mates and of strangers in bins of equal width from `start`, among the most subjects."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    start: float
    width: float = Field(gt=0)
    mated: tuple[Share, ...]
    nonmated: tuple[Share, ...]


@dataclass(frozen=True, slots=True)
class Threshold:
    """`value` is held to let at most `fpir` of the strangers through; `extrapolated` beyond the sizes measured."""

    value: float
    fpir: float
    extrapolated: bool = False


class Thresholds:
    """A table to be asked: thresholds by size and rate, between and beyond what was measured.

    tail: of the largest size.

    >>> found = Thresholds([Row(subjects=n, fpir=0.1, threshold=0.5 + n / 1000) for n in (1, 10, 100)])
    >>> found.measured(10).subjects, found.measured(11).subjects, found.measured(1000).subjects
    (10, 100, 100)
    """

    def __init__(self, table: Sequence[Row], tail: Tail | None = None) -> None:
        rows: dict[int, list[Row]] = {}
        for row in sorted(table, key=lambda row: (row.subjects, row.fpir)):
            rows.setdefault(row.subjects, []).append(row)
        self._rows, self._tail = rows, tail
        self._sizes = list(rows)
        self._logs = {size: np.log([row.fpir for row in here]) for size, here in rows.items()}
        self._values = {
            size: np.maximum.accumulate([row.threshold for row in here][::-1])[::-1] for size, here in rows.items()
        }

    def measured(self, size: int) -> Row:
        """The row of the smallest rate at the measured size that speaks for a gallery of `size`: the next larger one,
        or the largest. What is behind it says which rates are supported there."""
        return self._rows[self._sizes[min(bisect_left(self._sizes, size), len(self._sizes) - 1)]][0]

    def at(self, size: int, rate: float) -> Threshold:
        """The threshold for `rate`, which is supported there, among `size` subjects.

        Between sizes it is linear over log N; beyond the largest every further subject is one more independent chance
        of a false match, FPIR(N) = 1 - (1 - FMR)^N, which overstates the rate.
        """
        largest = self._sizes[-1]
        if size > largest:
            at_largest = -math.expm1(math.log1p(-rate) * largest / size)
            return Threshold(self._at(largest, at_largest), rate, extrapolated=size > largest * NEARLY)
        sizes = self._sizes[: bisect_left(self._sizes, size) + 1]
        # A larger gallery never has a lower threshold; where measured ones say so it is noise.
        rising = np.maximum.accumulate([self._at(n, rate) for n in sizes])
        return Threshold(float(np.interp(math.log(size), np.log(sizes), rising)), rate)

    def _at(self, size: int, rate: float) -> float:
        """Threshold at a measured size: linear over log FPIR; below the rates of the table as the tail goes on, if
        there is one at this size, else as the steepest measured slope does."""
        logs, values = self._logs[size], self._values[size]
        at = math.log(rate)
        if at >= logs[0]:
            return float(np.interp(at, logs, values))
        lowest = float(values[0])
        if self._tail is not None and self._tail.carries_on and size == self._sizes[-1]:
            return max(lowest, self._tail.carried_on(lowest, self._rows[size][0].fpir, rate))
        slopes = np.diff(values) / np.diff(logs)
        slope = float(slopes.min()) if len(slopes) else -1.0
        # Above 1 there is no cosine: such a threshold means that no match can be had at this rate.
        return lowest + slope * (at - float(logs[0]))
