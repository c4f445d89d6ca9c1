"""HEAD, over a socket: the head of what GET answers, and nothing behind it."""

import time
from collections.abc import Iterator

import httpx
import pytest

from service.process.server import running
from service.settings import Settings
from tests.fakes import FakeEncoder
from tests.service.conftest import make_app, open_library

CHANGING = {"x-request-id", "date", "content-length", "transfer-encoding"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    encoder = FakeEncoder()
    app = make_app(open_library(tmp_path_factory.mktemp("data"), encoder), encoder)
    with running(app, Settings.read({}, port=0)) as where, httpx.Client(base_url=where, timeout=10) as client:
        yield client


@pytest.mark.parametrize("path", ["/healthz", "/galleries", "/v1/models", "/openapi.json", "/console/", "/nothing"])
def test_the_head_is_that_of_a_get_and_no_body_comes(client: httpx.Client, path: str) -> None:
    got, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (got.status_code, b"")
    assert kept(head) == kept(got)
    assert client.get("/healthz").json() == {"status": "ok"}  # on the same connection


def kept(answer: httpx.Response) -> dict[str, str]:
    """Header fields that are the same whenever it is answered."""
    return {name: value for name, value in answer.headers.items() if name not in CHANGING}


def test_events_end_with_their_head(client: httpx.Client) -> None:
    assert client.head("/events").headers["content-type"].startswith("text/event-stream")
    end = time.monotonic() + 10
    while "gaitkeeper_requests_inside 0.0" not in client.get("/metrics").text:
        assert time.monotonic() < end, "somebody is still told of events"
        time.sleep(0.01)


def test_what_can_only_be_posted_has_no_head(client: httpx.Client) -> None:
    refused = client.head("/identify")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")


def test_a_conditional_head_is_answered_as_a_conditional_get(client: httpx.Client) -> None:
    tag = client.head("/galleries").headers["etag"]
    assert client.head("/galleries", headers={"If-None-Match": tag}).status_code == 304


def test_it_is_counted_as_what_it_was(client: httpx.Client) -> None:
    client.head("/galleries")
    assert 'method="HEAD",route="/galleries",status="200"' in client.get("/metrics").text
