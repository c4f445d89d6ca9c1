"""A calibration: which threshold holds which false-positive identification rate, at which size of gallery.

It is measured by `gallery/calibrate.py`, kept as JSON (a bundle's `calibration.json`, or a gallery's own in the
store), and asked by `gallery/library.py`.
"""

import math
from functools import cached_property
from itertools import pairwise
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from gallery.calibration_table import (
    Condition,
    Histogram,
    Point,
    Row,
    Threshold,
    Thresholds,
)
from gallery.intervals import people_needed
from gallery.likelihood import Evidence, likelihood
from gallery.metrics import decibels, smallest_rate
from gallery.tail import Tail
from model.errors import InvalidRequest

__all__ = ["FORMAT", "Calibration", "Row", "Threshold"]

FORMAT = 2
READABLE = (1, 2)
ROWS_LIMIT = 10_000


class Calibration(BaseModel):
    """Thresholds measured on labelled embeddings. Format 1, which is read too, has no more than the table.

    made_on: the data it was measured on, in words. subjects, searches: how many people, and how many searches by
    strangers, it rests on; worth: as how many independent ones these count among the most subjects, since those of
    one person hang together; `supported` is the smallest FPIR that these can show there (rule of 3).
    templates_per_subject and best: how galleries were made up and how subjects were scored while measuring; a
    gallery that is searched in another way is not covered. min_margin: a match that is less above the runner-up is
    none (`margin_too_small`); 0 asks for no margin.
    tail: of strangers' scores among the most subjects. evidence: likelihood ratios by score. curve, histogram,
    conditions: what was measured among the most subjects, to be looked at.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    format: int = FORMAT
    id: str = Field(min_length=1, max_length=128)
    made_on: str
    created: str = ""
    subjects: int = Field(ge=2)
    searches: int = Field(default=0, ge=0)
    worth: float | None = Field(default=None, ge=0)
    supported: float = Field(default=0.0, ge=0, le=1)
    templates_per_subject: float = Field(default=1, ge=1)
    best: int = Field(default=1, ge=1)
    target_fpir: float = Field(default=0.05, gt=0, lt=1)
    min_margin: float = Field(default=0.0, ge=0, le=2)
    table: tuple[Row, ...] = Field(min_length=1, max_length=ROWS_LIMIT)
    tail: Tail | None = None
    evidence: Evidence = Field(default=(), max_length=ROWS_LIMIT)
    curve: tuple[Point, ...] = Field(default=(), max_length=ROWS_LIMIT)
    histogram: Histogram | None = None
    conditions: tuple[Condition, ...] = Field(default=(), max_length=ROWS_LIMIT)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.format not in READABLE:
            raise ValueError(f"format {self.format} is none of {', '.join(map(str, READABLE))}")
        rates: dict[int, set[float]] = {}
        for row in self.table:
            rates.setdefault(row.subjects, set()).add(row.fpir)
        if sum(map(len, rates.values())) != len(self.table):
            raise ValueError("a size and rate are in the table twice")
        for smaller, larger in pairwise(sorted(rates)):
            if not rates[larger] <= rates[smaller]:
                raise ValueError("every rate of a size must be in the table at every smaller size")
        for before, after in pairwise(self.evidence):
            if before[0] >= after[0] or before[1] > after[1]:
                raise ValueError("evidence must be at rising scores and never fall")
        return self

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Raises `InvalidRequest` where the content is no calibration."""
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise InvalidRequest(f"calibration.{where}".rstrip("."), str(first["msg"])) from error

    def to_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json", exclude_unset=True)

    @property
    def sizes(self) -> list[int]:
        return sorted({row.subjects for row in self.table})

    @property
    def rates(self) -> list[float]:
        """Of the smallest galleries, which support the most."""
        return sorted({row.fpir for row in self.table})

    def row(self, subjects: int, fpir: float) -> Row | None:
        return next((row for row in self.table if (row.subjects, row.fpir) == (subjects, fpir)), None)

    def threshold(self, subjects: int, fpir: float | None = None, *, templates: int | None = None) -> Threshold:
        """The threshold for a gallery of `subjects` (with `templates` in all) at `fpir` (default `target_fpir`).

        Between measured sizes it is interpolated over log N. Beyond the largest it is as if every further subject
        were one more independent chance of a false match, FPIR(N) = 1 - (1 - FMR)^N, which overstates the rate and
        so is on the safe side. Templates beyond `templates_per_subject` count as further subjects.
        Raises `InvalidRequest` for a rate that galleries of this size do not support.
        """
        rate = self.target_fpir if fpir is None else fpir
        size = max(subjects, math.ceil((templates or 0) / self.templates_per_subject - 1e-9), 1)
        self._check_rate(rate, self._thresholds.measured(size))
        return self._thresholds.at(size, rate)

    def at(self, threshold: float) -> Point | None:
        """Both errors among the most subjects at the nearest threshold that was looked at; None without a curve."""
        return min(self.curve, key=lambda point: abs(point.threshold - threshold), default=None)

    def likelihood(self, score: float) -> float | None:
        """log10 of the likelihood ratio of a score; None where none was measured."""
        return likelihood(self.evidence, score)

    @cached_property
    def _thresholds(self) -> Thresholds:
        return Thresholds(self.table, self.tail)

    def _check_rate(self, rate: float, lowest: Row) -> None:
        if not 0 < rate < 1:
            raise InvalidRequest("fpir", f"must be between 0 and 1, got {rate:g}")
        if lowest.errors is None:
            if rate < lowest.fpir * (1 - 1e-9):
                raise InvalidRequest(
                    "fpir",
                    f"calibration {self.id} was measured down to {lowest.fpir:g}, not {rate:g}; "
                    f"it rests on {self.searches} searches by strangers, and a smaller rate needs more of them",
                )
            return
        worth = lowest.errors / lowest.fpir
        if rate < smallest_rate(worth) * (1 - 1e-9):
            raise InvalidRequest("fpir", _unsupported(self.subjects, worth, rate))


def _unsupported(people: int, worth: float, rate: float) -> str:
    lowest = smallest_rate(worth)
    return (
        f"the searches of {people} people support no rate below {lowest:.3g} ({decibels(lowest):.1f} dB), not "
        f"{rate:.3g}: they are worth {worth:.0f} independent ones, {math.ceil(3 / rate)} are needed (rule of 3), which "
        f"takes about {people_needed(rate, people, worth)} further people"
    )
