"""One batch after another: what a first gives begins a second, in the thread that gave it."""

import gc
import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future

import pytest

from model.errors import Overloaded
from service.engine.batcher import Batcher, Bounds, chained

BOUNDS = Bounds(batch=100, queue=100, queue_cost=1000)


@pytest.fixture
def doubling() -> Iterator[Batcher[int, int]]:
    batcher: Batcher[int, int] = Batcher(
        "double", lambda items: [2 * item for item in items], cost=len_1, bounds=BOUNDS
    )
    yield batcher
    batcher.close()


def doubled(items: list[int]) -> list[int]:
    return [2 * item for item in items]


def len_1(item: int) -> int:
    return 1


def test_the_second_gets_what_the_first_gave(doubling: Batcher[int, int]) -> None:
    assert chained(doubling.submit(3), lambda found: doubling.submit(found + 1)).result(5) == 14


def test_those_of_one_batch_are_together_in_the_next() -> None:
    batches: list[list[int]] = []
    gate = threading.Event()

    def noted(items: list[int]) -> list[int]:
        batches.append(list(items))
        return items

    def held(items: list[int]) -> list[int]:
        assert gate.wait(5)
        return items

    first: Batcher[int, int] = Batcher("first", held, cost=len_1, bounds=BOUNDS)
    second: Batcher[int, int] = Batcher("second", noted, cost=len_1, bounds=BOUNDS)
    waiting = [chained(first.submit(item), second.submit) for item in range(6)]
    gate.set()
    assert [each.result(5) for each in waiting] == list(range(6))
    first.close()
    second.close()
    assert sum(map(len, batches)) == 6
    assert len(batches) < 6


def test_what_goes_wrong_in_either_is_the_result(doubling: Batcher[int, int]) -> None:
    def refuse(found: int) -> "Future[int]":
        raise Overloaded(1)

    with pytest.raises(Overloaded):
        chained(doubling.submit(1), refuse).result(5)
    failed: Future[int] = Future()
    failed.set_exception(ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        chained(failed, doubling.submit).result(5)


@pytest.mark.parametrize("when", ["in the first", "in the second"])
def test_cancelling_it_cancels_what_is_under_way(when: str) -> None:
    first: Future[int] = Future()
    second: Future[int] = Future()
    whole = chained(first, lambda _: second)
    if when == "in the second":
        first.set_result(1)
    assert whole.cancel()
    assert (second if when == "in the second" else first).cancelled()
    with pytest.raises(CancelledError):
        whole.result(0)


def test_a_first_that_was_cancelled_begins_nothing() -> None:
    first: Future[int] = Future()
    begun: list[int] = []
    whole = chained(first, lambda found: begun.append(found) or Future())
    first.cancel()
    first.set_running_or_notify_cancel()
    assert whole.cancelled()
    assert begun == []


def test_a_result_that_comes_too_late_harms_nobody() -> None:
    first: Future[int] = Future()
    second: Future[int] = Future()
    whole = chained(first, lambda _: second)
    first.set_result(1)
    second.set_running_or_notify_cancel()
    assert whole.cancel()
    second.set_result(2)
    assert whole.cancelled()


def test_what_was_chained_goes_when_nobody_wants_it_any_more() -> None:
    """Without the collector of cycles, which runs seldom in a service: decisions name people."""

    def answered() -> "weakref.ref[Future[int]]":
        first: Future[int] = Future()
        second: Future[int] = Future()
        whole = chained(first, lambda _: second)
        first.set_result(1)
        second.set_result(2)
        assert whole.result(0) == 2
        return weakref.ref(second)

    gc.disable()
    try:
        assert answered()() is None
    finally:
        gc.enable()
