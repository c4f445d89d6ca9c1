"""Which kind of index a gallery gets: by its size, or as its operator wants it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from gallery.index.flat import FlatIndex
from gallery.index.protocol import Ids, VectorIndex
from model.sequence import Floats

FLAT_LIMIT = 100_000


@dataclass(frozen=True, slots=True)
class IndexPolicy:
    """kind: `auto` is exact up to `flat_limit` templates and coarse beyond; the others are what they say, always."""

    kind: Literal["auto", "flat", "coarse", "compact"] = "auto"
    flat_limit: int = FLAT_LIMIT


def build_index(vectors: Floats, ids: Ids, policy: IndexPolicy) -> VectorIndex:
    """An index on these very arrays, (n, dim) float32 and (n,), which nobody may change from now on."""
    assert policy.kind in ("auto", "flat")
    return FlatIndex.of(vectors, np.asarray(ids, np.int64))
