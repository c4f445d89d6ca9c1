"""The next batch is made while the last one is trained on."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

Batch = TypeVar("Batch")
Place = tuple[int, int]


class Ahead(Generic[Batch]):
    """Batches by (epoch, step), both 0-based, each as `make` makes it; in order, from a thread that is one ahead.

    make must give the same whenever it is asked for the same, and what it raises is raised where the batch is asked
    for. Nothing is made ahead before two batches were asked for one after the other, nor beyond the last epoch.
    """

    def __init__(self, make: Callable[[int, int], Batch], steps: int, epochs: int) -> None:
        self._make, self._steps, self._epochs = make, steps, epochs
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="batches")
        self._expected: Place | None = None
        self._begun: tuple[Place, Future[Batch]] | None = None

    def get(self, epoch: int, step: int) -> Batch:
        place = epoch, step
        in_order = place == self._expected
        begun, self._begun = self._begun, None
        batch = begun[1].result() if begun is not None and begun[0] == place else self._make(*place)
        self._expected = self._after(place)
        if in_order and self._expected is not None:
            self._begun = self._expected, self._thread.submit(self._make, *self._expected)
        return batch

    def _after(self, place: Place) -> Place | None:
        epoch, step = place
        if step + 1 < self._steps:
            return epoch, step + 1
        return (epoch + 1, 0) if epoch + 1 < self._epochs else None
