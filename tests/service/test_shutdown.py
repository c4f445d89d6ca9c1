"""The end of a service: readiness goes first, then nobody new is let in, and what was accepted is finished."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import httpx
import pytest

from gallery.library import Library
from model.sequence import Floats
from service.operation.life import RETRY_AFTER_S
from service.process.server import running
from service.settings import Settings
from tests.fakes import FakeEncoder
from tests.service.conftest import make_app, person

PATIENCE_S = 20.0


class GatedEncoder(FakeEncoder):
    """Waits in every call while the gate is shut."""

    def __init__(self) -> None:
        super().__init__()
        self.open, self.entered = threading.Event(), threading.Event()

    def embed_clips(self, clips: Floats) -> Floats:
        self.entered.set()
        assert self.open.wait(PATIENCE_S)
        return super().embed_clips(clips)


@pytest.fixture
def encoder() -> GatedEncoder:
    return GatedEncoder()


class Ending:
    """A service that can be told to end, while the test goes on asking it."""

    def __init__(self, service: AbstractContextManager[str]) -> None:
        self._service = service
        self.where = service.__enter__()
        self._ended = threading.Thread(target=service.__exit__, args=(None, None, None))

    def end(self) -> None:
        self._ended.start()

    def wait(self) -> None:
        self._ended.join(PATIENCE_S)
        assert not self._ended.is_alive()


@pytest.fixture
def start(library: Library, encoder: GatedEncoder) -> Iterator[Callable[[float], Ending]]:
    found: list[Ending] = []

    def _start(drain_seconds: float) -> Ending:
        settings = Settings.read({}, port=0, shutdown_seconds=15, drain_seconds=drain_seconds)
        found.append(Ending(running(make_app(library, encoder), settings)))
        return found[-1]

    yield _start
    encoder.open.set()
    for each in found:
        each.wait()


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, "waited for in vain"
        time.sleep(0.02)


def test_readiness_goes_first_then_nobody_new_is_let_in_and_who_is_inside_is_answered(
    start: Callable[[float], Ending], encoder: GatedEncoder
) -> None:
    service = start(1.0)
    answered: list[httpx.Response] = []

    def ask() -> None:
        answered.append(httpx.post(f"{service.where}/embed", json={"sequence": person()}, timeout=PATIENCE_S))

    asking = threading.Thread(target=ask)
    asking.start()
    assert encoder.entered.wait(PATIENCE_S)
    service.end()
    until(lambda: httpx.get(f"{service.where}/readyz").status_code == 503)
    ready = httpx.get(f"{service.where}/readyz").json()
    assert ready["checks"]["service"] == "it is about to end"
    still = httpx.get(f"{service.where}/galleries")
    assert (still.status_code, still.headers["connection"]) == (200, "close")
    until(lambda: httpx.get(f"{service.where}/galleries").status_code == 503)
    refused = httpx.get(f"{service.where}/galleries")
    assert refused.headers["connection"] == "close"
    assert refused.headers["retry-after"] == str(RETRY_AFTER_S)
    assert refused.json()["type"] == "urn:gaitkeeper:problem:service-unavailable"
    assert httpx.get(f"{service.where}/healthz").status_code == 200, "the process lives until its last answer"
    assert not answered
    encoder.open.set()
    asking.join(PATIENCE_S)
    assert [each.status_code for each in answered] == [200]
    service.wait()
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{service.where}/healthz")


def test_a_service_that_nobody_asks_anything_ends_at_once(start: Callable[[float], Ending]) -> None:
    service = start(0.0)
    assert httpx.get(f"{service.where}/readyz").status_code == 200
    service.end()
    service.wait()
