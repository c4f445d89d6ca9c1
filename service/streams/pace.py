"""How fast one sender may be: a bucket of tokens that fills at a rate."""

import time
from collections.abc import Callable


class Pace:
    """rate: tokens a second; burst: the most that gather.

    >>> now = 0.0
    >>> pace = Pace(10, 20, lambda: now)
    >>> pace.spend(20), pace.wait(5)
    (None, 0.5)
    >>> now = 0.5
    >>> pace.wait(5)
    0.0
    """

    def __init__(self, rate: float, burst: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._tokens, self._at = burst, clock()

    def wait(self, count: int) -> float:
        """Seconds until so many may be spent; 0 if now."""
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        return max(0.0, (count - self._tokens) / self._rate)

    def spend(self, count: int) -> None:
        self._tokens -= count
