"""How often each key may ask: a bucket of tokens a key, filled evenly."""

import math
import time
from collections.abc import Callable

from model.errors import RateExceeded

# A wait of exactly as long as was told fills up to one, but for the last digits of a clock.
_ROUNDING = 1e-6


class Rates:
    """Buckets of this process, for one thread. A full one holds what a minute brings, so that after a pause a whole
    minute's requests may come at once."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._held: dict[str, tuple[float, float]] = {}

    def take(self, key_id: str, rate: int) -> None:
        """Take a token of a key that may ask `rate` times a minute. Raises `RateExceeded`, with whole seconds."""
        now = self._clock()
        tokens, since = self._held.get(key_id, (float(rate), now))
        tokens = min(float(rate), tokens + (now - since) * rate / 60)
        if tokens < 1 - _ROUNDING:
            self._held[key_id] = (tokens, now)
            raise RateExceeded(rate, math.ceil((1 - tokens) * 60 / rate))
        self._held[key_id] = (max(0.0, tokens - 1), now)

    def __len__(self) -> int:
        return len(self._held)

    def forget_others(self, key_ids: set[str]) -> None:
        """Keep only the buckets of these keys."""
        self._held = {key_id: held for key_id, held in self._held.items() if key_id in key_ids}
