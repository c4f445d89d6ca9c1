"""How far a measured rate can be trusted: Wilson's interval, the bootstrap over subjects, the rules of 3 and of 30."""

import math
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from gallery.metrics import Interval, Names, Numbers, Reals

FEW_ERRORS = 30
DRAWS = 1000


def wilson(errors: int, trials: int, level: float = 0.95) -> Interval:
    """Wilson's score interval of a share of independent trials; (0, 1) where there are none.

    >>> found = wilson(5, 10)
    >>> found.value, round(found.low, 3), round(found.high, 3)
    (0.5, 0.237, 0.763)
    """
    if not trials:
        return Interval(math.nan, 0.0, 1.0, level)
    z = NormalDist().inv_cdf((1 + level) / 2)
    share = errors / trials
    centre = (share + z * z / (2 * trials)) / (1 + z * z / trials)
    half = z / (1 + z * z / trials) * math.sqrt(share * (1 - share) / trials + (z / (2 * trials)) ** 2)
    low, high = max(0.0, centre - half), min(1.0, centre + half)
    return Interval(share, min(low, share), max(high, share), level)


def few_errors(rate: float, searches: float) -> bool:
    """Rule of 30: with fewer than 30 errors behind it, a rate is not known to within 30 % (at 90 %).

    >>> few_errors(0.01, 2000), few_errors(0.01, 3000)
    (True, False)
    """
    return rate * searches < FEW_ERRORS - 1e-9


def people_needed(rate: float, people: int, searches: float) -> int:
    """How many further people make a rate one that 3 / searches supports, each adding as many searches as these.

    searches: what those of `people` are worth, as independent ones.

    >>> people_needed(0.01, 50, 100.0)
    100
    """
    return max(0, math.ceil(people * (3 / rate) / max(searches, 1e-9) - 1e-9) - people)


def drawn_again(subjects: int, draws: int = DRAWS, seed: int = 0) -> Reals:
    """How often each of `subjects` is in each of `draws` samples of as many, drawn with replacement.

    >>> drawn_again(5, draws=3).sum(axis=1).tolist()
    [5.0, 5.0, 5.0]
    """
    rng = np.random.default_rng(seed)
    weights = np.empty((draws, subjects))
    for row in weights:
        row[:] = np.bincount(rng.integers(0, subjects, subjects), minlength=subjects)
    return weights


def per_subject(values: ArrayLike, owner: Numbers, subjects: int) -> Reals:
    """Sum of values (probes,) over the probes of each subject (subjects,).

    >>> per_subject([1.0, 2.0, 4.0], np.array([0, 1, 1]), 3).tolist()
    [1.0, 6.0, 0.0]
    """
    return np.bincount(owner, weights=np.asarray(values, dtype=np.float64), minlength=subjects).astype(np.float64)


def share_interval(
    events: Reals, trials: Reals, weights: Reals, *, others: Reals | None = None, level: float = 0.95
) -> Interval:
    """The share `events / trials` over subjects, and its interval when subjects are drawn again.

    events, trials: (subjects,) sums over the probes of each. weights: (draws, subjects) of `drawn_again`.
    others: (subjects,) the same events counted for the subject whom the probe was taken for. An error between two
    people depends on both, so that both weigh it: to first order (the projection of a U-statistic) its sum over a
    draw is the sum over the first, plus that over the second, less all.

    >>> found = share_interval(np.array([0.0, 2.0]), np.array([2.0, 2.0]), np.array([[2.0, 0.0], [1.0, 1.0]]))
    >>> found.value, round(found.low, 3), round(found.high, 3)
    (0.5, 0.013, 0.487)
    """
    total, counted = float(events.sum()), weights @ trials
    drawn = weights @ events if others is None else weights @ (events + others) - total
    shares = np.divide(drawn, counted, out=np.full(len(weights), np.nan), where=counted > 0).clip(0, 1)
    low, high = np.nanquantile(shares, [(1 - level) / 2, (1 + level) / 2])
    return Interval(min(max(total / float(trials.sum()), 0.0), 1.0), float(low), float(high), level)


def worth(
    events: Reals, trials: Reals, weights: Reals, *, others: Reals | None = None, most: float = math.inf
) -> float:
    """As many independent searches, `most` at most, would leave a share as uncertain as these do, whose subjects' hang
    together. Arguments as of `share_interval`.

    >>> alike = np.array([0.0, 10.0] * 50)  # each of 100 people always the same, ten times: worth 100
    >>> 80 < worth(alike, np.full(100, 10.0), drawn_again(100)) < 120
    True
    """
    share = float(events.sum() / trials.sum())
    counted = weights @ trials
    drawn = weights @ events if others is None else weights @ (events + others) - events.sum()
    variance = float(np.var(np.divide(drawn, counted, out=np.full(len(weights), share), where=counted > 0)))
    return min(most, share * (1 - share) / variance) if variance > 0 else min(most, float(trials.sum()))


def group_shares(
    errors: ArrayLike, subjects: Names, values: Names, *, draws: int = DRAWS, seed: int = 0, level: float = 0.95
) -> dict[str, Interval]:
    """The share of errors (probes,) at each value (probes,) of a label, with intervals over subjects (probes,).

    >>> found = group_shares([1, 0, 0, 0], np.array(["a", "b", "c", "d"]), np.array(["x", "x", "y", "y"]))
    >>> {value: one.value for value, one in found.items()}
    {'x': 0.5, 'y': 0.0}
    """
    wrong = np.asarray(errors, dtype=np.float64)
    found = {}
    for value in np.unique(values):
        here = values == value
        names, owner = np.unique(subjects[here], return_inverse=True)
        weights = drawn_again(len(names), draws, seed)
        events = per_subject(wrong[here], owner, len(names))
        found[str(value)] = share_interval(
            events, per_subject(np.ones(here.sum()), owner, len(names)), weights, level=level
        )
    return found
