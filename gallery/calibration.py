"""A calibration: which threshold holds which false-positive identification rate, at which size of gallery.

It is measured by `gallery/calibrate.py`, kept as JSON (a bundle's `calibration.json`, or a gallery's own in the
store), and asked by `gallery/library.py`.
"""

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from model.errors import InvalidRequest

FORMAT = 1


class Row(BaseModel):
    """Measured: among `subjects`, `threshold` lets `fpir` of the strangers through and misses `fnir` of the mates."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    subjects: int = Field(ge=1)
    fpir: float = Field(gt=0, lt=1)
    threshold: float = Field(ge=-1, le=1.001)
    fnir: float | None = Field(default=None, ge=0, le=1)


@dataclass(frozen=True, slots=True)
class Threshold:
    """`value` is held to let at most `fpir` of the strangers through; `extrapolated` beyond the sizes measured."""

    value: float
    fpir: float
    extrapolated: bool = False


class Calibration(BaseModel):
    """Thresholds measured on labelled embeddings.

    made_on: the data it was measured on, in words. subjects, searches: how many people, and how many searches by
    strangers, it rests on; `supported` is the smallest FPIR that these can show (rule of 3). templates_per_subject
    and best: how galleries were made up and how subjects were scored while measuring; a gallery that is searched
    in another way is not covered.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    format: int = FORMAT
    id: str = Field(min_length=1, max_length=128)
    made_on: str
    created: str = ""
    subjects: int = Field(ge=2)
    searches: int = Field(default=0, ge=0)
    supported: float = Field(default=0.0, ge=0, le=1)
    templates_per_subject: int = Field(default=1, ge=1)
    best: int = Field(default=1, ge=1)
    target_fpir: float = Field(default=0.05, gt=0, lt=1)
    table: tuple[Row, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.format != FORMAT:
            raise ValueError(f"format {self.format} is not {FORMAT}")
        if len({(row.subjects, row.fpir) for row in self.table}) != len(self.table):
            raise ValueError("a size and rate are in the table twice")
        sizes = {row.subjects for row in self.table}
        rates = {row.fpir for row in self.table}
        if len(self.table) != len(sizes) * len(rates):
            raise ValueError("every rate must be in the table at every size")
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
        return self.model_dump(mode="json")

    def threshold(self, subjects: int, fpir: float | None = None, *, templates: int | None = None) -> Threshold:
        """The threshold for a gallery of `subjects` (with `templates` in all) at `fpir` (default `target_fpir`).

        Between measured sizes it is interpolated over log N. Beyond the largest it is as if every further subject
        were one more independent chance of a false match, FPIR(N) = 1 - (1 - FMR)^N, which overstates the rate and
        so is on the safe side. Templates beyond `templates_per_subject` count as further subjects.
        Raises `InvalidRequest` for a rate that was not measured.
        """
        rate = self.target_fpir if fpir is None else fpir
        self._check_rate(rate)
        size = max(subjects, math.ceil((templates or 0) / self.templates_per_subject), 1)
        sizes = sorted({row.subjects for row in self.table})
        if size > sizes[-1]:
            at_largest = -math.expm1(math.log1p(-rate) * sizes[-1] / size)
            return Threshold(self._at_size(sizes[-1], at_largest), rate, extrapolated=True)
        values = [self._at_size(n, rate) for n in sizes]
        # A larger gallery never has a lower threshold; where measured ones say so it is noise.
        rising = np.maximum.accumulate(values)
        return Threshold(float(np.interp(math.log(size), np.log(sizes), rising)), rate)

    def _check_rate(self, rate: float) -> None:
        rates = [row.fpir for row in self.table]
        if not 0 < rate < 1:
            raise InvalidRequest("fpir", f"must be between 0 and 1, got {rate:g}")
        if rate < min(rates) * (1 - 1e-9):
            raise InvalidRequest(
                "fpir",
                f"calibration {self.id} was measured down to {min(rates):g}, not {rate:g}; "
                f"it rests on {self.searches} searches by strangers, and a smaller rate needs more of them",
            )

    def _at_size(self, size: int, rate: float) -> float:
        """Threshold at a measured size: linear over log FPIR, its steepest measured slope carried on below."""
        rows = sorted((row for row in self.table if row.subjects == size), key=lambda row: row.fpir)
        logs = np.log([row.fpir for row in rows])
        values = np.maximum.accumulate([row.threshold for row in rows][::-1])[::-1]
        at = math.log(rate)
        if at >= logs[0]:
            return float(np.interp(at, logs, values))
        slopes = np.diff(values) / np.diff(logs)
        slope = float(slopes.min()) if len(slopes) else -1.0
        # Above 1 there is no cosine: such a threshold means that no match can be had at this rate.
        return float(values[0] + slope * (at - logs[0]))
