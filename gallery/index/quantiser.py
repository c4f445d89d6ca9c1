"""What finds the rows that are worth an exact look: a rotation, lists of near rows, and a short code for each row.

Rows are turned into the few directions that hold nearly all of their length (of the shipped encoder's 256 numbers,
32), divided among lists by the nearest of `lists` centres, and what is left of them is coded by 4-bit product
quantisation, one code a direction (Jégou, Douze and Schmid 2011), in the layout that FAISS scans with vector
instructions (André, Kermarrec and Le Scouarnec 2015). A trained quantiser is only arrays; FAISS's own objects are made
from them in memory, and never come from a file.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from model.sequence import Floats

BITS = 4
LEVELS = 1 << BITS
BLOCK = 32
# Directions are kept, in steps, until they hold this share of the rows' squared length.
KEPT_SHARE = 0.999
STEP = 16
MOST_DIRECTIONS = 128
SAMPLE_OF_A_LIST = 64
LEAST_SAMPLE = 16_384
ROUNDS = 10


@dataclass(frozen=True, eq=False)
class Codes:
    """Of each row (n,): its list, and its code (n, directions / 2)."""

    lists: NDArray[np.int32]
    codes: NDArray[np.uint8]

    @property
    def bytes(self) -> int:
        return self.lists.nbytes + self.codes.nbytes

    def kept(self, slots: NDArray[np.int64]) -> "Codes":
        return Codes(self.lists[slots], self.codes[slots])

    def extended(self, more: "Codes") -> "Codes":
        return Codes(np.concatenate([self.lists, more.lists]), np.concatenate([self.codes, more.codes]))


@dataclass(frozen=True, eq=False)
class Quantiser:
    """rotation: (dim, directions); centres: (lists, directions), unit length; levels: (directions, 16) of each code."""

    rotation: Floats
    centres: Floats
    levels: Floats

    @property
    def directions(self) -> int:
        return int(self.rotation.shape[1])

    @property
    def lists(self) -> int:
        return len(self.centres)

    @property
    def code_bytes(self) -> int:
        return self.directions * BITS // 8

    @property
    def bytes(self) -> int:
        return self.rotation.nbytes + self.centres.nbytes + self.levels.nbytes

    @cached_property
    def coarse(self) -> Any:
        """FAISS's index of the centres; what is made from it keeps it."""
        coarse = faiss.IndexFlatIP(self.directions)
        coarse.add(self.centres)
        return coarse

    def empty(self) -> Any:
        """FAISS's index of codes, trained and without rows."""
        made = _index(self.coarse, self.directions, self.lists)
        faiss.copy_array_to_vector(np.ascontiguousarray(self.levels, np.float32).ravel(), made.pq.centroids)
        made.is_trained = True
        return made

    def turned(self, rows: Floats) -> Floats:
        return np.ascontiguousarray(rows @ self.rotation)

    def coded(self, rows: Floats) -> Codes:
        """The codes of rows (n, dim)."""
        turned = self.turned(rows)
        lists = np.ascontiguousarray(self.coarse.search(turned, 1)[1][:, 0])
        codes = np.empty((len(rows), self.code_bytes), np.uint8)
        coder = self.empty()
        coder.encode_vectors(len(rows), faiss.swig_ptr(turned), faiss.swig_ptr(lists), faiss.swig_ptr(codes))
        return Codes(lists.astype(np.int32), codes)


def train(sample: Floats, lists: int) -> Quantiser:
    """A quantiser for rows like these (n, dim); the same rows give the same quantiser."""
    rotation = _rotation(sample)
    turned = np.ascontiguousarray(sample @ rotation)
    directions = rotation.shape[1]
    coarse = faiss.IndexFlatIP(directions)
    trained = _index(coarse, directions, lists)
    trained.cp.spherical = True
    for clustering in (trained.cp, trained.pq.cp):
        clustering.min_points_per_centroid = 1
        clustering.niter = ROUNDS
    trained.cp.max_points_per_centroid = SAMPLE_OF_A_LIST
    trained.train(turned)
    levels = faiss.vector_to_array(trained.pq.centroids).reshape(directions, LEVELS)
    return Quantiser(rotation, coarse.reconstruct_n(0, lists), levels)


def sample_size(lists: int) -> int:
    """How many rows `train` makes use of."""
    return max(LEAST_SAMPLE, SAMPLE_OF_A_LIST * lists)


def _index(coarse: Any, directions: int, lists: int) -> Any:
    made = faiss.IndexIVFPQFastScan(
        coarse, directions, lists, directions, BITS, faiss.METRIC_INNER_PRODUCT, BLOCK
    )  # fmt: skip
    # Codes of what the centre leaves, which FAISS does not do by itself here: recall@1 0.993 or 1.000.
    made.by_residual = True
    return made


def _rotation(sample: Floats) -> Floats:
    """(dim, directions): the directions of greatest mean square, in a multiple of `STEP`; zeros beyond dim."""
    dim = sample.shape[1]
    values, vectors = np.linalg.eigh(sample.T.astype(np.float64) @ sample.astype(np.float64))
    shares = np.cumsum(values[::-1].clip(0)) / max(values.sum(), np.finfo(np.float64).tiny)
    needed = min(int(np.searchsorted(shares, KEPT_SHARE)) + 1, dim, MOST_DIRECTIONS)
    rotation = np.zeros((dim, -(-needed // STEP) * STEP), np.float32)
    held = min(rotation.shape[1], dim)
    rotation[:, :held] = vectors[:, ::-1][:, :held]
    return rotation
