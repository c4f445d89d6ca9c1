"""Many requests, few calls, and everybody gets their own answer."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.errors import LimitExceeded, Overloaded
from service.engine.batcher import Batcher, BatchSeen, Bounds

BOUNDS = Bounds(batch=10, queue=64, queue_cost=1000)


class Gate:
    """Work that answers item * 2, and waits at a gate as long as it is shut; keeps what it was given."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.entered = threading.Semaphore(0)
        self.open = threading.Event()
        self.open.set()

    def __call__(self, items: list[int]) -> Sequence[int | Exception]:
        self.batches.append(list(items))
        self.entered.release()
        assert self.open.wait(10)
        return [ValueError(f"{item} is negative") if item < 0 else 2 * item for item in items]


@pytest.fixture
def gate() -> Gate:
    return Gate()


Make = Callable[..., Batcher[int, int]]


@pytest.fixture
def make(gate: Gate) -> Iterator[Make]:
    made: list[Batcher[int, int]] = []

    def _make(
        bounds: Bounds = BOUNDS, cost: Callable[[int], int] = lambda item: 1, **more: object
    ) -> Batcher[int, int]:
        made.append(Batcher("test", gate, cost=cost, bounds=bounds, **more))  # type: ignore[arg-type]
        return made[-1]

    yield _make
    gate.open.set()
    for batcher in made:
        assert batcher.close(10)


def shut_with_one_inside(batcher: Batcher[int, int], gate: Gate) -> None:
    """Hold the worker in a batch of its own, so that what follows queues up."""
    gate.open.clear()
    batcher.submit(1000)
    assert gate.entered.acquire(timeout=10)


def test_one_item_alone_is_worked_on_at_once(make: Make, gate: Gate) -> None:
    assert make().submit(4).result(10) == 8
    assert gate.batches == [[4]]


def test_all_that_queues_up_during_a_batch_is_the_next_batch(make: Make, gate: Gate) -> None:
    batcher = make()
    shut_with_one_inside(batcher, gate)
    futures = [batcher.submit(i) for i in range(7)]
    assert batcher.waiting == 7
    gate.open.set()
    assert [future.result(10) for future in futures] == [0, 2, 4, 6, 8, 10, 12]
    assert gate.batches == [[1000], [0, 1, 2, 3, 4, 5, 6]]


def test_a_batch_ends_at_the_budget_and_keeps_the_order(make: Make, gate: Gate) -> None:
    batcher = make(cost=lambda item: min(item, 10))
    shut_with_one_inside(batcher, gate)
    futures = [batcher.submit(i) for i in (4, 5, 3, 10, 1, 1)]
    gate.open.set()
    for future in futures:
        future.result(10)
    assert gate.batches[1:] == [[4, 5], [3], [10], [1, 1]]


def test_a_batch_ends_where_more_of_it_gains_nothing_though_more_would_fit(make: Make, gate: Gate) -> None:
    enough = [4]
    batcher = make(cost=lambda item: min(item, 10), enough=lambda: enough[0])
    shut_with_one_inside(batcher, gate)
    futures = [batcher.submit(i) for i in (2, 2, 1, 9, 3)]
    gate.open.set()
    for future in futures:
        future.result(10)
    assert gate.batches[1:] == [[2, 2], [1], [9], [3]]  # who is dearer than that is alone, and not refused
    enough[0] = 100
    shut_with_one_inside(batcher, gate)
    futures = [batcher.submit(i) for i in (5, 5, 5)]
    gate.open.set()
    for future in futures:
        future.result(10)
    assert gate.batches[-2:] == [[5, 5], [5]]


def test_an_item_dearer_than_a_batch_is_refused_and_nothing_is_stuck(make: Make) -> None:
    batcher = make(cost=lambda item: item)
    with pytest.raises(LimitExceeded) as refused:
        batcher.submit(11)
    assert (refused.value.field, refused.value.limit, refused.value.got) == ("frames", 10, 11)
    assert batcher.submit(10).result(10) == 20


def test_a_full_queue_refuses_with_a_time_to_come_back(make: Make, gate: Gate) -> None:
    batcher = make(Bounds(batch=10, queue=3, queue_cost=1000))
    shut_with_one_inside(batcher, gate)
    accepted = [batcher.submit(i) for i in range(3)]
    with pytest.raises(Overloaded) as refused:
        batcher.submit(3)
    assert 1 <= refused.value.retry_after_s <= 60
    gate.open.set()
    assert [future.result(10) for future in accepted] == [0, 2, 4]


def test_the_queue_is_bounded_in_cost_too(make: Make, gate: Gate) -> None:
    batcher = make(Bounds(batch=10, queue=100, queue_cost=15), cost=lambda item: min(item, 10))
    shut_with_one_inside(batcher, gate)
    batcher.submit(10)
    with pytest.raises(Overloaded):
        batcher.submit(6)
    assert batcher.submit(5) is not None


def test_work_that_raises_fails_its_own_batch_only(make: Make, gate: Gate) -> None:
    def work(items: list[int]) -> list[int]:
        if 13 in items:
            raise RuntimeError("the encoder broke")
        return gate(items)  # type: ignore[return-value]

    batcher = Batcher("breaking", work, cost=lambda item: 1, bounds=BOUNDS)
    shut_with_one_inside(batcher, gate)
    unlucky = [batcher.submit(12), batcher.submit(13)]
    gate.open.set()
    for future in unlucky:
        with pytest.raises(RuntimeError, match="encoder broke"):
            future.result(10)
    assert batcher.submit(14).result(10) == 28
    assert batcher.close(10)


def test_an_exception_as_a_result_is_its_item_s_alone(make: Make, gate: Gate) -> None:
    batcher = make()
    shut_with_one_inside(batcher, gate)
    good, bad = batcher.submit(1), batcher.submit(-1)
    gate.open.set()
    assert good.result(10) == 2
    with pytest.raises(ValueError, match="negative"):
        bad.result(10)


def test_too_few_results_are_an_error_and_not_somebody_else_s_answer() -> None:
    batcher: Batcher[int, int] = Batcher("short", lambda items: [], cost=lambda item: 1, bounds=BOUNDS)
    with pytest.raises(AssertionError, match="0 results for 1 items"):
        batcher.submit(1).result(10)
    assert batcher.close(10)


def test_a_cancelled_item_is_never_worked_on(make: Make, gate: Gate) -> None:
    batcher = make()
    shut_with_one_inside(batcher, gate)
    kept, dropped = batcher.submit(1), batcher.submit(2)
    assert dropped.cancel()
    gate.open.set()
    assert kept.result(10) == 2
    assert gate.batches[1:] == [[1]]


def test_cancelling_the_task_that_asks_takes_its_item_out(make: Make, gate: Gate) -> None:
    batcher = make()

    async def scenario() -> int:
        shut_with_one_inside(batcher, gate)
        leaving, staying = asyncio.create_task(batcher.ask(2)), asyncio.create_task(batcher.ask(3))
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.sleep(0)
        gate.open.set()
        return await staying

    assert asyncio.run(scenario()) == 6
    assert gate.batches[1:] == [[3]]


def test_closing_finishes_what_was_accepted_and_accepts_no_more(make: Make, gate: Gate) -> None:
    batcher = make()
    shut_with_one_inside(batcher, gate)
    futures = [batcher.submit(i) for i in range(25)]
    assert not batcher.close(0.01), "the worker is still in its batch"
    with pytest.raises(Overloaded):
        batcher.submit(1)
    assert not batcher.alive
    gate.open.set()
    assert batcher.close(10)
    assert [future.result(0) for future in futures] == [2 * i for i in range(25)]


def test_each_batch_is_reported(make: Make, gate: Gate) -> None:
    seen: list[BatchSeen] = []
    batcher = make(observe=seen.append)
    shut_with_one_inside(batcher, gate)
    futures = [batcher.submit(i) for i in range(3)]
    gate.open.set()
    for future in futures:
        future.result(10)
    assert batcher.close(10)
    assert [(batch.items, batch.cost) for batch in seen] == [(1, 1), (3, 3)]
    assert all(batch.waited_s >= 0 and batch.worked_s >= 0 for batch in seen)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.lists(st.integers(-3, 12), min_size=1, max_size=12), min_size=1, max_size=8),
    st.integers(1, 12),
)
def test_every_request_gets_its_own_answer(clients: list[list[int]], budget: int) -> None:
    """Clients ask from tasks of their own, cheap and dear items mixed: each is answered for its own item."""

    def work(items: list[int]) -> list[int | Exception]:
        assert sum(max(1, item) for item in items) <= budget
        return [ValueError(str(item)) if item < 0 else item * item for item in items]

    async def client(batcher: Batcher[int, int], items: list[int]) -> None:
        for item in items:
            if max(1, item) > budget:
                with pytest.raises(LimitExceeded):
                    await batcher.ask(item)
            elif item < 0:
                with pytest.raises(ValueError, match=f"^{item}$"):
                    await batcher.ask(item)
            else:
                assert await batcher.ask(item) == item * item

    async def everybody() -> None:
        batcher = Batcher("property", work, cost=lambda item: max(1, item), bounds=Bounds(budget, 1000, 10_000))
        await asyncio.gather(*(client(batcher, items) for items in clients))
        assert await asyncio.to_thread(batcher.close, 10)

    asyncio.run(everybody())
