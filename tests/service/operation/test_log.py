"""What a log line holds: who asked and which request, and never what an error says."""

import asyncio
import gc
import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from service.operation import log
from service.operation.log import without_words
from tests.service.client import Client
from tests.service.conftest import Serve, person

SECRET = "ann-of-the-secret-name"


@pytest.fixture
def logged(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What is logged as a deployment logs it."""
    stream = io.StringIO()
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    log.configure("info")
    handler = root.handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    yield stream
    root.handlers[:] = before
    root.setLevel(level)
    structlog.reset_defaults()


def failing() -> None:
    try:
        dict[str, str]()[SECRET]
    except KeyError as error:
        raise RuntimeError(f"of {SECRET}") from error


@pytest.mark.parametrize("ours", [True, False])
def test_an_unforeseen_error_is_logged_by_kind_and_place_and_without_its_words(logged: io.StringIO, ours: bool) -> None:
    try:
        failing()
    except RuntimeError:
        if ours:
            structlog.get_logger("gaitkeeper").exception("it failed")
        else:
            logging.getLogger("uvicorn.error").exception("it failed")
    line = json.loads(logged.getvalue())
    assert (line["event"], line["level"]) == ("it failed", "error")
    assert line["error"] == ["RuntimeError", "KeyError"]
    assert line["at"][-1].startswith("operation/test_log.py:")
    assert line["at"][-1].endswith(" failing")
    assert SECRET not in logged.getvalue()


def test_what_asyncio_says_of_a_task_that_failed_names_nobody(logged: io.StringIO) -> None:
    async def fail() -> None:
        raise KeyError(SECRET)

    async def lose() -> None:
        task = asyncio.ensure_future(fail())
        await asyncio.wait({task})
        del task
        gc.collect()

    asyncio.run(lose())
    line = json.loads(logged.getvalue())
    assert (line["event"], line["error"]) == ("Task exception was never retrieved", ["KeyError"])
    assert SECRET not in logged.getvalue()


def test_paths_of_web_sockets_are_not_logged(logged: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").info('%s - "WebSocket %s" [accepted]', "127.0.0.1:5", f"/streams/{SECRET}")
    assert logged.getvalue() == ""


def test_an_error_that_was_never_raised_has_no_place() -> None:
    assert without_words(None, "", {"exc_info": ValueError(SECRET)}) == {"error": ["ValueError"], "at": []}
    assert without_words(None, "", {"event": "x"}) == {"event": "x"}


class Failing:
    """Fails with somebody's name, in a way that nobody foresaw."""

    def __init__(self, like: Any) -> None:
        self.fingerprint, self.layout, self.clip, self.dim = like.fingerprint, like.layout, like.clip, like.dim

    def embed_clips(self, clips: Any) -> Any:
        raise KeyError(SECRET)


def test_a_request_that_fails_leaves_its_id_and_nobody_s_name(serve: Serve, encoder: Any, logged: io.StringIO) -> None:
    client: Client = serve(Failing(encoder))
    failed = client.post("/embed", json={"sequence": person()}, headers={"X-Request-Id": "mine-7"})
    assert failed.status_code == 500
    lines = [json.loads(line) for line in logged.getvalue().splitlines()]
    assert "mine-7" in {line.get("request_id") for line in lines}
    assert SECRET not in logged.getvalue()


def test_nothing_is_logged_of_a_request_unless_it_is_asked_for(client: Client) -> None:
    with capture_logs() as lines:
        client.get("/galleries")
    assert not lines
