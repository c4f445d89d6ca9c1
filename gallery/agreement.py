"""Do two encoders know the same people? Each template is searched among all others, before and after."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.sequence import Floats

PROBES = 1000
_BLOCK = 100


@dataclass(frozen=True, slots=True)
class Agreement:
    """probes: templates that were searched among all others. nearest: share of them whose nearest subject is the same
    before and after. mated: how many have another template of their subject; rank1_before, rank1_after: share of
    these whose nearest subject is their own, None where there are none."""

    probes: int
    nearest: float
    mated: int
    rank1_before: float | None
    rank1_after: float | None


def agreement_of(
    before: Floats, after: Floats, subjects: NDArray[np.int64], *, probes: int = PROBES, seed: int = 0
) -> Agreement | None:
    """How far two encoders agree on the same templates: before (n, dim), after (n, dim'), subjects (n,) whose each is.

    At most `probes` random templates are searched, exactly, each among all but itself. None for fewer than two.
    """
    if len(subjects) < 2:
        return None
    chosen = np.arange(len(subjects))
    if len(chosen) > probes:
        chosen = np.sort(np.random.default_rng(seed).choice(len(chosen), probes, replace=False))
    nearest = [subjects[_nearest(rows, chosen)] for rows in (before, after)]
    _, of, count = np.unique(subjects, return_inverse=True, return_counts=True)
    mated = count[of[chosen]] > 1
    own = subjects[chosen]
    rank1 = [float((found == own)[mated].mean()) if mated.any() else None for found in nearest]
    return Agreement(len(chosen), float((nearest[0] == nearest[1]).mean()), int(mated.sum()), rank1[0], rank1[1])


def _nearest(rows: Floats, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each chosen row, the row that is most like it, itself left out."""
    found = np.empty(len(chosen), np.int64)
    for start in range(0, len(chosen), _BLOCK):
        block = chosen[start : start + _BLOCK]
        scores = rows[block] @ rows.T
        scores[np.arange(len(block)), block] = -np.inf
        found[start : start + len(block)] = scores.argmax(axis=1)
    return found
