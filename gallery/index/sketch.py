"""Rows in a byte a number: which of them can be among the nearest is told from a quarter of the memory, and proved.

With a row x kept as s c, c of integers, and a probe q rounded to t d in the same way,

    |<q, x> - s t <d, c>|  <=  |q| |x - s c| + |q - t d| |s c|                                     (Cauchy and Schwarz)

so of all rows but those that seem nearest it is known what they cannot exceed. Where the k best of these, compared
whole, are better than that, they are the k best of all; where they are not, all have to be compared.
"""

import math
from dataclasses import dataclass

import faiss
import numpy as np
from numpy.typing import NDArray

from model.sequence import Floats

LARGEST = 127
# Of sums of products in float32, of vectors of about length 1.
ROUNDING = 1e-4
_BLOCK = 8192


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What a sketch tells of a probe. places: of the rows that seem nearest, best first; seeming: what their inner
    products seem to be; off: how far off these may be; others: what the inner product of no other row exceeds."""

    places: NDArray[np.int64]
    seeming: Floats
    off: float
    others: float

    def among(self, alive: NDArray[np.bool_]) -> "Seen":
        """The same without the rows that are not alive (n,)."""
        there = alive[self.places]
        return Seen(self.places[there], self.seeming[there], self.off, self.others)


@dataclass(frozen=True, slots=True, eq=False)
class Sketch:
    """codes: of rows (n, dim). scale: s. error, length: the most of |x - s c| and of |s c|."""

    codes: faiss.IndexScalarQuantizer
    scale: float
    error: float
    length: float

    @classmethod
    def of(cls, rows: Floats) -> "Sketch":
        """Of rows (n, dim), n > 0."""
        kind = faiss.ScalarQuantizer.QT_8bit_direct_signed
        codes = faiss.IndexScalarQuantizer(rows.shape[1], kind, faiss.METRIC_INNER_PRODUCT)
        scale = _scale(rows)
        error = length = 0.0
        for start in range(0, len(rows), _BLOCK):
            block = rows[start : start + _BLOCK]
            rounded = np.rint(block / scale)
            codes.add(rounded)
            error = max(error, _longest(block - scale * rounded))
            length = max(length, scale * _longest(rounded))
        return cls(codes, scale, error, length)

    @property
    def bytes(self) -> int:
        return int(self.codes.ntotal) * int(self.codes.d)

    def nearest(self, probe: Floats, count: int) -> Seen:
        """The `count` rows (at most n) that seem nearest to a probe (dim,)."""
        scale = _scale(probe)
        rounded = np.rint(probe / scale)
        # Whole numbers: some of FAISS's kernels cut off what a probe has behind the point.
        scores, places = self.codes.search(rounded[None], count)
        seeming = scores[0] * np.float32(self.scale * scale)
        off = _length(probe) * self.error + _length(probe - scale * rounded) * self.length + ROUNDING
        return Seen(places[0], seeming, off, float(seeming[-1]) + off)


def _scale(numbers: Floats) -> float:
    return float(np.abs(numbers).max()) / LARGEST or 1.0


def _longest(rows: Floats) -> float:
    return math.sqrt(np.einsum("ij,ij->i", rows, rows).max())


def _length(vector: Floats) -> float:
    return math.sqrt(vector @ vector)
