"""Rank, open-set and interval metrics of identification: pure functions of scores, each with an example by hand.

Scores are cosines, higher is better. Ties count against the encoder, so that one which gives everybody the same
embedding recognises nobody. Terms and definitions: ISO/IEC 19795-1:2021.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

Reals: TypeAlias = NDArray[np.float64]
Numbers: TypeAlias = NDArray[np.int64]
Names: TypeAlias = NDArray[Any]

NO_MATE = 0


def by_subject(scores: ArrayLike, subjects: Sequence[str] | Names, best: int = 1) -> tuple[Reals, Names]:
    """Scores (probes, templates) as scores (probes, subjects): the mean of each subject's `best` highest.

    subjects: (templates,) whose template each column is. Returns the scores and the subjects of their columns, sorted.

    >>> scores, names = by_subject([[0.2, 0.9, 0.4]], ["ann", "bob", "ann"])
    >>> scores.tolist(), names.tolist()
    ([[0.4, 0.9]], ['ann', 'bob'])
    >>> by_subject([[0.25, 0.75, 0.5]], ["ann", "bob", "ann"], best=2)[0].tolist()
    [[0.375, 0.75]]
    """
    table = np.asarray(scores, dtype=np.float64)
    names, owner = np.unique(np.asarray(subjects), return_inverse=True)
    columns = [_mean_of_best(table[:, owner == i], best) for i in range(len(names))]
    return np.stack(columns, axis=1) if columns else np.empty((len(table), 0)), names


def _mean_of_best(scores: Reals, best: int) -> Reals:
    if best == 1:
        return np.asarray(scores.max(axis=1))
    return np.asarray(np.sort(scores, axis=1)[:, -best:].mean(axis=1))


def ranks(scores: ArrayLike, probe_subjects: Sequence[str] | Names, gallery_subjects: Sequence[str] | Names) -> Numbers:
    """Rank (probes,) of each probe's own subject among subjects, 1 is best; `NO_MATE` (0) where it is not there.

    scores: (probes, subjects), one column a subject.

    >>> ranks([[0.9, 0.1], [0.8, 0.7], [0.3, 0.2]], ["ann", "bob", "eve"], ["ann", "bob"]).tolist()
    [1, 2, 0]
    >>> ranks([[0.5, 0.5]], ["ann"], ["ann", "bob"]).tolist()  # a tie is not a recognition
    [2]
    """
    table = np.asarray(scores, dtype=np.float64)
    same = np.asarray(probe_subjects)[:, None] == np.asarray(gallery_subjects)[None, :]
    mate = np.where(same, table, -np.inf).max(axis=1, initial=-np.inf)
    ahead = ((table >= mate[:, None]) & ~same).sum(axis=1)
    return np.where(same.any(axis=1), ahead + 1, NO_MATE).astype(np.int64)


def rank1(found: ArrayLike) -> float:
    """Share of probes whose own subject comes first, of those that have one in the gallery.

    >>> rank1([1, 2, 1, 1])
    0.75
    """
    return float(cmc(found, 1)[0])


def cmc(found: ArrayLike, up_to: int) -> Reals:
    """Cumulative match characteristic: share of probes found at rank 1..`up_to`; probes without a mate are left out.

    >>> cmc([1, 3, 2, 0, 1], 3).tolist()
    [0.5, 0.75, 1.0]
    """
    rank = np.asarray(found, dtype=np.int64)
    rank = rank[rank != NO_MATE]
    if not len(rank):
        return np.full(up_to, np.nan)
    return np.asarray((rank[:, None] <= np.arange(1, up_to + 1)[None, :]).mean(axis=0))


def miss_rate(found: ArrayLike, rank: int = 50) -> float:
    """Share of searches whose own subject is not among the best `rank`: NIST's figure of investigation (T = 0).

    >>> miss_rate([1, 3, 2, 60])
    0.25
    """
    return float(1 - cmc(found, rank)[-1])


def fpir(nonmated: ArrayLike, threshold: float) -> float:
    """False-positive identification rate: share of searches by strangers whose best score reaches the threshold.

    >>> fpir([0.1, 0.4, 0.6, 0.9], 0.6)
    0.5
    """
    return float((np.asarray(nonmated, dtype=np.float64) >= threshold).mean())


def fnir(mated: ArrayLike, first: ArrayLike, threshold: float) -> float:
    """False-negative identification rate: share of searches by enrolled subjects that do not end in their match.

    mated: (probes,) best score of each search. first: (probes,) whether that score is the own subject's.

    >>> fnir([0.9, 0.8, 0.7, 0.2], [True, False, True, True], 0.5)
    0.5
    """
    hit = (np.asarray(mated, dtype=np.float64) >= threshold) & np.asarray(first, dtype=bool)
    return float(1.0 - hit.mean())


def threshold_at_fpir(nonmated: ArrayLike, rate: float) -> float:
    """Lowest threshold at which no more than `rate` of the strangers' searches reach it.

    >>> t = threshold_at_fpir([0.1, 0.2, 0.3, 0.9], 0.25)
    >>> 0.3 < t <= 0.3000001, fpir([0.1, 0.2, 0.3, 0.9], t)
    (True, 0.25)
    """
    scores = np.sort(np.asarray(nonmated, dtype=np.float64))[::-1]
    allowed = int(np.floor(rate * len(scores) + 1e-9))
    if allowed >= len(scores):
        return -1.0
    return float(np.nextafter(scores[allowed], np.inf))


def fnir_at_fpir(mated: ArrayLike, first: ArrayLike, nonmated: ArrayLike, rate: float) -> float:
    """FNIR at the threshold that holds the FPIR at `rate`: the figure of NIST's 1:N identification tables.

    >>> fnir_at_fpir([0.9, 0.8, 0.4], [True, True, True], [0.1, 0.2, 0.3, 0.5], 0.25)
    0.0
    >>> round(fnir_at_fpir([0.9, 0.8, 0.4], [True, True, True], [0.1, 0.2, 0.3, 0.5], 0.0), 3)
    0.333
    """
    return fnir(mated, first, threshold_at_fpir(nonmated, rate))


def det(mated: ArrayLike, first: ArrayLike, nonmated: ArrayLike) -> tuple[Reals, Reals, Reals]:
    """Detection error trade-off: thresholds (rising), FPIR and FNIR at each.

    >>> [column.tolist() for column in det([0.9, 0.4], [True, True], [0.1, 0.5])]
    [[0.1, 0.4, 0.5, 0.9], [1.0, 0.5, 0.5, 0.0], [0.0, 0.0, 0.5, 0.5]]
    """
    score, hit = np.asarray(mated, dtype=np.float64), np.asarray(first, dtype=bool)
    strangers = np.sort(np.asarray(nonmated, dtype=np.float64))
    hits = np.sort(score[hit])
    thresholds = np.unique(np.concatenate([score, strangers]))
    false_positive = 1 - np.searchsorted(strangers, thresholds, side="left") / len(strangers)
    reached = len(hits) - np.searchsorted(hits, thresholds, side="left")
    return thresholds, np.asarray(false_positive), np.asarray(1 - reached / len(score))


def decibels(rate: float) -> float:
    """An error rate as -10 log10, in which factors become sums: 20 dB is 1 %, 30 dB 0.1 %.

    >>> decibels(0.01)
    20.0
    """
    return -10 * math.log10(rate)


def rate_of_decibels(level: float) -> float:
    """The error rate of so many dB.

    >>> round(rate_of_decibels(13), 4)
    0.0501
    """
    return float(10 ** (-level / 10))


def smallest_rate(searches: float) -> float:
    """Rule of 3: the smallest error rate about which `searches` without an error say anything, at 95 %.

    >>> smallest_rate(300)
    0.01
    """
    return min(1.0, 3 / searches) if searches else 1.0


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure and the interval that holds it with probability `level`."""

    value: float
    low: float
    high: float
    level: float = 0.95


def bootstrap(
    figure: Callable[[Numbers], float],
    subjects: Sequence[str] | Names,
    *,
    draws: int = 1000,
    level: float = 0.95,
    seed: int = 0,
) -> Interval:
    """Percentile interval of `figure` by drawing whole subjects again, since probes of one subject hang together.

    figure: takes the indices of the probes in a draw. subjects: (probes,) whose probe each is.

    >>> right = np.array([1.0, 1.0, 0.0, 1.0])
    >>> interval = bootstrap(lambda drawn: float(right[drawn].mean()), ["ann", "ann", "bob", "eve"], draws=200)
    >>> interval.value, interval.low, interval.high
    (0.75, 0.0, 1.0)
    """
    names, owner = np.unique(np.asarray(subjects), return_inverse=True)
    probes = [np.flatnonzero(owner == i).astype(np.int64) for i in range(len(names))]
    rng = np.random.default_rng(seed)
    figures = [
        figure(np.concatenate([probes[i] for i in rng.integers(0, len(names), len(names))])) for _ in range(draws)
    ]
    low, high = np.nanquantile(figures, [(1 - level) / 2, (1 + level) / 2])
    return Interval(figure(np.arange(len(owner), dtype=np.int64)), float(low), float(high), level)
