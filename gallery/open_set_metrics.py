"""Figures of searches by mates and by strangers, with whole subjects drawn again: pure functions with examples by hand.

A bootstrap over subjects needs, for each of a thousand draws, rates at every threshold. Counted once by subject and
threshold, a draw is a row of weights and all draws are one matrix product. Terms: ISO/IEC 19795-1:2021.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gallery.metrics import Interval, Numbers, Reals, threshold_at_fpir

Mask = NDArray[np.bool_]

GRID = 3000


def grid_of(nonmated: ArrayLike, mated: ArrayLike, rates: Sequence[float] = (), *, points: int = GRID) -> Reals:
    """Rising thresholds at which rates are counted: every score where there are few, else at most about `points`.

    Those that hold the strangers at `rates` are among them, and the last lets nobody through. Strangers' scores are
    thinned out by rank on a logarithmic scale, since the highest decide everything.

    >>> [round(t, 4) for t in grid_of([0.1, 0.3], [0.5], [0.5]).tolist()]
    [0.1, 0.1, 0.3, 0.5, 0.5]
    """
    strangers, mates = np.sort(np.asarray(nonmated, float))[::-1], np.sort(np.asarray(mated, float))
    kept = np.geomspace(1, max(len(strangers), 1), min(points, len(strangers))).astype(int) - 1
    even = np.linspace(0, max(len(mates) - 1, 0), min(points // 2, len(mates))).astype(int)
    exact = [threshold_at_fpir(strangers, rate) for rate in rates] if len(strangers) else []
    chosen = np.unique(np.concatenate([strangers[kept], mates[even], exact]))
    top = max([*strangers[:1], *mates[-1:], -1.0])
    return np.append(chosen, np.nextafter(max(top, chosen[-1] if len(chosen) else top), np.inf))


def reaching(scores: ArrayLike, owner: Numbers, people: int, grid: Reals) -> Reals:
    """(people, thresholds): how many of each person's scores reach each threshold of a rising grid.

    >>> reaching([0.2, 0.6, 0.9], np.array([0, 0, 1]), 2, np.array([0.1, 0.6, 0.7])).tolist()
    [[2.0, 1.0, 0.0], [1.0, 1.0, 1.0]]
    """
    passed = np.searchsorted(grid, np.asarray(scores, float), side="right")
    size = len(grid) + 1
    counts = np.bincount(np.asarray(owner) * size + passed, minlength=people * size).reshape(people, size)
    return np.asarray(counts[:, ::-1].cumsum(axis=1)[:, ::-1][:, 1:], dtype=np.float64)


def draws_of(people: int, draws: int, seed: int = 0) -> Reals:
    """(draws + 1, people): how often each person is in each draw. The first row is everybody once: the data.

    >>> draws_of(4, 2)[0].tolist(), draws_of(4, 2).sum(axis=1).tolist()
    ([1.0, 1.0, 1.0, 1.0], [4.0, 4.0, 4.0])
    """
    drawn = np.random.default_rng(seed).multinomial(people, np.full(people, 1 / people), size=draws)
    return np.concatenate([np.ones((1, people)), drawn]).astype(np.float64)


def shares(draws: Reals, counts: Reals, searches: Reals) -> Reals:
    """(draws, thresholds): share of the searches of each draw that were counted; NaN where a draw has none.

    counts: (people, thresholds). searches: (people,).

    >>> shares(np.array([[1.0, 1.0], [2.0, 0.0]]), np.array([[1.0], [0.0]]), np.array([2.0, 2.0])).tolist()
    [[0.25], [0.5]]
    """
    all_ = (draws @ searches)[:, None]
    return np.asarray(
        np.divide(draws @ counts, all_, out=np.full((len(draws), counts.shape[1]), np.nan), where=all_ > 0)
    )


def between_two(draws: Reals, counts: Reals, others: Reals, searches: Reals) -> Reals:
    """As `shares`, of errors between two people, such as a stranger taken for somebody: both are drawn again.

    counts: (people, thresholds) by who searched; others: the same errors by whom they were taken for. To first order
    (the projection of a U-statistic) their sum over a draw is that over the first, plus that over the second, less all.
    Falls along each row, as the data do.

    >>> both = np.array([[1.0], [0.0]]), np.array([[0.0], [1.0]])
    >>> between_two(np.array([[1.0, 1.0], [2.0, 0.0], [0.0, 2.0]]), *both, np.array([2.0, 2.0])).tolist()
    [[0.25], [0.25], [0.25]]
    """
    all_ = (draws @ searches)[:, None]
    events = draws @ (counts + others) - counts.sum(axis=0)
    found = np.divide(events, all_, out=np.full(events.shape, np.nan), where=all_ > 0).clip(0, 1)
    return np.asarray(np.maximum.accumulate(found[:, ::-1], axis=1)[:, ::-1])


def columns_at(false_positive: Reals, rate: float) -> Numbers:
    """(draws,): number of the lowest threshold at which no more than `rate` of the strangers pass; NaN passes nothing.

    false_positive: (draws, thresholds), falling along each row to 0.

    >>> columns_at(np.array([[1.0, 0.5, 0.0], [1.0, 1.0, 0.0]]), 0.5).tolist()
    [1, 2]
    """
    return np.asarray((~(false_positive <= rate + 1e-9)).sum(axis=1).clip(max=false_positive.shape[1] - 1), np.int64)


def interval_of(drawn: Reals, trials: int, *, level: float = 0.95) -> Interval:
    """Percentile interval of a rate. drawn: (draws + 1,), the data first. trials: independent searches behind it.

    Where nobody erred, or everybody did, every draw says the same; then the interval is that of the rule of 3.

    >>> seen = interval_of(np.zeros(11), 100)
    >>> seen.value, seen.low, round(seen.high, 3)
    (0.0, 0.0, 0.03)
    """
    value = float(drawn[0])
    known = drawn[1:][~np.isnan(drawn[1:])]
    if math.isnan(value) or not len(known):
        return Interval(math.nan, math.nan, math.nan, level)
    low, high = (float(edge) for edge in np.quantile(known, [(1 - level) / 2, (1 + level) / 2]))
    bound = 1 - (1 - level) ** (1 / max(trials, 1))
    if value == 0:
        high = max(high, bound)
    if value == 1:
        low = min(low, 1 - bound)
    return Interval(value, low, high, level)


def worth_of(drawn: Reals, searches: int) -> float:
    """As many independent searches would leave a share as uncertain as these draws do; never more than there are.

    drawn: (draws + 1,), the data first.

    >>> round(worth_of(np.array([0.5, 0.4, 0.6]), 100), 6)
    25.0
    """
    share, known = float(drawn[0]), drawn[1:][~np.isnan(drawn[1:])]
    variance = float(np.var(known)) if len(known) else 0.0
    return min(float(searches), share * (1 - share) / variance) if variance > 0 else float(searches)


def ratio_of(one: Reals, other: Reals, *, level: float = 0.95) -> Interval:
    """Ratio of two rates over the same draws, (draws + 1,), the data first; infinite where the other is 0.

    >>> ratio_of(np.array([0.4, 0.4]), np.array([0.2, 0.1])).value
    2.0
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        drawn = np.asarray(one, float) / np.asarray(other, float)
    known = drawn[1:][~np.isnan(drawn[1:])]
    low, high = (
        np.quantile(known, [(1 - level) / 2, (1 + level) / 2], method="nearest") if len(known) else (np.nan,) * 2
    )
    return Interval(float(drawn[0]), float(low), float(high), level)
