"""Are the chosen rows the right ones? A share of the answers is compared with the exact ones, all the time."""

import logging
import random
import threading
import time
from collections import deque
from dataclasses import dataclass

from gallery.index.training import ROUNDING, right
from gallery.index.view import View
from gallery.intervals import wilson
from model.sequence import Floats

log = logging.getLogger(__name__)

# Comparisons that the estimate rests on: the latest ones.
KEPT = 4096
TEN = 10
# Fewer decide nothing: two unlucky ones are no proof.
FEW = 30


@dataclass(frozen=True, slots=True)
class Recall:
    """Of the answers that were compared: how many, the share with the right first one and its Wilson interval, the
    share of the right ones among the first ten, and whether the index fell back to comparing all rows for it."""

    answers: int
    at_one: float
    low: float
    high: float
    at_ten: float
    failed: bool


class RecallAudit:
    """Compares answers with the exact scan of the same state, in a thread of its own, at most one at a time.

    share: of the answers; every_s: the least time between two comparisons, since each reads all rows. The index falls
    back if recall@1 is below `floor` beyond doubt (the upper end of its interval), or, once `enough` answers were
    compared, if its lower end is. It is tried again when it has been trained anew.
    """

    def __init__(self, share: float = 0.01, floor: float = 0.99, enough: int = 2000, every_s: float = 1.0) -> None:
        self._share, self._floor, self._enough, self._every_s = share, floor, enough, every_s
        self._random = random.Random()
        self._busy = threading.Lock()
        self._counting = threading.Lock()
        self._seen: deque[tuple[bool, float]] = deque(maxlen=KEPT)
        self._next = 0.0
        self.failed = False

    @property
    def recall(self) -> Recall:
        with self._counting:
            seen = list(self._seen)
        hits = sum(first for first, _ in seen)
        interval = wilson(hits, len(seen))
        at_ten = sum(ten for _, ten in seen) / len(seen) if seen else interval.value
        return Recall(len(seen), interval.value, interval.low, interval.high, at_ten, self.failed)

    def offer(self, view: View, probes: Floats, scores: Floats) -> None:
        """Perhaps compare one of these answers (q, k) to probes (q, dim) later; takes no time, and never waits."""
        if not scores.size or self._random.random() >= self._share * len(probes) or time.monotonic() < self._next:
            return
        if not self._busy.acquire(blocking=False):
            return
        self._next = time.monotonic() + self._every_s
        place = self._random.randrange(len(probes))
        sample = (view, probes[[place]], scores[[place]])
        threading.Thread(target=self._work, args=sample, name="recall-audit", daemon=True).start()

    def forget(self) -> None:
        """Begin again: the index was trained anew."""
        with self._counting:
            self._seen.clear()
            self.failed = False

    def settle(self) -> None:
        """Wait until what was taken is compared."""
        with self._busy:
            pass

    def _work(self, view: View, probe: Floats, scores: Floats) -> None:
        try:
            self._compare(view, probe, scores)
        except Exception:
            log.exception("an answer could not be compared with the exact one")
        finally:
            self._busy.release()

    def _compare(self, view: View, probe: Floats, scores: Floats) -> None:
        exact = view.scan(probe, scores.shape[1])[0]
        first = bool(scores[0, 0] >= exact[0, 0] - ROUNDING)
        with self._counting:
            self._seen.append((first, right(scores[:, :TEN], exact[:, :TEN])))
        found = self.recall
        hopeless = found.answers >= FEW and found.high < self._floor
        unproved = found.answers >= self._enough and found.low < self._floor
        if not self.failed and (hopeless or unproved):
            self.failed = True
            log.warning("recall@1 is %.4f (%.4f to %.4f): all rows are compared", found.at_one, found.low, found.high)
