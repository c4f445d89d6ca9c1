"""The service as a real HTTP server on a socket: large bodies, callers who leave, shared batches, its end."""

import asyncio
import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from gallery.library import Library
from model.errors import InvalidRequest
from service.process.server import address, listen, running
from service.settings import Settings
from tests.fakes import FakeEncoder
from tests.service.conftest import make_app, person

BODY = json.dumps({"sequence": person()}).encode()


class GatedEncoder(FakeEncoder):
    """Waits in every call while the gate is shut."""

    def __init__(self) -> None:
        super().__init__()
        self.open = threading.Event()
        self.open.set()
        self.entered = threading.Semaphore(0)

    def embed_clips(self, clips: Any) -> Any:
        self.entered.release()
        assert self.open.wait(20)
        return super().embed_clips(clips)


@pytest.fixture
def encoder() -> GatedEncoder:
    return GatedEncoder()


@contextmanager
def serving(library: Library, encoder: FakeEncoder, **limits: int) -> Iterator[str]:
    with running(make_app(library, encoder, **limits), Settings.read({}, port=0, shutdown_seconds=10)) as where:
        yield where


def test_it_answers_over_a_socket(library: Library, encoder: GatedEncoder) -> None:
    with serving(library, encoder) as where, httpx.Client(base_url=where) as client:
        assert client.get("/healthz").json() == {"status": "ok"}
        enrolled = client.post("/galleries/default/subjects/ada/templates", json={"sequence": person(1)})
        assert enrolled.status_code == 201
        assert client.post("/identify", json={"sequence": person(1, seed=4)}).json()["subject"] == "ada"


@pytest.mark.parametrize("announced", [True, False])
def test_a_100_mb_body_is_refused_quickly_and_the_caller_can_read_why(
    library: Library, encoder: GatedEncoder, announced: bool
) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(100):
            yield b" " * 1_000_000

    headers = {"Content-Type": "application/json"}
    with serving(library, encoder) as where, httpx.Client(base_url=where, timeout=30) as client:
        started = time.monotonic()
        content: Any = b" " * 100_000_000 if announced else chunks()
        response = client.post("/identify", content=content, headers=headers)
        assert response.status_code == 413
        assert response.json()["type"] == "urn:gaitkeeper:problem:limit-exceeded"
        assert time.monotonic() - started < 10
        assert client.get("/healthz").status_code == 200


@pytest.mark.parametrize("start", [b"GET /", b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: "])
def test_a_head_without_end_is_refused(library: Library, encoder: GatedEncoder, start: bytes) -> None:
    with serving(library, encoder) as where:
        url = httpx.URL(where)
        with socket.create_connection((url.host, url.port), timeout=10) as caller:
            caller.sendall(start)
            with contextlib.suppress(ConnectionError):
                for _ in range(1000):
                    caller.sendall(b"a" * 50_000)
                raise AssertionError("50 MB of head were read")
        assert httpx.get(f"{where}/healthz", headers={"X-Long": "a" * 30_000}).status_code == 200


def test_a_head_that_is_too_long_is_answered_with_a_problem(library: Library, encoder: GatedEncoder) -> None:
    with serving(library, encoder) as where:
        url = httpx.URL(where)
        with socket.create_connection((url.host, url.port), timeout=10) as caller:
            for part in (b"GET /healthz HTTP/1.1\r\n", b"X-Long: " + b"a" * 40_000, b"a" * 40_000):
                caller.sendall(part)
                time.sleep(0.1)
            answer = caller.recv(4096)
        assert answer.startswith(b"HTTP/1.1 431 ")
        assert b"application/problem+json" in answer


def test_what_is_not_http_is_answered_with_a_problem(library: Library, encoder: GatedEncoder) -> None:
    with serving(library, encoder) as where:
        url = httpx.URL(where)
        with socket.create_connection((url.host, url.port), timeout=10) as caller:
            caller.sendall(b"WHO walked past?\r\n\r\n")
            answer = caller.recv(4096)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert b"urn:gaitkeeper:problem:bad-request" in answer


def test_a_caller_who_leaves_is_not_worked_for(library: Library, encoder: GatedEncoder) -> None:
    with serving(library, encoder) as where:
        encoder.open.clear()
        first = _raw_post(where, "/embed")
        assert encoder.entered.acquire(timeout=10)
        leaving, staying = _raw_post(where, "/embed"), _raw_post(where, "/embed")
        time.sleep(0.2)
        leaving.close()
        time.sleep(0.2)
        encoder.open.set()
        for caller in (first, staying):
            assert caller.recv(100).startswith(b"HTTP/1.1 200")
            caller.close()
    assert encoder.calls == [1, 1], "the second batch holds only the one who stayed"


def _raw_post(where: str, path: str) -> socket.socket:
    url = httpx.URL(where)
    caller = socket.create_connection((url.host, url.port), timeout=10)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    head += f"Content-Length: {len(BODY)}\r\n\r\n"
    caller.sendall(head.encode() + BODY)
    return caller


def test_requests_in_flight_share_batches_and_each_gets_its_own_answer(library: Library, encoder: GatedEncoder) -> None:
    async def everybody(where: str) -> list[list[float]]:
        async with httpx.AsyncClient(base_url=where, timeout=30) as client:

            async def one(subject: int) -> list[float]:
                response = await client.post("/embed", json={"sequence": person(subject)})
                embedding: list[float] = response.json()["embedding"]
                return embedding

            encoder.open.clear()
            asks = [asyncio.create_task(one(subject)) for subject in range(24)]
            await asyncio.sleep(0.5)
            encoder.open.set()
            return await asyncio.gather(*asks)

    with serving(library, encoder) as where:
        together = asyncio.run(everybody(where))
        shared = list(encoder.calls)
        alone = [
            httpx.post(f"{where}/embed", json={"sequence": person(subject)}).json()["embedding"] for subject in range(3)
        ]
    assert len(shared) < 24
    assert sum(shared) == 24
    assert together[:3] == [pytest.approx(embedding, abs=1e-6) for embedding in alone]
    assert len({tuple(embedding) for embedding in together}) == 24


def test_a_full_queue_is_answered_with_429_and_a_time_to_come_back(library: Library, encoder: GatedEncoder) -> None:
    with serving(library, encoder, queue_length=1) as where:
        encoder.open.clear()
        first = _raw_post(where, "/embed")
        assert encoder.entered.acquire(timeout=10)
        second = _raw_post(where, "/embed")
        time.sleep(0.2)
        response = httpx.post(f"{where}/embed", json={"sequence": person()})
        assert response.status_code == 429
        assert int(response.headers["retry-after"]) >= 1
        assert response.json()["retry_after"] == int(response.headers["retry-after"])
        encoder.open.set()
        for caller in (first, second):
            assert caller.recv(100).startswith(b"HTTP/1.1 200")
            caller.close()


def test_too_many_requests_at_once_are_turned_away_but_health_is_not(library: Library, encoder: GatedEncoder) -> None:
    with serving(library, encoder, requests=1) as where:
        encoder.open.clear()
        first = _raw_post(where, "/embed")
        assert encoder.entered.acquire(timeout=10)
        assert httpx.get(f"{where}/galleries").status_code == 429
        assert httpx.get(f"{where}/healthz").status_code == 200
        encoder.open.set()
        assert first.recv(100).startswith(b"HTTP/1.1 200")
        first.close()


def test_stopping_finishes_what_was_accepted(library: Library, encoder: GatedEncoder) -> None:
    encoder.open.clear()
    with serving(library, encoder) as where:
        caller = _raw_post(where, "/embed")
        assert encoder.entered.acquire(timeout=10)
        threading.Timer(0.3, encoder.open.set).start()
    assert caller.recv(100).startswith(b"HTTP/1.1 200")
    caller.close()


def test_a_port_in_use_is_said_in_one_line() -> None:
    with listen("127.0.0.1", 0) as taken:
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InvalidRequest, match=f"127.0.0.1:{port} is in use by another program"):
            listen("127.0.0.1", port)


def test_an_address_that_is_not_ours_is_said_in_one_line() -> None:
    with pytest.raises(InvalidRequest, match="cannot be had"):
        listen("203.0.113.7", 0)


def test_an_ipv6_address_is_written_as_a_url_wants_it() -> None:
    with listen("::1", 0) as sock:
        assert address(sock).startswith("http://[::1]:")
