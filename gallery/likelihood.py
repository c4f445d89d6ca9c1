"""From a score to evidence: how much more often mates have such a score than strangers do, as log10 of the ratio.

The likelihood ratio is of one subject: it does not depend on how many others are enrolled. It is the slope of the
convex hull of the ROC (pool adjacent violators), held back at both ends by one made-up comparison that went wrong.
"""

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from gallery.metrics import Reals

Evidence: TypeAlias = tuple[tuple[float, float], ...]
"""Scores, rising, and log10 of the likelihood ratio at each, which never falls."""

BINS = 100


def evidence_of(mated: ArrayLike, nonmated: ArrayLike, people: int, *, mass: ArrayLike | None = None) -> Evidence:
    """Measured on scores of mates (n,) and of strangers (m,), which count `mass` (m,), all of `people`.

    Comparisons of one person hang together: those with mates are worth one a person, the others one a pair of people.
    One of each kind is added at either end, so that few people show no overwhelming evidence.
    """
    own, other = np.asarray(mated, np.float64), np.asarray(nonmated, np.float64)
    counts = np.ones(len(other)) if mass is None else np.asarray(mass, np.float64)
    if len(own) < 2 or len(other) < 2:
        return ()
    edges = np.unique(np.quantile(own, np.linspace(0, 1, BINS // 2 + 1)))
    edges = np.unique([other.min(), *_quantiles(other, counts), *edges, other.max()])
    if len(edges) < 3:
        return ()
    centre, hits = _binned(own, np.ones(len(own)), edges)
    centre_other, misses = _binned(other, counts, edges)
    total = hits + misses
    place = np.divide(centre + centre_other, total, out=np.zeros(len(total)), where=total > 0)[total > 0]
    pairs = people * (people - 1) / 2
    for_mates = np.concatenate([[1.0], people * hits[total > 0] / hits.sum(), [1.0]]) / (people + 2)
    for_others = np.concatenate([[1.0], pairs * misses[total > 0] / misses.sum(), [1.0]]) / (pairs + 2)
    weight = for_mates + for_others
    from scipy.optimize import isotonic_regression  # a fifth of a second to import; few processes calibrate

    share = isotonic_regression(for_mates / weight, weights=weight).x[1:-1]
    return _points(place, np.log10(share / (1 - share)), weight[1:-1])


def _quantiles(scores: Reals, mass: Reals) -> Reals:
    order = np.argsort(scores)
    below = np.cumsum(mass[order]) / mass.sum()
    # Evenly, and more finely among the highest, where decisions are made.
    wanted = np.concatenate([np.linspace(0, 0.9, BINS // 4, endpoint=False), 1 - np.geomspace(0.1, 1e-4, BINS // 4)])
    return np.asarray(scores[order][np.searchsorted(below, wanted).clip(0, len(scores) - 1)])


def _binned(scores: Reals, mass: Reals, edges: Reals) -> tuple[Reals, Reals]:
    """Sum of mass times score, and of mass, in each bin; scores beyond the edges are in the outer bins."""
    place = (np.searchsorted(edges, scores, side="right") - 1).clip(0, len(edges) - 2)
    bins = len(edges) - 1
    sums = np.stack([np.bincount(place, mass * scores, bins), np.bincount(place, mass, bins)]).astype(np.float64)
    return sums[0], sums[1]


def _points(place: Reals, level: Reals, weight: Reals) -> Evidence:
    """One point a step, in its middle."""
    level = level.round(4)
    starts = np.flatnonzero(np.diff(level, prepend=-np.inf))
    middle = np.add.reduceat(place * weight, starts) / np.add.reduceat(weight, starts)
    return tuple(zip(middle.round(6).tolist(), level[starts].tolist(), strict=True))


def likelihood(evidence: Sequence[tuple[float, float]], score: float) -> float | None:
    """log10 of the likelihood ratio at `score`: linear between the points, level beyond them; None without any.

    >>> likelihood(((0.2, -1.0), (0.6, 1.0)), 0.5), likelihood(((0.2, -1.0), (0.6, 1.0)), 0.9), likelihood((), 0.5)
    (0.5, 1.0, None)
    """
    if not evidence:
        return None
    scores, levels = zip(*evidence, strict=True)
    return round(float(np.interp(score, scores, levels)), 6)


def cost(evidence: Sequence[tuple[float, float]], mated: ArrayLike, nonmated: ArrayLike) -> float:
    """Cllr, the cost of log-likelihood ratios in bits (Brümmer and du Preez 2006): 0 of an oracle, 1 of no evidence.

    >>> cost(((0.0, 0.0), (1.0, 0.0)), [0.5], [0.5])
    1.0
    """
    scores, levels = (np.array(part) for part in zip(*evidence, strict=True))
    own = np.interp(np.asarray(mated, np.float64), scores, levels)
    other = np.interp(np.asarray(nonmated, np.float64), scores, levels)
    return float(np.mean(np.log2(1 + 10**-own)) + np.mean(np.log2(1 + 10**other))) / 2
