"""Rows that are searched, in a few arrays that never change: more come as further arrays, so that nothing moves."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import faiss
import numpy as np
from numpy.typing import NDArray

from gallery.index.protocol import Ids
from gallery.index.rows import Stored, ordered
from model.sequence import Floats

# Scores that are in memory at once, and rows of one array that a scan takes at a time.
SCAN_SCORES = 4_000_000
SCAN_ROWS = 131_072


@dataclass(frozen=True, eq=False)
class Parts:
    """arrays: each (n, dim), float32, or float16 in an index that is compact. A row's slot is its place in them all."""

    arrays: tuple[Stored, ...]
    dim: int

    @cached_property
    def starts(self) -> tuple[int, ...]:
        return (0, *np.cumsum([len(array) for array in self.arrays]).tolist())

    @property
    def count(self) -> int:
        return self.starts[-1]

    @property
    def bytes(self) -> int:
        return sum(array.nbytes for array in self.arrays)

    def extended(self, rows: Stored) -> "Parts":
        """With these rows behind. Arrays that are not far longer than what comes are joined: there are never many."""
        if not len(rows):
            return self
        kept = list(self.arrays)
        while kept and len(kept[-1]) <= 2 * len(rows):
            rows = np.concatenate([kept.pop(), rows])
        return Parts((*kept, rows), self.dim)

    def gathered(self, slots: NDArray[np.int64]) -> Stored:
        """Rows (n, dim) as they are kept; all slots (n,) must be there."""
        if len(self.arrays) == 1:
            return self.arrays[0][slots]
        found = np.empty((len(slots), self.dim), self.arrays[0].dtype if self.arrays else np.float32)
        for start, array in zip(self.starts, self.arrays, strict=False):
            here = (slots >= start) & (slots < start + len(array))
            found[here] = array[slots[here] - start]
        return found

    def scores(self, probes: Floats, slots: NDArray[np.int64]) -> Floats:
        """Inner products (q, n) of probes (q, dim) with rows at slots (q, n) each; -inf where a slot is -1.

        Each depends on the two vectors only: equal rows have equal scores.
        """
        scores = np.full(slots.shape, -np.inf, np.float32)
        for start, array in zip(self.starts, self.arrays, strict=False):
            if array.dtype == np.float16:
                _add_scores(scores, probes, array, slots, start)
                continue
            here = slots if len(self.arrays) == 1 else _within(slots, start, len(array))
            found = np.empty(slots.shape, np.float32)
            faiss.fvec_inner_products_by_idx(  # type: ignore[attr-defined]
                faiss.swig_ptr(found), faiss.swig_ptr(probes), faiss.swig_ptr(array),
                faiss.swig_ptr(np.ascontiguousarray(here)), self.dim, *slots.shape,
            )  # fmt: skip
            np.copyto(scores, found, where=here >= 0)
        return scores

    def blocks(self, size: int = SCAN_ROWS) -> Iterator[tuple[int, Floats]]:
        """All rows in order, as (first slot, (n, dim) float32)."""
        for first, array in zip(self.starts, self.arrays, strict=False):
            for start in range(0, len(array), size):
                yield first + start, np.asarray(array[start : start + size], np.float32)

    def scan(self, probes: Floats, alive: NDArray[np.bool_], ids: Ids, k: int) -> tuple[Floats, Ids]:
        """The k best of the rows that are alive, exactly; -inf where there are fewer."""
        scores = np.full((len(probes), k), -np.inf, np.float32)
        found = np.full((len(probes), k), np.iinfo(np.int64).max, np.int64)
        for first, rows in self.blocks(max(k, SCAN_ROWS if len(probes) == 1 else SCAN_SCORES // len(probes))):
            last = first + len(rows)
            # NumPy has a kernel of its own for one vector, which reads the rows once and in order; of several, BLAS is
            # twice as fast with the rows first.
            block = (rows @ probes[0])[None] if len(probes) == 1 else np.ascontiguousarray((rows @ probes.T).T)
            if not alive[first:last].all():
                block[:, ~alive[first:last]] = -np.inf
            count = min(k, len(rows))
            best = np.argpartition(block, len(rows) - count, axis=1)[:, len(rows) - count :]
            scores = np.concatenate([scores, np.take_along_axis(block, best, axis=1)], axis=1)
            found = np.concatenate([found, ids[first:last][best]], axis=1)
            scores, found = ordered(scores, found)
            scores, found = scores[:, :k], found[:, :k]
        return scores, found


def _within(slots: NDArray[np.int64], start: int, count: int) -> NDArray[np.int64]:
    moved = slots - start
    return np.where((moved >= 0) & (moved < count), moved, -1)


def _add_scores(scores: Floats, probes: Floats, array: Stored, slots: NDArray[np.int64], start: int) -> None:
    for row, probe, wanted in zip(scores, probes, slots, strict=True):
        here = np.flatnonzero((wanted >= start) & (wanted < start + len(array)))
        row[here] = np.einsum("ij,j->i", array[wanted[here] - start].astype(np.float32), probe)
