"""Is what comes in now still what the calibration was measured on? One statistic, with a window and a least count.

The population stability index of the window's shares p against the reference's q, over bins of about equal weight:
PSI = sum (p - q) ln(p / q) (Siddiqi, Credit Risk Scorecards, 2006). Where nothing has moved, PSI / (1/n + 1/m) is
about chi-squared with bins - 1 degrees of freedom, of n and m independent samples (Yurdakul, 2018): a shift counts
when it is large *and* beyond what chance does once in a thousand windows.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.special import chdtri

from gallery.calibration_table import Histogram
from gallery.metrics import Reals

BINS = 10
WINDOW = 2000
LEAST = 200
# The usual reading of the index: below the first nothing is to be done, above the second it is another population.
SOME, MUCH = 0.1, 0.25
BY_CHANCE = 1e-3
SIZES = (0.25, 16)


class State(StrEnum):
    """few: too few to tell. moved: something has changed. drifted: what was measured then does not hold now."""

    FEW = "few"
    STABLE = "stable"
    MOVED = "moved"
    DRIFTED = "drifted"


@dataclass(frozen=True, slots=True)
class Shift:
    """psi: the index; None where there are too few samples."""

    state: State
    psi: float | None
    samples: int


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """edges: rising, between the bins. shares: of each bin, one more than edges. worth: how many independent samples
    the shares rest on."""

    edges: tuple[float, ...]
    shares: tuple[float, ...]
    worth: float

    @classmethod
    def uniform(cls, worth: float) -> "Reference":
        """Of values that are uniform between 0 and 1 as long as nothing moves."""
        return cls(tuple(i / BINS for i in range(1, BINS)), (1 / BINS,) * BINS, worth)

    @classmethod
    def measured(cls, values: Sequence[float]) -> "Reference":
        """By the deciles of values; equal ones fall into one bin.

        >>> Reference.measured([0, 0, 0, 0, 0, 0, 1, 2, 3, 4]).edges
        (0.0, 1.0, 2.0, 3.0)
        """
        found = np.asarray(values, dtype=np.float64)
        edges = np.unique(np.quantile(found, np.arange(1, BINS) / BINS, method="lower"))
        counts = np.bincount(np.searchsorted(edges, found, side="left"), minlength=len(edges) + 1)
        return cls(tuple(edges.tolist()), tuple((counts / len(found)).tolist()), len(found))


class Window:
    """The latest values, as far as a reference wants to know them."""

    def __init__(self, reference: Reference, size: int = WINDOW, least: int = LEAST) -> None:
        self.reference, self._least = reference, least
        self._edges = np.array(reference.edges)
        self._bins: deque[int] = deque(maxlen=size)

    def add(self, value: float) -> None:
        self._bins.append(int(np.searchsorted(self._edges, value, side="left")))

    def shift(self) -> Shift:
        count = len(self._bins)
        if count < self._least:
            return Shift(State.FEW, None, count)
        shares = np.array(self.reference.shares)
        seen = np.bincount(np.array(self._bins), minlength=len(shares))
        psi = index(seen / count, shares, count, self.reference.worth)
        chance = float(chdtri(max(1, len(shares) - 1), BY_CHANCE)) * (1 / count + 1 / max(1.0, self.reference.worth))
        if psi < SOME or psi <= chance:
            return Shift(State.STABLE, psi, count)
        return Shift(State.DRIFTED if psi >= MUCH else State.MOVED, psi, count)


def index(seen: Reals, expected: Reals, count: float, worth: float) -> float:
    """The population stability index of two rows of shares; an empty bin counts as half a sample.

    >>> index(np.array([0.5, 0.5]), np.array([0.5, 0.5]), 100, 100)
    0.0
    >>> round(index(np.array([0.9, 0.1]), np.array([0.5, 0.5]), 100, 100), 3)
    0.879
    """
    p = np.maximum(seen, 0.5 / max(1.0, count))
    q = np.maximum(expected, 0.5 / max(1.0, worth))
    return float(((p - q) * np.log(p / q)).sum())


class Scores:
    """Where scores lie in what a calibration measured: values that are uniform as long as nothing has moved.

    The histogram is of the best score among `size` others. Among n others it is as if each were one more independent
    chance, F_n = F^(n / size), as `Calibration.threshold` takes it beyond the sizes measured; that says something of
    galleries of `SIZES` times the measured size, and nothing of others.
    """

    def __init__(self, histogram: Histogram, size: int) -> None:
        self._edges = histogram.start + histogram.width * np.arange(len(histogram.nonmated) + 1)
        self._size = max(1, size)
        self._nonmated, self._mated = _cumulated(histogram.nonmated), _cumulated(histogram.mated)

    def impostor(self, score: float, others: int) -> float | None:
        """Of the best score of somebody else, among so many; None among too few or too many to say."""
        times = others / self._size
        return self._at(self._nonmated, score) ** times if SIZES[0] <= times <= SIZES[1] else None

    def mated(self, score: float, threshold: float) -> float | None:
        """Of a score that reached the threshold, among those that do; None where hardly any does."""
        below = self._at(self._mated, threshold)
        return None if below > 0.95 else (self._at(self._mated, score) - below) / (1 - below)

    def _at(self, cumulated: Reals, score: float) -> float:
        return float(np.interp(score, self._edges, cumulated))


def _cumulated(shares: Sequence[float]) -> Reals:
    total = np.concatenate([[0.0], np.cumsum(shares)])
    return total / max(float(total[-1]), 1e-12)
