"""Notes a probe that is nearly identical to a template or to a recent probe: the same recording, it seems, again.

A person who walks past twice gives two embeddings that are alike; one recording that is sent twice gives two that are
nearly the same, also if it was encoded anew or its keypoints were detected again. The bound lies between the two.
It is a note beside a decision, and changes none: a client that repeats a request gets it too. No other presentation
attack is detected: not an imitated gait, not synthetic or edited keypoints, not a recording that is older than
`minutes` and was never enrolled.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.sequence import Floats

REPLAY_SUSPECTED = "replay_suspected"
FIRST_ROWS = 64


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
    def __init__(self, policy: ReplayPolicy, dim: int) -> None:
        self._bound, self._seconds, self._limit = policy.bound, policy.minutes * 60, policy.probes
        # Zeros, from no time, are of nobody.
        self._rows: Floats = np.zeros((min(FIRST_ROWS, self._limit), dim), np.float32)
        self._at = np.full(len(self._rows), np.inf)
        self._next = 0

    def seen_then_add(self, probes: Floats, now: float) -> NDArray[np.bool_]:
        """Of each probe (q, dim), whether it is nearly one of the time before it, the ones before it included."""
        self._forget(now - self._seconds)
        seen: NDArray[np.bool_] = (self._rows @ probes.T).max(axis=0) >= self._bound
        if len(probes) > 1:
            seen = seen | np.tril(probes @ probes.T >= self._bound, -1).any(axis=1)
        for probe in probes[-self._limit :]:
            if self._next == len(self._rows):
                self._make_room()
            self._rows[self._next], self._at[self._next] = probe, now
            self._next += 1
        return seen

    def _forget(self, until: float) -> None:
        past = self._at <= until
        if past.any():
            self._rows[past], self._at[past] = 0, np.inf

    def _make_room(self) -> None:
        more = min(len(self._rows), self._limit - len(self._rows))
        if more:
            self._rows = np.pad(self._rows, ((0, more), (0, 0)))
            self._at = np.pad(self._at, (0, more), constant_values=np.inf)
        else:
            self._next = 0
