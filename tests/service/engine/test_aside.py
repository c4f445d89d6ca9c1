"""Long work has a few turns, and keeps them to its end, whoever has left."""

import asyncio
import threading
from collections.abc import Iterator
from contextvars import ContextVar

import pytest

from service.engine.aside import Aside

asker: ContextVar[str] = ContextVar("asker")


@pytest.fixture
def aside() -> Iterator[Aside]:
    made = Aside(at_once=2)
    yield made
    made.close()


class Held:
    """Work that lasts until it is let go."""

    def __init__(self) -> None:
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        assert self.go.wait(30)
        return "done"


async def begun(work: Held) -> None:
    assert await asyncio.to_thread(work.begun.wait, 30)


def test_a_third_waits_for_a_turn_even_if_those_before_it_were_given_up(aside: Aside) -> None:
    async def play() -> None:
        first, second, third = Held(), Held(), Held()
        calls = [asyncio.ensure_future(aside.call(work)) for work in (first, second)]
        for work in (first, second):
            await begun(work)
        waiting = asyncio.ensure_future(aside.call(third))
        for call in calls:
            call.cancel()
        await asyncio.wait(calls)
        assert all(call.cancelled() for call in calls)
        assert not third.begun.is_set()
        first.go.set()
        await begun(third)
        third.go.set()
        assert await waiting == "done"
        second.go.set()

    asyncio.run(play())


def test_who_gives_up_while_waiting_takes_no_turn(aside: Aside) -> None:
    async def play() -> None:
        first, second, never, last = Held(), Held(), Held(), Held()
        calls = [asyncio.ensure_future(aside.call(work)) for work in (first, second, never, last)]
        await begun(first)
        calls[2].cancel()
        for work in (first, second, last):
            work.go.set()
        assert set(await asyncio.gather(calls[0], calls[1], calls[3])) == {"done"}
        assert not never.begun.is_set()

    asyncio.run(play())


def test_what_is_raised_is_raised_and_its_turn_is_free_again(aside: Aside) -> None:
    async def play() -> None:
        for _ in range(5):
            with pytest.raises(ZeroDivisionError):
                await aside.call(lambda: 1 // 0)

    asyncio.run(play())


def test_it_is_done_for_whoever_asks(aside: Aside) -> None:
    async def play() -> str:
        asker.set("ada")
        return await aside.call(asker.get)

    assert asyncio.run(play()) == "ada"
