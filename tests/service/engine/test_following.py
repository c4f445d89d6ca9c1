"""One batch after another: what a first gives begins a second, in the thread that gave it."""

import asyncio
import gc
import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from model.errors import Overloaded
from service.engine.batcher import Batcher, Bounds
from service.engine.following import followed

BOUNDS = Bounds(batch=100, queue=100, queue_cost=1000)


@pytest.fixture
def doubling() -> Iterator[Batcher[int, int]]:
    batcher: Batcher[int, int] = Batcher(
        "double", lambda items: [2 * item for item in items], cost=len_1, bounds=BOUNDS
    )
    yield batcher
    batcher.close()


def len_1(item: int) -> int:
    return 1


def test_the_second_gets_what_the_first_gave(doubling: Batcher[int, int]) -> None:
    assert asyncio.run(followed(doubling.submit(3), lambda found: doubling.submit(found + 1))) == 14


def test_what_is_done_at_once_is_done_in_the_thread_of_the_first() -> None:
    gate = threading.Event()
    held: Batcher[int, int] = Batcher("held", lambda items: items if gate.wait(5) else [], cost=len_1, bounds=BOUNDS)

    async def run() -> str:
        whole = asyncio.ensure_future(followed(held.submit(3), lambda _: threading.current_thread().name))
        await asyncio.sleep(0)
        gate.set()
        return await whole

    assert asyncio.run(run()) == "batcher-held"
    held.close()


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

    async def run() -> list[int]:
        waiting = [asyncio.ensure_future(followed(first.submit(item), second.submit)) for item in range(6)]
        await asyncio.sleep(0)
        gate.set()
        return await asyncio.gather(*waiting)

    assert asyncio.run(run()) == list(range(6))
    first.close()
    second.close()
    assert sum(map(len, batches)) == 6
    assert len(batches) < 6


def test_what_goes_wrong_in_either_is_raised(doubling: Batcher[int, int]) -> None:
    def refuse(found: int) -> int:
        raise Overloaded(1)

    with pytest.raises(Overloaded):
        asyncio.run(followed(doubling.submit(1), refuse))
    failed: Future[int] = Future()
    failed.set_exception(ValueError("no"))
    with pytest.raises(ValueError, match="no"):
        asyncio.run(followed(failed, doubling.submit))
    with pytest.raises(ValueError, match="no"):
        asyncio.run(followed(doubling.submit(1), lambda _: failed))


@pytest.mark.parametrize("when", ["in the first", "in the second"])
def test_cancelling_it_cancels_what_is_under_way(when: str) -> None:
    first: Future[int] = Future()
    second: Future[int] = Future()

    async def run() -> None:
        whole = asyncio.ensure_future(followed(first, lambda _: second))
        await asyncio.sleep(0)
        if when == "in the second":
            first.set_result(1)
        whole.cancel()
        with pytest.raises(asyncio.CancelledError):
            await whole

    asyncio.run(run())
    assert (second if when == "in the second" else first).cancelled()


@pytest.mark.parametrize("which", ["first", "second"])
def test_either_that_was_cancelled_ends_it(which: str) -> None:
    first: Future[int] = Future()
    second: Future[int] = Future()
    begun: list[int] = []

    def begin(found: int) -> "Future[int]":
        begun.append(found)
        return second

    if which == "second":
        first.set_result(1)
    {"first": first, "second": second}[which].cancel()
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(followed(first, begin))
    assert begun == ([] if which == "first" else [1])


def test_a_result_that_comes_too_late_harms_nobody() -> None:
    first: Future[int] = Future()
    second: Future[int] = Future()
    errors: list[object] = []

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
        whole = asyncio.ensure_future(followed(first, lambda _: second))
        await asyncio.sleep(0)
        first.set_result(1)
        second.set_running_or_notify_cancel()
        whole.cancel()
        second.set_result(2)
        with pytest.raises(asyncio.CancelledError):
            await whole
        await asyncio.sleep(0)

    asyncio.run(run())
    assert errors == []


def test_what_followed_goes_when_nobody_wants_it_any_more() -> None:
    """Without the collector of cycles, which runs seldom in a service: decisions name people."""

    async def answered() -> "weakref.ref[Future[int]]":
        first: Future[int] = Future()
        second: Future[int] = Future()
        first.set_result(1)
        second.set_result(2)
        assert await followed(first, lambda _: second) == 2
        return weakref.ref(second)

    gc.disable()
    try:
        assert asyncio.run(answered())() is None
    finally:
        gc.enable()
