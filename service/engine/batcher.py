"""Requests in flight share batches: one worker takes everything that is queued and does not wait for more.

    submit ──> queue (bounded in items and in cost) ──> worker thread: work([item, ...]) ──> a future each

While a batch runs, new items queue up; the next batch is all of them, up to a cost budget, in order of arrival.
So one request alone pays nothing, and many at once share the fixed cost of a call. Where a larger batch gains nothing
any more it ends: the first ones are answered, and send again, while the next are worked on. An item dearer than the
budget is refused at once, as is any item when the queue is full: nobody waits without a bound.
"""

import asyncio
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Generic, TypeVar

from model.errors import LimitExceeded, Overloaded

In = TypeVar("In")
Out = TypeVar("Out")

RETRY_AFTER_AT_MOST_S = 60.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """batch: most cost in one batch. queue: most items waiting. queue_cost: most cost waiting. field: what the
    cost counts, as it is named to the caller whose item is too dear."""

    batch: int
    queue: int
    queue_cost: int
    field: str = "frames"


@dataclass(frozen=True, slots=True)
class BatchSeen:
    """What one batch was: items in it, their cost, seconds the oldest had waited, seconds of work."""

    items: int
    cost: int
    waited_s: float
    worked_s: float


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting(Generic[In, Out]):
    item: In
    cost: int
    since: float
    future: "Future[Out]"


class Batcher(Generic[In, Out]):
    """Runs `work` on batches of submitted items in one thread of its own.

    work: one result or one exception for each item, in order; if it raises, every item of that batch gets the
    exception, and the next batch is a fresh start. cost: what an item counts against the bounds. enough: the cost from
    which on a batch gains nothing by more items; an item may be dearer, up to the bound.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[list[In]], Sequence[Out | Exception]],
        *,
        cost: Callable[[In], int],
        bounds: Bounds,
        enough: Callable[[], int] | None = None,
        observe: Callable[[BatchSeen], None] = lambda _: None,
    ) -> None:
        self._work, self._cost, self._observe = work, cost, observe
        self._enough = enough or (lambda: bounds.batch)
        self.bounds = bounds
        self._queue: deque[_Waiting[In, Out]] = deque()
        self._queued_cost = 0
        self._cost_per_second = 0.0
        self._changed = threading.Condition()
        self._closing = False
        self._working = 0  # items of the batch under way
        self._thread = threading.Thread(target=self._serve, name=f"batcher-{name}", daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        return len(self._queue)

    @property
    def about_to_begin(self) -> bool:
        """Whether the worker is idle, and has just been given something."""
        return bool(self._queue) and not self._working

    @property
    def has_one(self) -> bool:
        """Whether just one item is worked on or waits."""
        return self._working + len(self._queue) == 1

    @property
    def alive(self) -> bool:
        return self._thread.is_alive() and not self._closing

    @property
    def died(self) -> bool:
        """Whether its thread ended though nobody closed it: nothing that is asked will ever be answered."""
        return not self._thread.is_alive() and not self._closing

    def submit(self, item: In) -> "Future[Out]":
        """A future of the item's result. Cancelled before its batch begins, the item is never worked on.

        Raises `LimitExceeded` for an item dearer than a batch may be, `Overloaded` if the queue is full or closed.
        """
        cost = self._cost(item)
        if cost > self.bounds.batch:
            raise LimitExceeded(self.bounds.field, self.bounds.batch, cost)
        future: Future[Out] = Future()
        with self._changed:
            full = len(self._queue) >= self.bounds.queue or self._queued_cost + cost > self.bounds.queue_cost
            if self._closing or full:
                raise Overloaded(self._retry_after())
            self._queue.append(_Waiting(item, cost, time.monotonic(), future))
            self._queued_cost += cost
            self._changed.notify()
        return future

    async def ask(self, item: In) -> Out:
        """The item's result; cancelling the task takes the item out of the queue."""
        return await asyncio.wrap_future(self.submit(item))

    def close(self, timeout_s: float | None = None) -> bool:
        """Accepts nothing more and finishes what was accepted; False if that took longer than `timeout_s`."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _retry_after(self) -> float:
        """Whole seconds until what waits now should be done, at the speed of the batches so far."""
        expected = self._queued_cost / self._cost_per_second if self._cost_per_second else 1.0
        return float(min(RETRY_AFTER_AT_MOST_S, max(1, math.ceil(expected))))

    def _serve(self) -> None:
        while batch := self._take():
            self._working = len(batch)
            self._run(batch)
            self._working = 0

    def _take(self) -> list[_Waiting[In, Out]]:
        """Everything queued, up to the budget; waits while there is nothing; empty only when closed and drained."""
        batch: list[_Waiting[In, Out]] = []
        with self._changed:
            while not batch:
                while not self._queue and not self._closing:
                    self._changed.wait()
                if not self._queue:
                    return []
                budget = max(self._queue[0].cost, min(self.bounds.batch, self._enough()))
                while self._queue and self._queue[0].cost <= budget:
                    waiting = self._queue.popleft()
                    self._queued_cost -= waiting.cost
                    if waiting.future.set_running_or_notify_cancel():
                        batch.append(waiting)
                        budget -= waiting.cost
        return batch

    def _run(self, batch: list[_Waiting[In, Out]]) -> None:
        start = time.monotonic()
        try:
            results: Sequence[Out | Exception] = self._work([waiting.item for waiting in batch])
            assert len(results) == len(batch), f"{len(results)} results for {len(batch)} items"
        except Exception as error:
            results = [error] * len(batch)
        worked = time.monotonic() - start
        cost = sum(waiting.cost for waiting in batch)
        speed = cost / max(worked, 1e-6)
        self._cost_per_second = 0.8 * (self._cost_per_second or speed) + 0.2 * speed
        # Before anybody is told: whoever is woken would have to wait for the interpreter.
        self._observe(BatchSeen(len(batch), cost, start - batch[0].since, worked))
        for waiting, result in zip(batch, results, strict=True):
            if isinstance(result, Exception):
                waiting.future.set_exception(result)
            else:
                waiting.future.set_result(result)
