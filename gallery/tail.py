"""The tail of strangers' scores: a generalised Pareto distribution over a high quantile, and whether it fits.

Few searches reach the scores on which a small error rate depends; extreme-value theory says what form their
distribution takes there (Pickands, Balkema and de Haan), and ISO/IEC 5152:2024 estimates error rates from it.
"""

import math
from typing import Self

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from gallery.intervals import FEW_ERRORS
from gallery.metrics import Reals

LEAST_BEYOND = 15
"""Fewer scores beyond the quantile than these say nothing about a shape."""
SIGNIFICANT = 0.05
SIMULATED = 400
MOST_SIMULATED = 2000


class Tail(BaseModel):
    """P(score >= t) = share * (1 + shape * (t - start) / scale) ** (-1 / shape) for t >= start.

    share: of the searches that reach `start`. beyond: how many independent ones that is. fit: p-value of the fit.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    start: float = Field(ge=-1, le=1)
    share: float = Field(gt=0, le=1)
    shape: float = Field(ge=-20, le=1)
    scale: float = Field(gt=0)
    beyond: float = Field(ge=0)
    fit: float = Field(ge=0, le=1)

    @property
    def fits(self) -> bool:
        return self.fit >= SIGNIFICANT

    @classmethod
    def of(cls, scores: Reals, mass: Reals, searches: float, independent: float, seed: int = 0) -> Self | None:
        """From scores (n,), highest first, that count `mass` (n,) each, of `searches` in all; None of too few.

        independent: how many independent searches these are worth.
        """
        share = min(max(0.1, (FEW_ERRORS + 1) / max(independent, 1.0)), 0.25)
        reached = np.cumsum(mass) / searches
        count = int(np.searchsorted(reached, share))
        if count < 2 or count >= len(scores) or share * independent < LEAST_BEYOND:
            return None
        start = float(scores[count])
        over, weight = scores[:count] - start, mass[:count]
        shape, scale = (float(part[0]) for part in _moments(over[None], weight[None]))
        if not (scale > 0 and -20 < shape < 1):
            return None
        beyond = float(reached[count - 1]) * independent
        fit = _fit(over, weight, shape, scale, beyond, seed)
        return cls(start=start, share=float(reached[count - 1]), shape=shape, scale=scale, beyond=beyond, fit=fit)

    def threshold(self, rate: float) -> float:
        """The score that a share `rate` (at most `share`) reaches.

        >>> tail = Tail(start=0.5, share=0.1, shape=0.0, scale=0.1, beyond=100, fit=1.0)
        >>> round(tail.threshold(0.01), 4)  # no shape: exponential
        0.7303
        """
        return self.start + self.scale * _excess(self.share / rate, self.shape)

    @property
    def carries_on(self) -> bool:
        """Whether it may be trusted beyond what was measured: it fits, and by the rule of 30 rests on enough."""
        return self.fits and self.beyond >= FEW_ERRORS

    def carried_on(self, value: float, at: float, rate: float) -> float:
        """The score that a share `rate` reaches, smaller than any measured, where a share `at` reaches `value`.

        The further out, the more it hangs on the shape: of a shape below 0 (scores that end somewhere) only so much
        is taken as the scores beyond `start` can show, one standard error less; none leaves it exponential.
        """
        scale = self.scale + self.shape * (value - self.start)
        sure = self.shape + (1 - self.shape) / math.sqrt(max(self.beyond, 1))
        shape = max(self.shape, min(0.0, sure))
        ratio = at / rate
        return value + scale * _excess(ratio, shape)


def _moments(over: Reals, weight: Reals) -> tuple[Reals, Reals]:
    """Shape and scale of each row by L-moments (Hosking and Wallis 1987); rows are ordered, highest first."""
    total = weight.sum(axis=1)
    above = np.cumsum(weight, axis=1) - weight / 2
    first = (weight * over).sum(axis=1) / total
    # E[X (1 - F(X))], in which the share above stands for 1 - F.
    low = (weight * over * above).sum(axis=1) / total**2
    second = first - 2 * low
    with np.errstate(divide="ignore", invalid="ignore"):
        shape = 2 - first / second
    return shape, (1 - shape) * first


def _excess(ratio: float, shape: float) -> float:
    """(ratio ** shape - 1) / shape, and log(ratio) where there is no shape: how far out, in units of the scale, a rate
    is that is `ratio` times smaller.

    >>> round(_excess(10, 0.5), 6), round(_excess(10, 1e-12), 6)
    (4.324555, 2.302585)
    """
    return math.expm1(shape * math.log(ratio)) / shape if abs(shape) > 1e-12 else math.log(ratio)


def _distance(over: Reals, weight: Reals, shape: Reals, scale: Reals) -> Reals:
    """Cramér and von Mises: mean square between the shares above each score and those the fit gives."""
    total = weight.sum(axis=1, keepdims=True)
    above = (np.cumsum(weight, axis=1) - weight / 2) / total
    inner = 1 + shape[:, None] * over / scale[:, None]
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        expected = np.where(
            np.abs(shape[:, None]) < 1e-6,
            np.exp(-over / scale[:, None]),
            np.maximum(inner, 0.0) ** (-1 / np.where(shape == 0, 1.0, shape)[:, None]),
        )
    return np.asarray((weight / total * (above - expected) ** 2).sum(axis=1))


def _fit(over: Reals, weight: Reals, shape: float, scale: float, beyond: float, seed: int) -> float:
    """How often data that are of this distribution, as many as these are worth, would lie as far from their own fit."""
    count = int(min(max(beyond, 2), MOST_SIMULATED))
    uniform = np.random.default_rng(seed).random((SIMULATED, count))
    drawn = -np.log(uniform) if abs(shape) < 1e-6 else (uniform**-shape - 1) / shape
    drawn = -np.sort(-scale * drawn, axis=1)
    ones = np.ones_like(drawn)
    far = _distance(drawn, ones, *_moments(drawn, ones))
    here = _distance(over[None], weight[None], np.array([shape]), np.array([scale]))[0]
    # The statistic is this and a twelfth of a step: a sample has a step at each of its scores, this many.
    steps = beyond / (12 * len(over) ** 2)
    return float((far * count + 1 / (12 * count) >= here * beyond + steps).mean())
