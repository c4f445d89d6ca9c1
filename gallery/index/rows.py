"""Small work on rows and ids that every kind of index shares."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from gallery.index.protocol import Ids
from model.sequence import Floats

Stored: TypeAlias = NDArray[np.float32] | NDArray[np.float16]

NO_ID = -1


def ordered(scores: Floats, ids: Ids) -> tuple[Floats, Ids]:
    """Each row (q, k) best first, equal scores by id."""
    order, row = np.lexsort((ids, -scores), axis=-1), np.arange(len(scores))[:, None]
    return scores[row, order], ids[row, order]


def best_of(scores: Floats, ids: Ids, k: int) -> tuple[Floats, Ids]:
    """The k best of each row (q, n) of scores, which belong to ids (n,): best first, equal scores by id."""
    k = min(k, len(ids))
    best = np.empty((len(scores), k), np.intp)
    for row, places in zip(scores, best, strict=True):
        near = np.flatnonzero(row >= np.partition(row, -k)[-k]) if k else np.empty(0, np.intp)
        places[:] = near[np.lexsort((ids[near], -row[near]))][:k]
    return np.take_along_axis(scores, best, axis=1), ids[best]


def is_ascending(ids: Ids) -> bool:
    return bool((ids[1:] > ids[:-1]).all())


class Finder:
    """Where ids stand. Ids that were given in ascending order need no table of their own."""

    def __init__(self, ids: Ids, ascending: bool) -> None:
        self._ids = ids
        self._order: NDArray[np.intp] | None = None if ascending else np.argsort(ids, kind="stable")

    @property
    def bytes(self) -> int:
        return 0 if self._order is None else self._order.nbytes

    def places(self, wanted: Ids) -> NDArray[np.intp]:
        """The place of each wanted id, -1 where it is not."""
        if not len(self._ids):
            return np.full(len(wanted), -1, np.intp)
        found = np.searchsorted(self._ids, wanted, sorter=self._order)
        found = np.minimum(found, len(self._ids) - 1)
        places = found if self._order is None else self._order[found]
        return np.where(self._ids[places] == wanted, places, -1)
