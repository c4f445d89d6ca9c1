"""Which kind of index a gallery gets: by its size, or as its operator wants it."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from gallery.index.coarse import CoarseIndex, Upkeep
from gallery.index.flat import FlatIndex
from gallery.index.parts import Parts
from gallery.index.protocol import Ids, VectorIndex
from gallery.index.recall import RecallAudit
from gallery.index.rows import Stored
from gallery.index.view import Base
from model.sequence import Floats

# A search is to take 10 ms at most on one core; comparing so many templates (256-d) takes 6 to 7.
FLAT_LIMIT = 100_000


@dataclass(frozen=True, slots=True)
class IndexPolicy:
    """kind: `auto` compares all templates up to `flat_limit` of them, and chosen ones beyond; `flat` always all;
    `coarse` always chosen ones, `compact` too, of rows kept in half the memory (float16).

    audited: the share of answers that are compared with the exact ones; recall_floor: where that ends the choosing.
    """

    kind: Literal["auto", "flat", "coarse", "compact"] = "auto"
    flat_limit: int = FLAT_LIMIT
    audited: float = 0.01
    recall_floor: float = 0.99


def build_index(vectors: Floats, ids: Ids, policy: IndexPolicy) -> VectorIndex:
    """An index on these very arrays, (n, dim) float32 and (n,), which nobody may change from now on.

    It answers at once; what is to be trained is trained beside.
    """
    if policy.kind == "flat":
        return FlatIndex.of(vectors, ids)
    rows: Stored = np.ascontiguousarray(vectors, np.float32)
    if policy.kind == "compact":
        rows = rows.astype(np.float16)
    parts = Parts((rows,) if len(rows) else (), vectors.shape[1])
    return index_of(Base(parts, np.ascontiguousarray(ids, np.int64)), policy)


def index_of(base: Base, policy: IndexPolicy) -> CoarseIndex:
    """An index that goes on from a base."""
    audit = RecallAudit(policy.audited, policy.recall_floor) if policy.audited else None
    upkeep = Upkeep(train=policy.flat_limit + 1 if policy.kind == "auto" else 0)
    return CoarseIndex(base, upkeep, compact=policy.kind == "compact", audit=audit)
