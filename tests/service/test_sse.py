"""Server-sent events, message by message, as a server would ask for them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from starlette.requests import Request
from starlette.responses import Response

from model.errors import Overloaded, StoreUnavailable
from service import sse
from service.access.caller import LOOPBACK
from service.access.needs import CALLER
from service.sse import Counted, Listeners, Told, event_stream


class Reader:
    """A caller that reads what is sent, and hangs up when told to."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.gone = asyncio.Event()
        self.arrived = asyncio.Condition()

    async def receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        self.sent.append(message)
        async with self.arrived:
            self.arrived.notify_all()

    async def until(self, text: bytes) -> None:
        async with self.arrived:
            await self.arrived.wait_for(lambda: text in self.body)

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)

    @property
    def ended(self) -> bool:
        return self.sent[-1].get("more_body") is False


def request(listeners: Listeners) -> Request:
    app = SimpleNamespace(state=SimpleNamespace(listeners=listeners))
    scope = {"type": "http", "app": app, "method": "GET", "path": "/events", "headers": [], CALLER: LOOPBACK}
    return Request(scope)


def answer(response: Response, reader: Reader) -> "asyncio.Task[None]":
    async def answered() -> None:
        await response({"type": "http"}, reader.receive, reader.send)

    return asyncio.create_task(answered())


def run(test: Callable[[], Awaitable[None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 10))  # type: ignore[arg-type]


async def counting(to: int) -> AsyncIterator[Told]:
    for number in range(to):
        yield "counted", Counted(number)


async def never(closed: list[bool]) -> AsyncIterator[Told]:
    try:
        yield "first", Counted(1)
        await asyncio.Event().wait()
    finally:
        closed.append(True)


def test_events_are_told_with_ids_and_names_until_they_end() -> None:
    async def test() -> None:
        reader = Reader()
        await answer(event_stream(request(Listeners()), counting(2)), reader)
        headers = dict(reader.sent[0]["headers"])
        assert headers[b"content-type"].startswith(b"text/event-stream")
        assert b"content-length" not in headers
        assert (
            b'id: 1\nevent: counted\ndata: {"count":0}\n\nid: 2\nevent: counted\ndata: {"count":1}\n\n' in reader.body
        )
        assert reader.ended

    run(test)


def test_a_reader_who_hangs_up_ends_the_events() -> None:
    async def test() -> None:
        reader, listeners, closed = Reader(), Listeners(), []  # type: ignore[var-annotated]
        answering = answer(event_stream(request(listeners), never(closed)), reader)
        await reader.until(b"event: first")
        assert listeners.count == 1
        reader.gone.set()
        await answering
        assert closed == [True]
        assert listeners.count == 0

    run(test)


def test_a_service_that_stops_ends_the_events_properly() -> None:
    async def test() -> None:
        reader, listeners, closed = Reader(), Listeners(), []  # type: ignore[var-annotated]
        answering = answer(event_stream(request(listeners), never(closed)), reader)
        await reader.until(b"event: first")
        listeners.leave()
        await answering
        assert reader.ended
        assert closed == [True]
        assert listeners.leaving

    run(test)


def test_what_is_done_when_the_service_stops_is_still_told() -> None:
    async def test() -> None:
        stopping = asyncio.Event()

        async def events() -> AsyncIterator[Told]:
            yield "first", Counted(1)
            await stopping.wait()
            yield "last", Counted(2)

        async def stop() -> None:
            stopping.set()

        reader, listeners = Reader(), Listeners()
        answering = answer(event_stream(request(listeners), events(), stop), reader)
        await reader.until(b"event: first")
        listeners.leave()
        await answering
        assert b"event: last" in reader.body
        assert reader.ended

    run(test)


def test_an_error_in_between_is_the_last_event() -> None:
    async def failing() -> AsyncIterator[Told]:
        yield "counted", Counted(1)
        raise StoreUnavailable("gone")

    async def test() -> None:
        reader = Reader()
        await answer(event_stream(request(Listeners()), failing()), reader)
        assert b"id: 2\nevent: problem\n" in reader.body
        assert b"store-unavailable" in reader.body
        assert reader.ended

    run(test)


def test_a_mistake_of_ours_is_not_hidden() -> None:
    async def failing() -> AsyncIterator[Told]:
        raise LookupError("ours")
        yield

    async def test() -> None:
        with pytest.raises(LookupError):
            await answer(event_stream(request(Listeners()), failing()), Reader())

    run(test)


def test_there_are_no_more_readers_than_there_may_be() -> None:
    async def test() -> None:
        reader, second, listeners = Reader(), Reader(), Listeners(at_once=9, of_one=1)
        answering = answer(event_stream(request(listeners), never([])), reader)
        await reader.until(b"event: first")
        await answer(event_stream(request(listeners), counting(1)), second)
        assert second.sent[0]["status"] == 429
        assert msgspec.json.decode(second.body)["retry_after"] == sse.RETRY_AFTER_S
        reader.gone.set()
        await answering
        third = Reader()
        await answer(event_stream(request(listeners), counting(1)), third)
        assert third.sent[0]["status"] == 200

    run(test)


def test_all_callers_together_are_bounded_too() -> None:
    async def test() -> None:
        listeners = Listeners(at_once=2, of_one=2)
        with listeners.entered("a"), listeners.entered("b"), pytest.raises(Overloaded), listeners.entered("c"):
            raise AssertionError

    run(test)
