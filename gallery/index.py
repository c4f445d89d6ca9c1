"""The index: a cache of the store's embeddings that finds the nearest templates. FAISS lives in this file only.

`FlatIndex` compares with every template, so it is exact. Its rows are immutable to whoever searches: a writer fills
rows that no search looks at and then publishes a new view, so that searches take no lock and never wait.

FAISS's own containers are passed by on purpose (measured with 1.15.1): `IndexIDMap2` over an IVF index answers with
the neighbour's id after `remove_ids`, and `IndexFlatIP` must not be searched while it grows. Its kernel is used,
up to the sizes where a matrix product is quicker.
"""

import threading
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import faiss
import numpy as np
from numpy.typing import NDArray

from model.sequence import Floats

Ids: TypeAlias = NDArray[np.int64]

NO_ID = -1
GROWTH = 1.25
FIRST_ROWS = 1024
# From this many probes on, one matrix product beats FAISS's scan per probe (16 probes, 100,000 rows: six times), and
# for a single one where the table is larger than caches (32 MB), since a product reads memory faster (1.08 to 1.2).
PRODUCT_PROBES = 4
SCAN_CELLS = 8_000_000
# Scores that are in memory at once.
PRODUCT_SCORES = 8_000_000


class VectorIndex(Protocol):
    """Finds, for each probe, the templates with the highest inner product."""

    @property
    def count(self) -> int: ...

    def add(self, vectors: Floats, ids: Ids) -> None:
        """Add rows (n, dim) under ids (n,) that are not there yet."""

    def remove(self, ids: Ids) -> None:
        """Remove these ids; those that are not there are passed by."""

    def search(self, vectors: Floats, k: int) -> tuple[Floats, Ids]:
        """The k best of each probe (q, dim): scores and ids (q, min(k, count)), best first, equal scores by id."""


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """Rows [0, count) are published; those behind are the writer's."""

    vectors: Floats
    ids: Ids
    count: int


class FlatIndex:
    """Exact inner product. Any number of threads may search while one writes."""

    def __init__(self, dim: int) -> None:
        self.dim = dim
        self._writing = threading.Lock()
        self._rows = _Rows(np.empty((0, dim), np.float32), np.empty(0, np.int64), 0)

    @property
    def count(self) -> int:
        return self._rows.count

    def add(self, vectors: Floats, ids: Ids) -> None:
        assert vectors.shape == (len(ids), self.dim)
        with self._writing:
            rows = self._rows
            if rows.count + len(ids) > len(rows.ids):
                rows = _grown(rows, rows.count + len(ids))
            end = rows.count + len(ids)
            rows.vectors[rows.count : end] = vectors
            rows.ids[rows.count : end] = ids
            self._rows = _Rows(rows.vectors, rows.ids, end)

    def remove(self, ids: Ids) -> None:
        with self._writing:
            rows = self._rows
            keep = ~np.isin(rows.ids[: rows.count], ids)
            if not keep.all():
                kept = int(keep.sum())
                # A copy, not a shift in place: a search may be reading the old rows.
                self._rows = _Rows(rows.vectors[: rows.count][keep], rows.ids[: rows.count][keep], kept)

    def search(self, vectors: Floats, k: int) -> tuple[Floats, Ids]:
        rows = self._rows
        count = min(k, rows.count)
        probes = np.ascontiguousarray(vectors, np.float32)
        assert probes.shape[1:] == (self.dim,)
        if count == 0 or len(probes) == 0:
            return np.empty((len(probes), 0), np.float32), np.empty((len(probes), 0), np.int64)
        table = rows.vectors[: rows.count]
        if len(probes) < PRODUCT_PROBES and table.size <= SCAN_CELLS:
            scores, places = faiss.knn(probes, table, count, metric=faiss.METRIC_INNER_PRODUCT)
        else:
            scores, places = _product(probes, table, count)
        ids = rows.ids[places]
        order = np.lexsort((ids, -scores), axis=-1)
        return np.take_along_axis(scores, order, axis=1), np.take_along_axis(ids, order, axis=1)


def _grown(rows: _Rows, need: int) -> _Rows:
    capacity = max(need, int(rows.count * GROWTH), FIRST_ROWS if rows.count else need)
    vectors = np.empty((capacity, rows.vectors.shape[1]), np.float32)
    ids = np.full(capacity, NO_ID, np.int64)
    vectors[: rows.count] = rows.vectors[: rows.count]
    ids[: rows.count] = rows.ids[: rows.count]
    return _Rows(vectors, ids, rows.count)


def _product(probes: Floats, table: Floats, k: int) -> tuple[Floats, Ids]:
    """The same as FAISS's scan, by matrix products of at most `PRODUCT_SCORES` scores at a time."""
    step = max(1, PRODUCT_SCORES // len(table))
    if len(probes) < PRODUCT_PROBES:
        step = 1
    scores = np.empty((len(probes), k), np.float32)
    places = np.empty((len(probes), k), np.int64)
    for start in range(0, len(probes), step):
        # NumPy has a kernel of its own for one vector, which reads the table once and in order.
        block = probes[start : start + step] @ table.T if step > 1 else (table @ probes[start])[None]
        best = np.argpartition(block, len(table) - k, axis=1)[:, len(table) - k :]
        places[start : start + step] = best
        scores[start : start + step] = np.take_along_axis(block, best, axis=1)
    return scores, places
