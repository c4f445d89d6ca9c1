"""The exact index: it compares every probe with every template."""

import threading

import numpy as np

from gallery.index.parts import Parts
from gallery.index.protocol import Ids, Kind
from gallery.index.recall import Recall
from gallery.index.table import Table
from gallery.index.view import Base, View
from model.sequence import Floats


class FlatIndex:
    """Exact inner product. Any number of threads may search while one writes."""

    kind: Kind = "flat"
    # All answers are exact.
    recall: Recall | None = None

    def __init__(self, dim: int) -> None:
        self.dim = dim
        self._writing = threading.Lock()
        self._table = Table.of(np.empty((0, dim), np.float32), np.empty(0, np.int64))

    @classmethod
    def of(cls, vectors: Floats, ids: Ids) -> "FlatIndex":
        """An index on these very arrays, (n, dim) and (n,), which nobody may change from now on."""
        index = cls(vectors.shape[1])
        index._table = Table.of(np.ascontiguousarray(vectors, np.float32), np.ascontiguousarray(ids, np.int64))
        return index

    @property
    def count(self) -> int:
        return self._table.count

    @property
    def memory_bytes(self) -> int:
        return self._table.bytes

    def frozen(self) -> View:
        nothing = Base(Parts((), self.dim), np.empty(0, np.int64))
        return View(nothing, np.empty(0, np.bool_), self._table)

    def settle(self) -> None:
        """There is nothing to wait for."""

    def add(self, vectors: Floats, ids: Ids) -> None:
        assert vectors.shape == (len(ids), self.dim)
        with self._writing:
            self._table = self._table.appended(vectors, ids)

    def remove(self, ids: Ids) -> None:
        with self._writing:
            self._table = self._table.without(ids)

    def search(self, vectors: Floats, k: int) -> tuple[Floats, Ids]:
        return self._table.search(self._probes(vectors), k)

    def search_within(self, vectors: Floats, ids: Ids, k: int) -> tuple[Floats, Ids]:
        return self._table.search_within(self._probes(vectors), ids, k)

    def vectors_of(self, ids: Ids) -> Floats:
        return self._table.vectors_of(ids)

    def _probes(self, vectors: Floats) -> Floats:
        probes = np.ascontiguousarray(vectors, np.float32)
        assert probes.shape[1:] == (self.dim,)
        return probes
