"""Searches to curves with bands over people: DET and CMC."""

from dataclasses import dataclass

import numpy as np

from gallery.metrics import Numbers, Reals
from training.evaluate.openset_figures import Drawn, missed_at

CANDIDATES = 50
"""How many candidates a person is given to look through, in NIST's investigation table."""


@dataclass(frozen=True, eq=False)
class Curve:
    """x, and y with its band, (points,) each."""

    x: Reals
    y: Reals
    low: Reals
    high: Reals


def det_curve(drawn: Drawn) -> Curve:
    """FNIR over FPIR, where the data support it (rule of 3)."""
    least = drawn.smallest
    rates = np.geomspace(least, 1, 120)
    return _curve(rates, np.stack([drawn.at(drawn.false_negative, drawn.columns(rate)) for rate in rates], axis=1))


def cmc_curve(drawn: Drawn, rank: Numbers) -> Curve:
    """Share found within each rank, up to `CANDIDATES`."""
    last = min(CANDIDATES, drawn.subset)
    mated = drawn.mated
    found = np.stack([1 - missed_at(drawn, rank, mated, k) for k in range(1, last + 1)], axis=1)
    return _curve(np.arange(1, last + 1, dtype=np.float64), found)


def _curve(x: Reals, drawn: Reals) -> Curve:
    low, high = np.quantile(drawn[1:], [0.025, 0.975], axis=0) if len(drawn) > 1 else (drawn[0], drawn[0])
    return Curve(x, drawn[0], low, high)
