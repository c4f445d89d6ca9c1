"""The secret orthogonal transform of a protected gallery.

It changes no score, since it keeps every inner product. In the words of ISO/IEC 24745 templates under it are
renewable (a new transform makes the old templates useless) and not linkable: without the transforms, templates of
one person in two galleries cannot be told from templates of two people. They are not irreversible: whoever has the
transform, or enough pairs of plain and transformed embeddings, can undo it. What keeps templates from whoever copies
the database is that they are sealed; the transform is for an index, a snapshot or a process's memory that leaks.
"""

import os

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from model.errors import InvalidArchive
from model.sequence import Floats


def new_transform(dim: int) -> Floats:
    """A random rotation or reflection (dim, dim), float32, uniform over all (Haar measure), from the system's
    randomness. F. Mezzadri, How to generate random matrices from the classical compact groups, 2007, section 5."""
    bits = np.frombuffer(os.urandom(8 * dim * dim), np.uint64) >> np.uint64(11)
    normal = ndtri((bits + 0.5) * 2.0**-53).reshape(dim, dim)
    q, r = np.linalg.qr(normal)
    return np.ascontiguousarray(q * np.sign(np.diagonal(r)), dtype=np.float32)


def apply(transform: Floats | NDArray[np.float64], embeddings: Floats) -> Floats:
    """Embeddings (n, dim) under a transform (dim, dim): float32, of unit length."""
    return _unit(embeddings.astype(np.float64) @ transform.astype(np.float64, copy=False))


def undo(transform: Floats, embeddings: Floats) -> Floats:
    """What `apply` was given, up to rounding: (n, dim), float32, of unit length."""
    return _unit(embeddings.astype(np.float64) @ transform.T.astype(np.float64))


def to_bytes(transform: Floats) -> bytes:
    """float32, little-endian, row by row."""
    return transform.astype("<f4").tobytes()


def from_bytes(content: bytes, dim: int) -> Floats:
    """Raises `InvalidArchive` unless it is an orthogonal matrix (dim, dim)."""
    if len(content) != 4 * dim * dim:
        raise InvalidArchive("transform", f"must have {4 * dim * dim} bytes, got {len(content)}")
    transform = np.frombuffer(content, "<f4").astype(np.float32).reshape(dim, dim)
    with np.errstate(all="ignore"):
        orthogonal = np.allclose(transform @ transform.T, np.eye(dim), atol=1e-4)
    if not orthogonal:
        raise InvalidArchive("transform", "is not orthogonal")
    transform.setflags(write=False)
    return transform


def _unit(vectors: NDArray[np.float64]) -> Floats:
    # The transform's own rounding is taken out: what had unit length has it again.
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return (vectors / np.where(lengths > 0, lengths, 1)).astype(np.float32)
