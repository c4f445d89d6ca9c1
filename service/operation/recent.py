"""The latest of what was measured, for quantiles of now: Prometheus has the rest."""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

KEPT = 512
GROUPS = 256


@dataclass(frozen=True, slots=True)
class Quantiles:
    """Of the latest `samples` values, in seconds."""

    samples: int
    p50: float
    p95: float
    p99: float


def quantiles(values: Sequence[float]) -> Quantiles | None:
    """Nearest-rank quantiles; None of nothing.

    >>> quantiles([3.0, 1.0, 2.0, 4.0])
    Quantiles(samples=4, p50=2.0, p95=4.0, p99=4.0)
    """
    if not values:
        return None
    ordered = sorted(values)
    p50, p95, p99 = (ordered[max(0, -(-len(ordered) * percent // 100) - 1)] for percent in (50, 95, 99))
    return Quantiles(len(ordered), p50, p95, p99)


class Recent:
    """The latest values of each group; of more groups than there may be, the later ones are not kept."""

    def __init__(self, kept: int = KEPT, groups: int = GROUPS) -> None:
        self._kept, self._most = kept, groups
        self._lock = threading.Lock()
        self._groups: dict[tuple[str, ...], deque[float]] = {}

    def add(self, group: tuple[str, ...], value: float) -> None:
        found = self._groups.get(group)
        if found is None:
            with self._lock:
                if len(self._groups) >= self._most:
                    return
                found = self._groups.setdefault(group, deque(maxlen=self._kept))
        found.append(value)

    def quantiles(self) -> dict[tuple[str, ...], Quantiles]:
        with self._lock:
            groups = {group: list(values) for group, values in self._groups.items()}
        return {group: found for group, values in sorted(groups.items()) if (found := quantiles(values)) is not None}
