"""One state of an index that chooses rows before it looks at them exactly; nothing of it changes."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gallery.index.effort import Effort
from gallery.index.lists import Chooser
from gallery.index.parts import Parts
from gallery.index.protocol import Ids
from gallery.index.quantiser import Codes, Quantiser
from gallery.index.rows import Finder, best_of, is_ascending, ordered
from gallery.index.table import Table
from model.sequence import Floats

# Beyond this many answers a probe, all rows are compared.
MOST_ANSWERS = 1024
WITHIN_ROWS = 16_384
# Probes whose scores are in memory at once.
GROUP = 256


@dataclass(frozen=True, eq=False)
class Base:
    """Rows under ids (n,), and what chooses among them once it is trained. trained: how many rows there were then.

    Of an id that was removed and added again one row is alive, and the dead row's id is `NO_ID`.
    """

    parts: Parts
    ids: Ids
    quantiser: Quantiser | None = None
    codes: Codes | None = None
    chooser: Chooser | None = None
    effort: Effort | None = None
    trained: int = 0

    @cached_property
    def finder(self) -> Finder:
        return Finder(self.ids, is_ascending(self.ids))

    @property
    def bytes(self) -> int:
        own = self.parts.bytes + self.ids.nbytes + self.finder.bytes
        return own + sum(part.bytes for part in (self.codes, self.chooser) if part is not None)


@dataclass(frozen=True, eq=False)
class View:
    """The base's rows that are alive, and the tail: rows that came since, which are all compared. removed: how many of
    the base's are not alive."""

    base: Base
    alive: NDArray[np.bool_]
    tail: Table
    removed: int = 0

    @classmethod
    def of(cls, base: Base) -> "View":
        nothing = np.empty((0, base.parts.dim), np.float32)
        return cls(base, np.ones(base.parts.count, np.bool_), Table.of(nothing, np.empty(0, np.int64)))

    @property
    def count(self) -> int:
        return len(self.alive) - self.removed + self.tail.count

    @property
    def bytes(self) -> int:
        return self.base.bytes + self.alive.nbytes + self.tail.bytes

    def search(self, probes: Floats, k: int) -> tuple[Floats, Ids]:
        return _in_groups(self._search, probes, min(k, self.count))

    def scan(self, probes: Floats, k: int) -> tuple[Floats, Ids]:
        """The k best of all rows, exactly."""
        return _in_groups(self._scan, probes, min(k, self.count))

    def _search(self, probes: Floats, k: int) -> tuple[Floats, Ids]:
        chooser = self.base.chooser
        if chooser is None or self.base.effort is None or k > MOST_ANSWERS:
            return self._scan(probes, k)
        effort = self.base.effort.of(k)
        slots = chooser.choose(probes, effort.rows, effort.share)
        places = np.where(slots < 0, 0, slots)
        slots = np.where(self.alive[places], slots, -1)
        scores, ids = self._with_tail(probes, self.base.parts.scores(probes, slots), self.base.ids[places], k)
        # So many of the chosen rows were removed, or so few are near, that only all rows can tell.
        short = np.flatnonzero(scores.min(axis=1, initial=np.inf) == -np.inf)
        if len(short):
            scores[short], ids[short] = self._scan(probes[short], k)
        return scores, ids

    def _scan(self, probes: Floats, k: int) -> tuple[Floats, Ids]:
        base = self.base
        if base.chooser is not None or len(probes) > base.parts.few:
            return self._with_tail(probes, *base.parts.scan(probes, self.alive, base.ids, k), k)
        each = [self._with_tail(one, *base.parts.told(one, self.alive, base.ids, k), k) for one in probes[:, None]]
        if len(each) == 1:
            return each[0]
        return np.concatenate([scores for scores, _ in each]), np.concatenate([ids for _, ids in each])

    def search_within(self, probes: Floats, ids: Ids, k: int) -> tuple[Floats, Ids]:
        ids = ids[self.has(ids)]
        scores = np.empty((len(probes), len(ids)), np.float32)
        for start in range(0, len(ids), WITHIN_ROWS):
            some = slice(start, start + WITHIN_ROWS)
            scores[:, some] = probes @ self.vectors_of(ids[some]).T
        return best_of(scores, ids, k)

    def has(self, ids: Ids) -> NDArray[np.bool_]:
        return (self._slots(ids) >= 0) | (self.tail.finder.places(ids) >= 0)

    def vectors_of(self, ids: Ids) -> Floats:
        found = self.tail.vectors_of(ids)
        slots = self._slots(ids)
        found[slots >= 0] = self.base.parts.gathered(slots[slots >= 0])
        return found

    def codes_of(self, ids: Ids) -> Codes:
        """The codes of rows that are there; those of the tail are made now."""
        assert self.base.quantiser is not None
        assert self.base.codes is not None
        slots = self._slots(ids)
        inside = slots >= 0
        made = self.base.quantiser.coded(self.tail.vectors_of(ids[~inside]))
        found = self.base.codes.kept(np.where(inside, slots, 0)) if len(self.alive) else made
        found.lists[~inside], found.codes[~inside] = made.lists, made.codes
        return found

    def without(self, ids: Ids) -> "View":
        slots = self._slots(ids)
        slots = np.unique(slots[slots >= 0])
        alive = self.alive
        if len(slots):
            alive = alive.copy()
            alive[slots] = False
        return View(self.base, alive, self.tail.without(ids), self.removed + len(slots))

    def _slots(self, ids: Ids) -> NDArray[np.intp]:
        """Of each id that is alive in the base, its slot; -1 of others."""
        slots = self.base.finder.places(ids)
        return np.where((slots >= 0) & self.alive[slots], slots, -1) if len(self.alive) else slots

    def _with_tail(self, probes: Floats, scores: Floats, ids: Ids, k: int) -> tuple[Floats, Ids]:
        ids = np.where(scores == -np.inf, np.iinfo(np.int64).max, ids)
        if self.tail.count:
            more_scores, more_ids = self.tail.search(probes, k)
            scores, ids = np.concatenate([scores, more_scores], 1), np.concatenate([ids, more_ids], 1)
        scores, ids = ordered(scores, ids)
        return scores[:, :k], ids[:, :k]


def _in_groups(work: Callable[[Floats, int], tuple[Floats, Ids]], probes: Floats, k: int) -> tuple[Floats, Ids]:
    if not k or not len(probes):
        return np.empty((len(probes), k), np.float32), np.empty((len(probes), k), np.int64)
    if len(probes) <= GROUP:
        return work(probes, k)
    parts = [work(probes[start : start + GROUP], k) for start in range(0, len(probes), GROUP)]
    return np.concatenate([scores for scores, _ in parts]), np.concatenate([ids for _, ids in parts])
