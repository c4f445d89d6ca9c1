"""An index for many templates: all rows are compared while there are few, then chosen ones, always exactly.

What is trained never changes. Rows that come are in a tail, which is compared whole; rows that go leave a mark, and
searches pass them by; so removing an id changes no other answer. A thread beside takes the tail in, trains again once
there are twice as many rows, leaves out what went, and puts the result in the place of the old state in one step.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gallery.index.parts import Parts
from gallery.index.protocol import Ids, Kind
from gallery.index.recall import Recall, RecallAudit
from gallery.index.rows import NO_ID, Stored
from gallery.index.table import Table
from gallery.index.training import LEAST_ROWS, listed, trained
from gallery.index.view import Base, View
from model.sequence import Floats

log = logging.getLogger(__name__)

# After a failure beside, such as want of memory, before the next attempt.
REST_S = 60.0


@dataclass(frozen=True, slots=True)
class Upkeep:
    """When the thread beside has work. train: from this many rows on, rows are chosen; tail: rows that it may have;
    removed: share of rows that may be marks; growth: it is trained again at this many times the rows."""

    train: int
    tail: int = 4096
    removed: float = 0.25
    growth: float = 2.0


class CoarseIndex:
    """Any number of threads may search while one writes; neither waits for the other, nor for the thread beside.

    compact: rows are kept in float16. audit: None, and answers are not compared with the exact ones.
    """

    def __init__(self, base: Base, upkeep: Upkeep, *, compact: bool = False, audit: RecallAudit | None = None) -> None:
        self.dim = base.parts.dim
        self._compact, self._upkeep, self._audit = compact, upkeep, audit
        self._writing = threading.Lock()
        self._worker: threading.Thread | None = None
        self._rests_until = 0.0
        self._gone: list[Ids] = []
        self._view = View.of(base)
        with self._writing:
            self._start_if_due()

    @property
    def count(self) -> int:
        return self._view.count

    @property
    def kind(self) -> Kind:
        chooser = self._view.base.chooser
        if chooser is None or self._distrusted:
            return "flat"
        return "compact" if self._compact else chooser.kind

    @property
    def memory_bytes(self) -> int:
        return self._view.bytes

    @property
    def recall(self) -> Recall | None:
        """What the audit has found; None without one."""
        return None if self._audit is None else self._audit.recall

    @property
    def _distrusted(self) -> bool:
        return self._audit is not None and self._audit.failed

    def frozen(self) -> View:
        """What it holds now; later writes do not show there."""
        return self._view

    def add(self, vectors: Floats, ids: Ids) -> None:
        assert vectors.shape == (len(ids), self.dim)
        with self._writing:
            self._view = replace(self._view, tail=self._view.tail.appended(vectors, ids))
            self._start_if_due()

    def remove(self, ids: Ids) -> None:
        with self._writing:
            self._view = self._view.without(ids)
            if self._worker is not None:
                self._gone.append(ids)
            self._start_if_due()

    def search(self, vectors: Floats, k: int) -> tuple[Floats, Ids]:
        view, probes = self._view, self._probes(vectors)
        if view.base.chooser is None or self._distrusted:
            return view.scan(probes, k)
        scores, ids = view.search(probes, k)
        if self._audit is not None:
            self._audit.offer(view, probes, scores)
        return scores, ids

    def search_within(self, vectors: Floats, ids: Ids, k: int) -> tuple[Floats, Ids]:
        return self._view.search_within(self._probes(vectors), ids, k)

    def vectors_of(self, ids: Ids) -> Floats:
        return self._view.vectors_of(ids)

    def settle(self) -> None:
        """Wait until the thread beside has nothing to do."""
        while (worker := self._worker) is not None:
            worker.join()

    def _probes(self, vectors: Floats) -> Floats:
        probes = np.ascontiguousarray(vectors, np.float32)
        assert probes.shape[1:] == (self.dim,)
        return probes

    def _start_if_due(self) -> None:
        rested = time.monotonic() >= self._rests_until
        if rested and self._worker is None and self._job(self._view) is not None:
            self._worker = threading.Thread(target=self._work, name="index-upkeep", daemon=True)
            self._worker.start()

    def _work(self) -> None:
        try:
            while self._work_once():
                pass
        except Exception:
            log.exception("an index could not be kept up; it goes on as it is")
            with self._writing:
                self._worker, self._rests_until = None, time.monotonic() + REST_S

    def _work_once(self) -> bool:
        with self._writing:
            old, self._gone = self._view, []
            job = self._job(old)
            if job is None:
                self._worker = None
                return False
        kept = np.flatnonzero(old.alive) if self._many_removed(old) else None
        base = job(_joined(old, kept, np.float16 if self._compact else np.float32))
        with self._writing:
            self._view = _switched(self._view, old, base, kept, self._gone)
        if base.trained != old.base.trained and self._audit is not None:
            self._audit.forget()
        return True

    def _job(self, view: View) -> Callable[[Base], Base] | None:
        """What is to be done to the joined rows; None if nothing is."""
        if view.count >= max(LEAST_ROWS, self._upkeep.train, self._upkeep.growth * view.base.trained):
            return trained
        if view.tail.count >= self._upkeep.tail or self._many_removed(view):
            return listed
        return None

    def _many_removed(self, view: View) -> bool:
        return view.removed > max(self._upkeep.removed * len(view.alive), LEAST_ROWS)


def _joined(view: View, kept: NDArray[np.intp] | None, dtype: type) -> Base:
    """The rows of a view as a base: those of its base (or `kept` ones), and of the tail."""
    base, tail = view.base, view.tail
    rows: Stored = np.asarray(tail.vectors[: tail.count], dtype)
    new_ids = tail.ids[: tail.count]
    parts, ids, codes = base.parts, base.ids, base.codes
    if kept is None:
        again = base.finder.places(new_ids)
        if (again >= 0).any():  # removed, and added again since: only the new row may be found
            ids = ids.copy()
            ids[again[again >= 0]] = NO_ID
    else:
        parts, ids = Parts((parts.gathered(kept),), parts.dim), ids[kept]
        codes = None if codes is None else codes.kept(kept)
    if base.quantiser is not None and codes is not None:
        codes = codes.extended(base.quantiser.coded(tail.vectors[: tail.count]))
    return replace(base, parts=parts.extended(rows), ids=np.concatenate([ids, new_ids]), codes=codes)


def _switched(now: View, old: View, base: Base, kept: NDArray[np.intp] | None, gone: list[Ids]) -> View:
    """The new base in the place of the old, with what came and went since `old`."""
    stays = ~np.isin(old.tail.ids[: old.tail.count], np.concatenate([*gone, np.empty(0, np.int64)]))
    alive = np.concatenate([now.alive if kept is None else now.alive[kept], stays])
    # The tail keeps its order: first what is left of the old one, then what came since.
    since = slice(int(np.count_nonzero(stays)), now.tail.count)
    tail = Table.of(now.tail.vectors[since].copy(), now.tail.ids[since].copy())
    return View(base, alive, tail, len(alive) - int(np.count_nonzero(alive)))
