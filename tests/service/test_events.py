"""The bus: everybody who listens is told, in order, and nobody is waited for."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.template import Decision, Outcome
from service.events import Bus, Decided, Missed
from tests.service.client import Client
from tests.service.conftest import person


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 10))  # type: ignore[arg-type]


def test_whoever_listens_is_told_in_order_from_any_thread() -> None:
    async def test() -> None:
        bus: Bus[int] = Bus()
        async with bus.subscribe() as events:
            teller = threading.Thread(target=lambda: [bus.publish(number) for number in range(100)])
            teller.start()
            assert [await anext(events) for _ in range(100)] == list(range(100))
            teller.join()

    run(test)


def test_who_comes_later_is_not_told_what_was() -> None:
    async def test() -> None:
        bus: Bus[int] = Bus()
        bus.publish(1)
        async with bus.subscribe() as events:
            bus.publish(2)
            assert await anext(events) == 2

    run(test)


def test_who_has_left_takes_no_room() -> None:
    async def test() -> None:
        bus: Bus[int] = Bus()
        async with bus.subscribe(), bus.subscribe():
            assert bus.listeners == 2
        assert bus.listeners == 0

    run(test)


def test_what_is_not_wanted_takes_no_room() -> None:
    async def test() -> None:
        bus: Bus[int] = Bus(room=2)
        async with bus.subscribe(lambda number: number % 10 == 0) as events:
            for number in range(20):
                bus.publish(number)
            assert [await anext(events), await anext(events)] == [0, 10]

    run(test)


@given(before=st.integers(0, 8), room=st.integers(1, 5), after=st.integers(0, 3))
def test_who_does_not_keep_up_is_told_how_many_were_missed_and_where(before: int, room: int, after: int) -> None:
    async def test() -> None:
        bus: Bus[int] = Bus(room)
        async with bus.subscribe() as events:
            for number in range(before):
                bus.publish(number)
            expected: list[int | Missed] = list(range(min(before, room)))
            if before > room:
                expected.append(Missed(before - room))
            assert [await anext(events) for _ in expected] == expected
            for number in range(min(after, room)):
                bus.publish(number)
            assert [await anext(events) for _ in range(min(after, room))] == list(range(min(after, room)))

    run(test)


def test_a_slow_listener_costs_the_others_nothing() -> None:
    async def test() -> None:
        bus: Bus[int] = Bus(room=4)
        async with AsyncExitStack() as listening:
            slow = await listening.enter_async_context(bus.subscribe())
            quick = await listening.enter_async_context(bus.subscribe())
            for number in range(100):
                bus.publish(number)
                assert await anext(quick) == number
            assert [await anext(slow) for _ in range(5)] == [0, 1, 2, 3, Missed(96)]

    run(test)


def test_publishing_to_a_listener_whose_loop_has_ended_does_not_fail() -> None:
    bus: Bus[int] = Bus()

    async def leave_without_a_word() -> None:
        await bus.subscribe().__aenter__()

    asyncio.run(leave_without_a_word())
    bus.publish(1)


@pytest.mark.parametrize("path", ["identify", "verify"])
def test_the_engine_tells_of_its_decisions(client: Client, path: str) -> None:
    told: list[Decided] = []
    client.post("/galleries/default/subjects/ada/templates", json={"sequence": person()})
    detach = client.app.state.engine.events.attach(told.append)
    more = {"subject": "ada"} if path == "verify" else {}
    answer = client.post(f"/{path}", json={"sequence": person(seed=1), **more})
    assert answer.status_code == 200, answer.text
    detach()
    client.post(f"/{path}", json={"sequence": person(seed=2), **more})
    assert [(each.kind, each.gallery, each.decision.subject) for each in told] == [(path, "default", "ada")]


def test_an_abstention_is_told_too(client: Client) -> None:
    told: list[Decided] = []
    client.app.state.engine.events.attach(told.append)
    client.post("/identify", json={"sequence": person(frames=10)})
    assert [each.decision.outcome for each in told] == [Outcome.ABSTAIN]
    assert isinstance(told[0].decision, Decision)
