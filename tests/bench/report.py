"""Rows of a benchmark: ours against something else, in one run on one machine."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Row:
    """One comparison. ours, other: medians in `unit`; ratio: what `floor` is compared with.

    lower_is_better: the ratio must stay at or below the floor (an overhead) instead of at or above it.
    counts: False where a side condition failed, so that the ratio proves nothing; `detail` says which.
    """

    name: str
    ours: float
    other: float
    ratio: float
    floor: float | None
    unit: str
    detail: str = ""
    lower_is_better: bool = False
    counts: bool = True

    @property
    def passed(self) -> bool:
        if self.floor is None:
            return True
        held = self.ratio <= self.floor if self.lower_is_better else self.ratio >= self.floor
        return held and self.counts


def alternate(
    first: Callable[[], object], second: Callable[[], object], *, rounds: int, calls: int = 1
) -> tuple[float, float]:
    """Median seconds of a call of each, taken by turns so that both meet the same machine; one untimed round before.

    calls: of one function in a row, timed together: what takes a millisecond would otherwise be timed only on the
    caches that the other one left.
    """
    times: tuple[list[float], list[float]] = ([], [])
    for turn in range(rounds + 1):
        for work, kept in zip((first, second), times, strict=True):
            began = time.perf_counter()
            for _ in range(calls):
                work()
            if turn:
                kept.append((time.perf_counter() - began) / calls)
    return median(times[0]), median(times[1])


def show(rows: Sequence[Row], console: Console | None = None) -> None:
    """Print the rows as a table."""
    table = Table("comparison", "ours", "other", "ratio", "floor", "", "detail")
    for row in rows:
        sign = "≤" if row.lower_is_better else "≥"
        floor = "" if row.floor is None else f"{sign} {row.floor:g}"
        verdict = "" if row.floor is None else "ok" if row.passed else "does not count" if not row.counts else "MISSED"
        table.add_row(
            row.name, f"{row.ours:.4g} {row.unit}", f"{row.other:.4g} {row.unit}", f"{row.ratio:.3g}", floor, verdict,
            row.detail,
        )  # fmt: skip
    (console or Console()).print(table)


def write_json(rows: Sequence[Row], path: Path) -> None:
    """Write the rows to a file."""
    path.write_text(json.dumps([asdict(row) | {"passed": row.passed} for row in rows], indent=1) + "\n")
