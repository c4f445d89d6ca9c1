"""Notes a probe that is nearly identical to a template or to a recent probe: the same recording, it seems, again.

A person who walks past twice gives two embeddings that are alike; one recording that is sent twice gives two that are
nearly the same, also if it was encoded anew or its keypoints were detected again. The bound lies between the two.
It is a note beside a decision, and changes none: a client that repeats a request gets it too. No other presentation
attack is detected: not an imitated gait, not synthetic or edited keypoints, not a recording that is older than
`minutes` and was never enrolled.
"""

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from model.sequence import Floats

REPLAY_SUSPECTED = "replay_suspected"
FIRST_ROWS = 64
# Of inner products in float32.
ROUNDING = 1e-5


@dataclass(frozen=True, slots=True)
class ReplayPolicy:
    """bound: a score from which on two embeddings are of one recording. minutes, probes: how long, and how many probes
    of one gallery, are remembered: in memory only."""

    bound: float = 0.995
    minutes: float = 10.0
    probes: int = 4096


class RecentProbes:
    """The latest probes of each gallery; any thread may call it. clock: in seconds."""

    def __init__(self, policy: ReplayPolicy, clock: Callable[[], float] = time.monotonic) -> None:
        self.policy = policy
        self._clock = clock
        self._rings: dict[int, _Ring] = {}
        self._lock = threading.Lock()

    def seen(self, gallery: int, probes: Floats) -> NDArray[np.bool_]:
        """Of each probe (q, dim), whether an earlier one was nearly the same; from now on, these are earlier ones."""
        with self._lock:
            ring = self._rings.get(gallery)
            if ring is None:
                ring = self._rings[gallery] = _Ring(self.policy, probes.shape[1])
            return ring.seen_then_add(probes, self._clock())

    def keep(self, galleries: set[int]) -> None:
        """Drop the probes of all other galleries."""
        with self._lock:
            for gallery in self._rings.keys() - galleries:
                del self._rings[gallery]


class _Ring:
    """The latest probes, and each of them shortened: few come near enough to be compared whole."""

    def __init__(self, policy: ReplayPolicy, dim: int) -> None:
        self._bound, self._seconds, self._limit = policy.bound, policy.minutes * 60, policy.probes
        self._axes = axes(dim)
        # Zeros, from no time, are of nobody.
        self._rows: Floats = np.zeros((min(FIRST_ROWS, self._limit), dim), np.float32)
        self._short: Floats = np.zeros((len(self._rows), self._axes.shape[1] + 1), np.float32)
        self._at = np.full(len(self._rows), np.inf)
        self._next = 0
        self._oldest = math.inf  # none is from before

    def seen_then_add(self, probes: Floats, now: float) -> NDArray[np.bool_]:
        """Of each probe (q, dim), whether it is nearly one of the time before it, the ones before it included."""
        self._forget(now - self._seconds)
        short = shortened(probes, self._axes)
        near = ((short @ self._short.T).max(axis=0) >= self._bound - ROUNDING).nonzero()[0]
        seen: NDArray[np.bool_] = (probes @ self._rows[near].T >= self._bound).any(axis=1)
        if len(probes) > 1:
            seen |= np.tril(probes @ probes.T >= self._bound, -1).any(axis=1)
        for probe, its_short in zip(probes[-self._limit :], short[-self._limit :], strict=True):
            if self._next == len(self._rows):
                self._make_room()
            self._rows[self._next], self._short[self._next], self._at[self._next] = probe, its_short, now
            self._next += 1
        self._oldest = min(self._oldest, now)
        return seen

    def _forget(self, until: float) -> None:
        if until < self._oldest:
            return
        past = self._at <= until
        self._rows[past], self._short[past], self._at[past] = 0, 0, np.inf
        self._oldest = float(self._at.min())

    def _make_room(self) -> None:
        more = min(len(self._rows), self._limit - len(self._rows))
        if more:
            self._rows, self._short = (np.pad(rows, ((0, more), (0, 0))) for rows in (self._rows, self._short))
            self._at = np.pad(self._at, (0, more), constant_values=np.inf)
        else:
            self._next = 0


@cache
def axes(dim: int) -> Floats:
    """An eighth of the axes (dim, dim // 8) of some other frame, orthonormal: by them all directions count alike."""
    frame = np.linalg.qr(np.random.default_rng(0).normal(size=(dim, dim)))[0]
    return np.ascontiguousarray(frame[:, : max(1, dim // 8)], np.float32)


def shortened(rows: Floats, along: Floats) -> Floats:
    """Rows (n, dim) of length 1 as (n, some + 1): what they are along these axes (dim, some), and how long the rest is.

    The inner product of two is never less than that of the whole ones (Cauchy and Schwarz, on the rest).
    """
    kept = rows @ along
    rest = np.sqrt(np.maximum(0.0, 1.0 - (kept * kept).sum(axis=1)))
    return np.concatenate([kept, rest[:, None]], axis=1)
