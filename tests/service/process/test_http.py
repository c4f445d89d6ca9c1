"""Callers who are slow on purpose: who sends no head, no body, or takes no answer, is let go of in time."""

import asyncio
import contextlib
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI, WebSocket
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse

from service.operation.life import Life
from service.process.server import running
from service.settings import Settings
from service.sse import Listeners

HEAD_S, STALL_S = 0.3, 0.4


def a_slow_service() -> FastAPI:
    """Takes bodies, says long things, and notes who left before the end."""
    app = FastAPI()
    app.state.life, app.state.listeners, app.state.left = Life(), Listeners(), []

    @app.post("/take")
    async def take(request: Request) -> Response:
        try:
            return Response(str(len(await request.body())))
        except ClientDisconnect:
            app.state.left.append("body")
            raise

    @app.post("/turn-away")
    async def turn_away() -> Response:
        return Response("no", 413)

    @app.get("/long")
    async def long() -> StreamingResponse:
        async def said() -> Any:
            try:
                while True:
                    yield b"x" * 65536
                    await asyncio.sleep(0)
            finally:
                app.state.left.append("answer")

        return StreamingResponse(said())

    @app.get("/slow")
    async def slow() -> Response:
        await asyncio.sleep(3 * HEAD_S)
        return Response("slow")

    @app.websocket("/flood")
    async def flood(socket: WebSocket) -> None:
        await socket.accept()
        with contextlib.suppress(Exception):
            while True:
                await socket.send_bytes(b"x" * 65536)
                await asyncio.sleep(0)
        app.state.left.append("socket")

    @app.websocket("/listen")
    async def listen(socket: WebSocket) -> None:
        await socket.accept()
        async for _ in socket.iter_text():
            pass
        app.state.left.append("message")

    @app.websocket("/closed")
    async def refuse(socket: WebSocket) -> None:
        await socket.send_denial_response(Response("not for you", 403))

    return app


@pytest.fixture(scope="module")
def service() -> Iterator[tuple[FastAPI, str]]:
    app = a_slow_service()
    limits = {"head_seconds": HEAD_S, "stall_seconds": STALL_S}
    with running(app, Settings.read({}, port=0, limits=limits)) as where:
        yield app, where


def connected(where: str, receive_bytes: int | None = None) -> socket.socket:
    url = httpx.URL(where)
    caller = socket.socket()
    if receive_bytes is not None:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
    caller.settimeout(10)
    caller.connect((url.host, url.port))
    return caller


def all_of(caller: socket.socket) -> bytes:
    """What is received until the other end closes."""
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while part := caller.recv(65536):
            found += part
    return found


def assert_given_up(caller: socket.socket, dribble: bytes, every_s: float) -> None:
    """The other end hangs up, though it is sent something now and then."""
    start = time.monotonic()
    with contextlib.suppress(OSError):
        while time.monotonic() - start < 8:
            caller.sendall(dribble)
            time.sleep(every_s)
    assert time.monotonic() - start < 8, "bytes now and then kept it open"


def problem_in(answer: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.partition(b"\r\n\r\n")[2])
    return found


def test_who_connects_and_says_nothing_is_let_go(service: tuple[FastAPI, str]) -> None:
    with connected(service[1]) as caller:
        assert all_of(caller) == b""


@pytest.mark.parametrize("dribble", [b"a", b"\r\n"])
def test_a_head_that_comes_byte_by_byte_is_given_up(service: tuple[FastAPI, str], dribble: bytes) -> None:
    with connected(service[1]) as caller:
        caller.sendall(b"GET /slow HTTP/1.1\r\nX-A: " if dribble == b"a" else b"\r\n")
        assert_given_up(caller, dribble, HEAD_S / 8)


def test_who_has_sent_half_a_head_is_told(service: tuple[FastAPI, str]) -> None:
    with connected(service[1]) as caller:
        caller.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n")
        answer = all_of(caller)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert problem_in(answer)["type"] == "urn:gaitkeeper:problem:request-timeout"


def test_blank_lines_between_requests_do_not_keep_a_connection(service: tuple[FastAPI, str]) -> None:
    with connected(service[1]) as caller:
        caller.sendall(b"POST /take HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab")
        assert caller.recv(1000).startswith(b"HTTP/1.1 200 ")
        assert_given_up(caller, b"\r\n", HEAD_S / 8)


@pytest.mark.parametrize("framing", [b"Content-Length: 100000", b"Transfer-Encoding: chunked"])
def test_a_body_that_stalls_is_given_up_and_the_application_is_told(
    service: tuple[FastAPI, str], framing: bytes
) -> None:
    app, where = service
    app.state.left.clear()
    with connected(where) as caller:
        caller.sendall(b"POST /take HTTP/1.1\r\nHost: x\r\n" + framing + b"\r\n\r\n")
        answer = all_of(caller)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert app.state.left == ["body"]


def test_a_body_that_comes_byte_by_byte_is_given_up(service: tuple[FastAPI, str]) -> None:
    with connected(service[1]) as caller:
        caller.sendall(b"POST /take HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
        assert_given_up(caller, b"a", STALL_S / 8)


def test_the_rest_of_a_body_that_was_refused_does_not_keep_the_connection(service: tuple[FastAPI, str]) -> None:
    with connected(service[1]) as caller:
        caller.sendall(b"POST /turn-away HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
        assert caller.recv(1000).startswith(b"HTTP/1.1 413 ")
        assert_given_up(caller, b"a", STALL_S / 8)


def test_a_body_that_comes_on_is_waited_for_though_it_takes_longer(service: tuple[FastAPI, str]) -> None:
    with connected(service[1]) as caller:
        caller.sendall(b"POST /take HTTP/1.1\r\nHost: x\r\nContent-Length: 16000\r\n\r\n")
        for _ in range(16):
            caller.sendall(b"a" * 1000)
            time.sleep(STALL_S / 6)
        assert caller.recv(1000).endswith(b"16000")


def test_an_answer_that_takes_long_is_not_given_up_for_a_next_request_that_is_slow(
    service: tuple[FastAPI, str],
) -> None:
    with connected(service[1]) as caller:
        caller.sendall(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\nGET /sl")
        assert b"slow" in caller.recv(1000)


@pytest.mark.parametrize("path", ["/long", "/flood"])
def test_who_does_not_take_what_was_asked_for_is_let_go(service: tuple[FastAPI, str], path: str) -> None:
    app, where = service
    app.state.left.clear()
    upgrade = b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    upgrade += b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    with connected(where, receive_bytes=4096) as caller:
        caller.sendall(
            f"GET {path} HTTP/1.1\r\nHost: x\r\n".encode() + (upgrade if path == "/flood" else b"") + b"\r\n"
        )
        end = time.monotonic() + 10
        while not app.state.left:
            assert time.monotonic() < end
            time.sleep(0.02)


def test_who_takes_it_slowly_but_takes_it_is_served(service: tuple[FastAPI, str]) -> None:
    app, where = service
    app.state.left.clear()
    with connected(where, receive_bytes=4096) as caller:
        caller.sendall(b"GET /long HTTP/1.1\r\nHost: x\r\n\r\n")
        for _ in range(30):
            assert caller.recv(65536)
            time.sleep(STALL_S / 10)
        assert app.state.left == []


def test_a_message_that_is_begun_and_not_finished_is_given_up(service: tuple[FastAPI, str]) -> None:
    app, where = service
    app.state.left.clear()
    head = (
        b"GET /listen HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    with connected(where) as caller:
        caller.sendall(head)
        assert caller.recv(1000).startswith(b"HTTP/1.1 101 ")
        caller.sendall(bytes([0x01, 0x81, 0, 0, 0, 0]) + b"a")  # text, not the last part
        start = time.monotonic()
        with contextlib.suppress(OSError):
            while time.monotonic() - start < 8 and "message" not in app.state.left:
                caller.sendall(bytes([0x00, 0x81, 0, 0, 0, 0]) + b"a")
                time.sleep(STALL_S / 8)
        closing = all_of(caller)
    assert "message" in app.state.left
    assert (closing[0], int.from_bytes(closing[2:4], "big")) == (0x88, 1008)


def test_a_socket_that_is_refused_by_an_answer_is_no_error_of_ours(
    service: tuple[FastAPI, str], caplog: pytest.LogCaptureFixture
) -> None:
    _, where = service
    head = (
        b"GET /closed HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    with connected(where) as caller:
        caller.sendall(head)
        answer = all_of(caller)
    assert answer.startswith(b"HTTP/1.1 403 ")
    assert answer.endswith(b"not for you")
    assert not [record for record in caplog.records if record.levelname == "ERROR"]
