"""Re-identification: mAP, mINP and CMC over single windows, each with an example by hand.

Every mate counts here, not only the best one of a subject (`gallery.metrics`). Scores are cosines, higher is better;
ties count against the encoder: what is not a mate comes first. A probe without a mate has no figure: NaN, or rank 0.
"""

import numpy as np
from numpy.typing import ArrayLike

from gallery.metrics import NO_MATE, Numbers, Reals
from training.protocols.cells import Mask


def best_first(scores: ArrayLike, mates: ArrayLike) -> Numbers:
    """Columns of scores (probes, gallery), best first and mates last among equals; mates: (probes, gallery).

    >>> best_first([[0.1, 0.9, 0.5]], [[True, False, True]]).tolist()
    [[1, 2, 0]]
    >>> best_first([[0.5, 0.5]], [[True, False]]).tolist()  # a tie is not a recognition
    [[1, 0]]
    """
    return np.lexsort((np.asarray(mates, dtype=bool), -np.asarray(scores)), axis=-1).astype(np.int64)


def found_in(order: Numbers, mates: ArrayLike, allowed: ArrayLike) -> Mask:
    """Whether the first, second, ... window that a probe may find is a mate, (probes, gallery).

    order: as of `best_first`. Those not `allowed` are passed over: the others move up, and False fills the end.

    >>> found_in(np.array([[2, 0, 1]]), [[True, False, True]], [[True, True, False]]).tolist()
    [[True, False, False]]
    """
    may = np.take_along_axis(np.asarray(allowed, dtype=bool), order, axis=-1)
    mate = np.take_along_axis(np.asarray(mates, dtype=bool), order, axis=-1)
    passed_over_last = np.argsort(~may, axis=-1, kind="stable")
    return np.asarray(np.take_along_axis(mate & may, passed_over_last, axis=-1))


def first_rank(found: Mask) -> Numbers:
    """Rank (probes,) of the best mate, 1 is best; 0 where there is none: what `gallery.metrics.cmc` takes.

    >>> first_rank(np.array([[False, True, True], [True, False, False], [False, False, False]])).tolist()
    [2, 1, 0]
    """
    if not found.shape[1]:
        return np.full(len(found), NO_MATE, dtype=np.int64)
    return np.where(found.any(axis=1), found.argmax(axis=1) + 1, NO_MATE).astype(np.int64)


def average_precision(found: Mask) -> Reals:
    """Mean (probes,) over a probe's mates of the share of mates down to there (Zheng et al., ICCV 2015).

    >>> average_precision(np.array([[True, False, True, False]])).round(3).tolist()  # (1/1 + 2/3) / 2
    [0.833]
    >>> average_precision(np.array([[True, True, False]])).tolist()
    [1.0]
    """
    count = found.cumsum(axis=1)
    rank = np.arange(1, found.shape[1] + 1)
    total = np.where(found, count / rank, 0).sum(axis=1)
    return _of_mates(total, found.sum(axis=1))


def inverse_negative_penalty(found: Mask) -> Reals:
    """Number of a probe's mates by the rank of the last of them (Ye et al., TPAMI 2021): how far down one must look.

    >>> inverse_negative_penalty(np.array([[True, False, True, False]])).round(3).tolist()  # 2 / 3
    [0.667]
    >>> inverse_negative_penalty(np.array([[False, False, True], [False, False, False]])).round(3).tolist()
    [0.333, nan]
    """
    rank = np.arange(1, found.shape[1] + 1)
    last = np.where(found, rank, 0).max(axis=1, initial=0)
    mates = found.sum(axis=1)
    return _of_mates(mates.astype(np.float64), np.where(mates > 0, last, 0))


def average_precision_with_itself(found: Mask) -> Reals:
    """The same (probes,) where each probe stays in its own gallery, as its own best match: too good.

    >>> found = np.array([[False, True]])
    >>> average_precision(found).tolist(), average_precision_with_itself(found).round(3).tolist()  # (1/1 + 2/3) / 2
    ([0.5], [0.833])
    """
    itself = np.ones((len(found), 1), dtype=bool)
    return average_precision(np.concatenate([itself, found], axis=1))


def mean_of(figures: Reals) -> float:
    """Mean over the probes that have a figure; NaN where none has: mAP of `average_precision`, mINP likewise.

    >>> mean_of(np.array([0.5, np.nan, 1.0])), mean_of(np.array([np.nan]))
    (0.75, nan)
    """
    there = figures[~np.isnan(figures)]
    return float(there.mean()) if len(there) else float("nan")


def _of_mates(total: Reals, count: Numbers) -> Reals:
    return np.asarray(np.divide(total, count, out=np.full(len(total), np.nan), where=count > 0))
