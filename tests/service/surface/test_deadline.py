"""A request is answered within its deadline, or told that nothing was done; and then nothing was."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from gallery.library import Library
from model.sequence import Floats
from service.app import create_app
from service.engine.engine import Engine
from service.operation.metrics import Metrics
from service.settings import Settings
from tests.fakes import FakeClassifier, FakeEncoder
from tests.service.client import Client, started
from tests.service.conftest import Serve, person

LATE = "urn:gaitkeeper:problem:deadline-exceeded"
SOON = {"X-Deadline-Ms": "50"}


class StuckEncoder(FakeEncoder):
    """Embeds once `go` is set, and counts what it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.go, self.began, self.batches = threading.Event(), threading.Event(), 0

    def embed_clips(self, clips: Floats) -> Floats:
        self.began.set()
        assert self.go.wait(30)
        self.batches += 1
        return super().embed_clips(clips)


@pytest.fixture
def stuck() -> Iterator[StuckEncoder]:
    encoder = StuckEncoder()
    yield encoder
    encoder.go.set()


def test_whoever_waits_no_longer_is_told_and_nothing_was_enrolled(serve: Serve, stuck: StuckEncoder) -> None:
    client = serve(stuck)
    late = client.post("/galleries/default/subjects/ada/templates", json={"sequence": person()}, headers=SOON)
    assert (late.status_code, late.json()["type"], late.json()["limit"]) == (504, LATE, 0.05)
    stuck.go.set()
    assert client.post("/identify", json={"sequence": person()}).status_code == 409
    assert client.get("/galleries/default/subjects/ada").status_code == 404


def test_what_nobody_waits_for_is_not_encoded(serve: Serve, stuck: StuckEncoder) -> None:
    client = serve(stuck)
    for _ in range(4):  # the first is being encoded, the others wait
        assert client.post("/embed", json={"sequence": person()}, headers=SOON).status_code == 504
    stuck.go.set()
    assert client.post("/embed", json={"sequence": person()}).status_code == 200
    assert stuck.batches == 2


def test_a_change_that_has_begun_is_done_and_answered(client: Client) -> None:
    """However short the deadline: nobody is told that something was not done which was."""
    for place in range(20):
        made = client.post("/galleries", json={"name": f"g{place}"}, headers={"X-Deadline-Ms": "1"})
        there = client.get(f"/galleries/g{place}").status_code == 200
        assert made.status_code in (201, 504)
        assert there == (made.status_code == 201)
        if there:
            assert client.delete(f"/galleries/g{place}", headers={"X-Deadline-Ms": "1"}).status_code == 204


def test_the_deployment_bounds_what_a_caller_may_wait(library: Library, stuck: StuckEncoder) -> None:
    settings = Settings.read({"GAITKEEPER_DEADLINE_SECONDS": "0.05"}, access="loopback")
    engine = Engine(stuck, FakeClassifier(), library, settings.limits, Metrics(), ())
    with started(create_app(settings, engine)) as client:
        late = client.post("/embed", json={"sequence": person()}, headers={"X-Deadline-Ms": "999999"})
        assert late.status_code == 504
        stuck.go.set()


@pytest.mark.parametrize("sent", ["0", "-1", "1.5", "soon", "1" * 10, ""])
def test_a_deadline_that_is_none_is_refused(client: Client, sent: str) -> None:
    answer = client.get("/galleries", headers={"X-Deadline-Ms": sent})
    assert (answer.status_code, answer.json()["field"]) == (422, "X-Deadline-Ms")


def test_a_deadline_far_away_is_kept_easily(client: Client) -> None:
    far: dict[str, Any] = {"headers": {"X-Deadline-Ms": "999999999"}}
    assert client.get("/galleries", **far).status_code == 200
