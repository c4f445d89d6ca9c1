"""A request has an id, and whatever comes of the request bears it."""

import re

from fastapi import FastAPI
from structlog.testing import capture_logs

from gallery.library import Library
from service.operation.log import with_request_id
from service.surface.request_id import INSTANCE_PREFIX, instance
from tests.fakes import FakeEncoder
from tests.service.client import Client, started
from tests.service.conftest import Serve, make_app


def test_the_callers_own_id_comes_back(client: Client) -> None:
    answer = client.get("/galleries", headers={"X-Request-Id": "cam-7.frame_12:a"})
    assert answer.headers["x-request-id"] == "cam-7.frame_12:a"


def test_whoever_sends_none_gets_a_new_one_each_time(client: Client) -> None:
    ids = {client.get("/healthz").headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3
    assert all(re.fullmatch("[0-9a-f]{32}", each) for each in ids)


def test_an_id_that_could_forge_a_log_or_fill_it_is_replaced(client: Client) -> None:
    for bad in ("", "-", "two words", 'a"b', "x" * 129, b"caf\xc3\xa9"):
        found = client.get("/healthz", headers={"X-Request-Id": bad}).headers["x-request-id"]
        assert re.fullmatch("[0-9a-f]{32}", found), bad


def test_a_problem_says_which_request_it_was(client: Client) -> None:
    for path in ("/galleries/nowhere", "/nothing"):
        answer = client.get(path, headers={"X-Request-Id": "abc"})
        assert answer.status_code == 404
        assert answer.json()["instance"] == INSTANCE_PREFIX + "abc"


def test_a_refusal_before_the_routes_says_so_too(client: Client) -> None:
    headers = {"X-Request-Id": "abc", "Content-Length": "99999999999"}
    answer = client.post("/identify", headers=headers)
    assert answer.status_code == 413
    assert answer.json()["instance"] == INSTANCE_PREFIX + "abc"


def test_an_error_of_ours_bears_the_id_in_the_answer_and_in_the_log(encoder: FakeEncoder, library: Library) -> None:
    app: FastAPI = make_app(library, encoder)

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("what nobody foresaw")

    with started(app) as client, capture_logs(processors=[with_request_id]) as logs:
        answer = client.get("/broken", headers={"X-Request-Id": "abc"})
    assert answer.status_code == 500
    assert answer.headers["x-request-id"] == "abc"
    assert answer.json()["instance"] == INSTANCE_PREFIX + "abc"
    assert "foresaw" not in answer.text
    assert [each["request_id"] for each in logs if each["event"] == "failed"] == ["abc"]


def test_outside_of_a_request_there_is_none(serve: Serve) -> None:
    assert instance() is None
