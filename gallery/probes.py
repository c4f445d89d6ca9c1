"""What a search may be asked: probes that can be compared, and bounds on the answer."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from model.clips import unit_length
from model.errors import InvalidRequest, LimitExceeded
from model.sequence import Floats

TOP_K_LIMIT = 1000
WITHIN_LIMIT = 10_000


def checked_probes(embeddings: ArrayLike, dim: int) -> Floats:
    """Probes (q, dim) of unit length, or `InvalidRequest`."""
    probes = np.asarray(embeddings, dtype=np.float32)
    if probes.ndim != 2 or probes.shape[1] != dim:
        raise InvalidRequest("embeddings", f"must be (probes, {dim}), got {probes.shape}")
    if not np.isfinite(probes).all():
        raise InvalidRequest("embeddings", "must be finite (no NaN, no infinity)")
    if not probes.any(axis=1).all():
        raise InvalidRequest("embeddings", "must not be zero")
    return unit_length(probes)


def check_bounds(top_k: int, within: Sequence[str] | None) -> None:
    """Raises `InvalidRequest` for numbers that make no sense, `LimitExceeded` for a list that is too long."""
    if not 1 <= top_k <= TOP_K_LIMIT:
        raise InvalidRequest("top_k", f"must be in 1..{TOP_K_LIMIT}, got {top_k}")
    if within is not None and not within:
        raise InvalidRequest("within", "must name at least one subject")
    if within is not None and len(within) > WITHIN_LIMIT:
        raise LimitExceeded("within", WITHIN_LIMIT, len(within))
