"""Rows that are searched, in a few arrays that never change: more come as further arrays, so that nothing moves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import faiss
import numpy as np
from numpy.typing import NDArray

from gallery.index.protocol import Ids
from gallery.index.rows import Stored
from gallery.index.sketch import Sketch
from model.sequence import Floats

# Scores that are in memory at once, and rows of one array that a scan takes at a time.
SCAN_SCORES = 4_000_000
SCAN_ROWS = 131_072
# Less is read quickly anyway, out of caches; a sketch of more rows would take long to make.
SKETCHED_BYTES = 4 * 1024 * 1024
SKETCHED_ROWS = SCAN_ROWS
# FAISS's quick kernel for bytes takes so many numbers at a time; any other takes longer than comparing whole rows.
_AT_A_TIME = 16
# BLAS takes several probes together, and is quicker beyond so many of them, and beyond one more for so many rows.
FEW = 3
ROWS_A_PROBE = 8000
# So many times as many rows as are asked for seem near enough to be looked at.
LOOKED_AT = 6


@dataclass(frozen=True, eq=False)
class Parts:
    """arrays: each (n, dim), float32, or float16 in an index that is compact. A row's slot is its place in them all."""

    arrays: tuple[Stored, ...]
    dim: int

    @cached_property
    def starts(self) -> tuple[int, ...]:
        return (0, *np.cumsum([len(array) for array in self.arrays]).tolist())

    @cached_property
    def sketches(self) -> tuple[Sketch | None, ...]:
        """Of each array, made when the first one is needed."""
        return tuple(_sketched(array) for array in self.arrays)

    @property
    def count(self) -> int:
        return self.starts[-1]

    @property
    def bytes(self) -> int:
        sketches = self.sketches if self._is_sketched else ()
        return sum(each.nbytes for each in self.arrays) + sum(each.bytes for each in sketches if each is not None)

    @property
    def _is_sketched(self) -> bool:
        return "sketches" in vars(self)

    def extended(self, rows: Stored) -> "Parts":
        """With these rows behind. Arrays that are not far longer than what comes are joined: there are never many."""
        if not len(rows):
            return self
        kept = list(self.arrays)
        while kept and len(kept[-1]) <= 2 * len(rows):
            rows = np.concatenate([kept.pop(), rows])
        extended = Parts((*kept, rows), self.dim)
        if self._is_sketched:
            vars(extended)["sketches"] = (*self.sketches[: len(kept)], _sketched(rows))
        return extended

    def plain(self) -> "Parts":
        """The same without sketches."""
        return Parts(self.arrays, self.dim)

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

    @cached_property
    def few(self) -> int:
        """So many probes are no slower looked for one by one (`told`) than together (`scan`)."""
        large = [sketch for array, sketch in zip(self.arrays, self.sketches, strict=True) if _is_large(array)]
        return max(FEW, self.count // ROWS_A_PROBE) if large and None not in large else 1

    def scan(self, probes: Floats, alive: NDArray[np.bool_], ids: Ids, k: int) -> tuple[Floats, Ids]:
        """Scores (q, some) and ids of rows that are alive, the k best of each probe among them, in any order; -inf
        where there are fewer. All rows are compared."""
        size = max(k, SCAN_ROWS if len(probes) == 1 else SCAN_SCORES // len(probes))
        return _side_by_side(
            len(probes),
            [
                _compared(probes, rows, alive[first : first + len(rows)], ids[first : first + len(rows)], k)
                for first, rows in self.blocks(size)
            ],
        )

    def told(self, probe: Floats, alive: NDArray[np.bool_], ids: Ids, k: int) -> tuple[Floats, Ids]:
        """The same of one probe (1, dim). What cannot be among the best, as far as sketches tell, is not read."""
        return _side_by_side(
            1,
            [
                _told(probe, rows, sketch, alive[first : first + len(rows)], ids[first : first + len(rows)], k)
                for first, rows, sketch in zip(self.starts, self.arrays, self.sketches, strict=False)
            ],
        )


def _side_by_side(probes: int, found: Sequence[tuple[Floats, Ids]]) -> tuple[Floats, Ids]:
    if len(found) == 1:
        return found[0]
    scores, ids = np.empty((probes, 0), np.float32), np.empty((probes, 0), np.int64)
    return (
        np.concatenate([scores, *(each for each, _ in found)], axis=1),
        np.concatenate([ids, *(each for _, each in found)], axis=1),
    )


def _compared(probes: Floats, rows: Floats, alive: NDArray[np.bool_], ids: Ids, k: int) -> tuple[Floats, Ids]:
    """Scores (q, k) and ids of the best of these rows, in any order."""
    # NumPy has a kernel of its own for one vector, which reads the rows once and in order; of several, BLAS is twice as
    # fast with the rows first.
    block = (rows @ probes[0])[None] if len(probes) == 1 else np.ascontiguousarray((rows @ probes.T).T)
    if not alive.all():
        block[:, ~alive] = -np.inf
    count = min(k, len(rows))
    best = np.argpartition(block, len(rows) - count, axis=1)[:, len(rows) - count :]
    return np.take_along_axis(block, best, axis=1), ids[best]


def _is_large(array: Stored) -> bool:
    return array.nbytes >= SKETCHED_BYTES


def _sketched(array: Stored) -> Sketch | None:
    fits = array.shape[1] % _AT_A_TIME == 0 and _is_large(array) and len(array) <= SKETCHED_ROWS
    return Sketch.of(np.asarray(array, np.float32)) if fits and array.dtype == np.float32 else None


def _told(
    probe: Floats, rows: Stored, sketch: Sketch | None, alive: NDArray[np.bool_], ids: Ids, k: int
) -> tuple[Floats, Ids]:
    """The same of one probe (1, dim), by what a sketch can prove, if it can."""
    if sketch is not None and LOOKED_AT * k <= len(rows) // 2:
        seen = sketch.nearest(probe[0], LOOKED_AT * k).among(alive)
        if len(seen.places) >= k:
            near = seen.places[seen.seeming >= seen.seeming[k - 1] - 2 * seen.off]
            scores = rows[near] @ probe[0]
            if np.partition(scores, -k)[-k] > seen.others:
                return scores[None], ids[near][None]
    return _compared(probe, np.asarray(rows, np.float32), alive, ids, k)


def _within(slots: NDArray[np.int64], start: int, count: int) -> NDArray[np.int64]:
    moved = slots - start
    return np.where((moved >= 0) & (moved < count), moved, -1)


def _add_scores(scores: Floats, probes: Floats, array: Stored, slots: NDArray[np.int64], start: int) -> None:
    for row, probe, wanted in zip(scores, probes, slots, strict=True):
        here = np.flatnonzero((wanted >= start) & (wanted < start + len(array)))
        row[here] = np.einsum("ij,j->i", array[wanted[here] - start].astype(np.float32), probe)
