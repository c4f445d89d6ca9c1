"""Rows that are all compared with every probe. Immutable to whoever searches: a writer fills rows that no search looks
at and then publishes a new table, so that searches take no lock and never wait.

FAISS's own containers are passed by on purpose (measured with 1.15.1): `IndexIDMap2` over an IVF index answers with
the neighbour's id after `remove_ids`, and `IndexFlatIP` must not be searched while it grows. Its kernel is used,
up to the sizes where a matrix product is quicker.
"""

from dataclasses import dataclass
from functools import cached_property

import faiss
import numpy as np

from gallery.index.protocol import Ids
from gallery.index.rows import NO_ID, Finder, best_of, is_ascending, ordered
from model.sequence import Floats

GROWTH = 1.25
FIRST_ROWS = 1024
# From this many probes on, one matrix product beats FAISS's scan per probe (16 probes, 100,000 rows: six times), and
# for a single one where the table is larger than caches (32 MB), since a product reads memory faster (1.08 to 1.2).
PRODUCT_PROBES = 4
SCAN_CELLS = 8_000_000
# Scores that are in memory at once.
PRODUCT_SCORES = 8_000_000


@dataclass(frozen=True, eq=False)
class Table:
    """Rows [0, count) are published; those behind are the writer's. ascending: the ids of the published ones are."""

    vectors: Floats
    ids: Ids
    count: int
    ascending: bool

    @classmethod
    def of(cls, vectors: Floats, ids: Ids) -> "Table":
        """A table on these very arrays, which nobody may change from now on."""
        assert vectors.shape[:1] == ids.shape
        return cls(vectors, ids, len(ids), is_ascending(ids))

    @cached_property
    def finder(self) -> Finder:
        return Finder(self.ids[: self.count], self.ascending)

    @property
    def bytes(self) -> int:
        return self.vectors.nbytes + self.ids.nbytes

    def appended(self, vectors: Floats, ids: Ids) -> "Table":
        end = self.count + len(ids)
        table = self if end <= len(self.ids) else self._grown(end)
        table.vectors[self.count : end] = vectors
        table.ids[self.count : end] = ids
        new = table.ids[max(0, self.count - 1) : end]
        return Table(table.vectors, table.ids, end, self.ascending and is_ascending(new))

    def without(self, ids: Ids) -> "Table":
        """A copy, not a shift in place: a search may be reading these rows."""
        keep = ~np.isin(self.ids[: self.count], ids)
        if keep.all():
            return self
        return Table(self.vectors[: self.count][keep], self.ids[: self.count][keep], int(keep.sum()), self.ascending)

    def _grown(self, need: int) -> "Table":
        capacity = max(need, int(self.count * GROWTH), FIRST_ROWS if self.count else need)
        vectors = np.empty((capacity, self.vectors.shape[1]), np.float32)
        ids = np.full(capacity, NO_ID, np.int64)
        vectors[: self.count] = self.vectors[: self.count]
        ids[: self.count] = self.ids[: self.count]
        return Table(vectors, ids, self.count, self.ascending)

    def search(self, probes: Floats, k: int) -> tuple[Floats, Ids]:
        count = min(k, self.count)
        if count == 0 or len(probes) == 0:
            return np.empty((len(probes), 0), np.float32), np.empty((len(probes), 0), np.int64)
        rows = self.vectors[: self.count]
        if len(probes) < PRODUCT_PROBES and rows.size <= SCAN_CELLS:
            scores, places = faiss.knn(probes, rows, count, metric=faiss.METRIC_INNER_PRODUCT)
        else:
            scores, places = _product(probes, rows, count)
        return ordered(scores, self.ids[places])

    def search_within(self, probes: Floats, ids: Ids, k: int) -> tuple[Floats, Ids]:
        places = self.finder.places(ids)
        places = places[places >= 0]
        return best_of(probes @ self.vectors[places].T, self.ids[places], k)

    def vectors_of(self, ids: Ids) -> Floats:
        places = self.finder.places(ids)
        if (places >= 0).all():
            return self.vectors[places]
        found = np.full((len(ids), self.vectors.shape[1]), np.nan, np.float32)
        found[places >= 0] = self.vectors[places[places >= 0]]
        return found


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
