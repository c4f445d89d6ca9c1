"""What goes on for long ends when the key of its caller does: over real sockets."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import httpx
import pytest
import websockets
from fastapi import FastAPI, WebSocket
from starlette.requests import Request
from starlette.responses import StreamingResponse
from websockets.exceptions import ConnectionClosed, InvalidStatus

from gallery.api_keys import Scope, id_of
from gallery.library import Library
from gallery.store import Store
from gallery.store.api_keys import revoke_key
from model.errors import GaitkeeperError
from service.access.authenticate import Authenticate
from service.access.needs import needs
from service.access.ring import KeyRing
from service.errors import answer_our_error
from service.operation.life import Life
from service.process.server import running
from service.settings import Settings
from service.sse import Listeners
from tests.service.access.keyed import bearer, key_for


def a_service_of_streams(ring: KeyRing) -> FastAPI:
    """Counts for ever, as server-sent events; and says again what comes in through a WebSocket."""
    app = FastAPI()
    app.state.ring, app.state.life, app.state.listeners = ring, Life(), Listeners()

    async def numbers() -> AsyncIterator[bytes]:
        number = 0
        while True:
            yield f"data: {number}\n\n".encode()
            number += 1
            await asyncio.sleep(0.02)

    @app.get("/events")
    async def events(request: Request) -> StreamingResponse:
        return StreamingResponse(numbers(), media_type="text/event-stream")

    @app.websocket("/galleries/{gallery}/echo", dependencies=[needs(Scope.IDENTIFY)])
    async def echo(socket: WebSocket) -> None:
        await socket.accept()
        async for text in socket.iter_text():
            await socket.send_text(f"{text} {socket.scope['subprotocols']}")

    app.add_exception_handler(GaitkeeperError, answer_our_error)
    app.add_middleware(Authenticate, access="keys")
    return app


@contextmanager
def serving(store: Store) -> Iterator[tuple[str, KeyRing]]:
    ring = KeyRing(store, every_s=0.05)
    ring.start()
    try:
        with running(a_service_of_streams(ring), Settings.read({}, port=0)) as where:
            yield where, ring
    finally:
        ring.stop()


@pytest.fixture
def streams(library: Library) -> Iterator[tuple[str, Store]]:
    """The address of the service, and its store."""
    with serving(library.store) as (where, _):
        yield where, library.store


def socket_of(where: str, gallery: str = "ours") -> str:
    return f"{where.replace('http', 'ws', 1)}/galleries/{gallery}/echo"


def test_events_end_with_the_key_and_as_an_answer_ends(streams: tuple[str, Store]) -> None:
    where, store = streams
    key = key_for(store)
    seen = 0
    with httpx.stream("GET", f"{where}/events", headers=bearer(key), timeout=10) as answer:
        for line in answer.iter_lines():
            seen += line.startswith("data")
            if seen == 3:
                revoke_key(store, id_of(key) or "")
    assert seen >= 3, "the answer came to its end by itself"
    assert httpx.get(f"{where}/events", headers=bearer(key)).status_code == 401


def test_a_socket_is_closed_with_the_key_and_nothing_more_is_taken_from_it(streams: tuple[str, Store]) -> None:
    where, store = streams
    key = key_for(store)

    async def repeat(socket: websockets.ClientConnection) -> None:
        for _ in range(500):
            await socket.send("again")
            await socket.recv()
            await asyncio.sleep(0.01)

    async def talk() -> int | None:
        async with websockets.connect(socket_of(where), additional_headers=bearer(key)) as socket:
            await socket.send("hello")
            assert (await socket.recv()).startswith("hello")
            await asyncio.to_thread(revoke_key, store, id_of(key) or "")
            with pytest.raises(ConnectionClosed) as closed:
                await repeat(socket)
            return closed.value.rcvd and closed.value.rcvd.code

    assert asyncio.run(talk()) == 1008


def test_a_browser_gives_its_key_as_a_subprotocol_and_gets_ours(streams: tuple[str, Store]) -> None:
    where, store = streams
    key = key_for(store)

    async def talk() -> tuple[str | None, str]:
        async with websockets.connect(socket_of(where), subprotocols=["gaitkeeper", f"bearer.{key}"]) as socket:
            await socket.send("hello")
            return socket.subprotocol, str(await socket.recv())

    selected, said = asyncio.run(talk())
    assert selected == "gaitkeeper"
    assert said == "hello ['gaitkeeper']", "the key goes no further"


def refused(where: str, **more: object) -> tuple[int, dict[str, object]]:
    """How a WebSocket is refused: status and problem, before anything was said."""

    async def knock() -> tuple[int, dict[str, object]]:
        with pytest.raises(InvalidStatus) as answer:
            async with websockets.connect(where, **more):  # type: ignore[arg-type]
                pass
        body = answer.value.response.body
        return answer.value.response.status_code, json.loads(body or b"{}")

    return asyncio.run(knock())


def test_a_socket_is_refused_like_any_other_request(streams: tuple[str, Store]) -> None:
    where, store = streams
    little, bound, good = key_for(store, [Scope.AUDIT]), key_for(store, [Scope.IDENTIFY], "ours"), key_for(store)
    ours, theirs, nowhere = (socket_of(where, gallery) for gallery in ("ours", "theirs", "nowhere"))
    status, problem = refused(ours)
    assert (status, problem["type"]) == (401, "urn:gaitkeeper:problem:unknown-caller")
    assert refused(ours, subprotocols=["gaitkeeper", "bearer.nonsense"]) == (status, problem)
    both = {"subprotocols": ["gaitkeeper", f"bearer.{good}"], "additional_headers": bearer(good)}
    assert refused(ours, **both) == (status, problem)
    assert refused(ours, additional_headers=bearer(little))[0] == 403
    foreign, missing = (refused(each, additional_headers=bearer(bound)) for each in (theirs, nowhere))
    assert foreign[0] == 404
    assert json.dumps(foreign).replace("theirs", "nowhere") == json.dumps(missing)
