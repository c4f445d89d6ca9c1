"""Webhooks over HTTP: made, shown without their secret, tried, told of decisions, and forgotten."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import msgspec
import pytest

from gallery.library import Library
from service.access.caller import Caller, Scope
from service.app import create_app
from service.client.signature import verify_signature
from service.engine.engine import Engine
from service.operation.metrics import Metrics
from service.settings import Settings
from service.told import DecisionEvent
from service.webhooks import bodies
from tests.fakes import FakeEncoder
from tests.service.client import Client, started
from tests.service.conftest import person
from tests.service.webhooks.receiver import Receiver, receiving


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def private(library: Library, encoder: FakeEncoder) -> Iterator[Client]:
    """A service whose webhooks may lead to this machine."""
    settings = Settings.read({}, access="loopback", webhooks_private=True)
    with ExitStack() as running:
        engine = Engine(encoder, None, library, settings.limits, Metrics())
        yield running.enter_context(started(create_app(settings, engine)))


def make(client: Client, url: str, **more: Any) -> dict[str, Any]:
    made = client.post("/webhooks", json={"url": url, **more})
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    assert made.headers["Location"] == f"/webhooks/{found['id']}"
    return found


def test_the_secret_is_shown_once(client: Client) -> None:
    made = make(client, "https://example.org/hook", gallery="default")
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert client.get(f"/webhooks/{made['id']}").json() == made
    listed = client.get("/webhooks")
    assert listed.json() == {"webhooks": [made], "next": None}
    assert secret not in listed.text + client.get("/audit").text


def test_webhooks_are_listed_in_pages(client: Client) -> None:
    made = sorted(make(client, "https://example.org/")["id"] for _ in range(3))
    page = client.get("/webhooks?limit=2").json()
    assert ([each["id"] for each in page["webhooks"]], page["next"]) == (made[:2], made[1])
    assert [each["id"] for each in client.get(f"/webhooks?after={made[1]}").json()["webhooks"]] == made[2:]


def test_one_that_is_deleted_is_not_found(client: Client) -> None:
    made = make(client, "https://example.org/")
    assert client.delete(f"/webhooks/{made['id']}").status_code == 204
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/test")):
        answer = client.request(method, f"/webhooks/{made['id']}{path}")
        assert answer.json()["type"] == "urn:gaitkeeper:problem:unknown-resource"


@pytest.mark.parametrize(
    "url", ["http://example.org/", "https://127.0.0.1/", "https://[::1]:8443/", "https://localhost"]
)
def test_private_addresses_are_refused(client: Client, url: str) -> None:
    refused = client.post("/webhooks", json={"url": url})
    assert (refused.status_code, refused.json()["field"]) == (422, "url")


def test_a_webhook_of_a_gallery_that_is_not_there_is_refused(client: Client) -> None:
    assert client.post("/webhooks", json={"url": "https://example.org", "gallery": "x"}).status_code == 404


def test_a_webhook_is_tried(private: Client, receiver: Receiver) -> None:
    made = make(private, receiver.url)
    tried = private.post(f"/webhooks/{made['id']}/test")
    assert tried.json() == {"received": True, "status": 200, "error": None}
    (got,) = receiver.got
    assert got.headers["x-gaitkeeper-event"] == "test"
    assert verify_signature(made["secret"], got.headers["x-gaitkeeper-signature"], got.body)
    receiver.statuses = [500]
    tried = private.post(f"/webhooks/{made['id']}/test")
    assert tried.json() == {"received": False, "status": 500, "error": "refused"}


def enroll(client: Client, subject: str, number: int) -> None:
    client.post(f"/galleries/default/subjects/{subject}/templates", json={"sequence": person(number)})


def test_a_decision_is_told_as_its_receiver_may_see_it(private: Client, receiver: Receiver) -> None:
    for number in range(3):
        enroll(private, f"p{number}", number)
    made = make(private, receiver.url, gallery="default", events=["match"])
    private.post("/identify", json={"sequence": person(7)})
    answer = private.post("/identify", json={"sequence": person(1, seed=5)}).json()
    (got,) = receiver.wait(1)
    assert got.headers["x-gaitkeeper-event"] == "decision.match"
    assert verify_signature(made["secret"], got.headers["x-gaitkeeper-signature"], got.body)
    event = msgspec.json.decode(got.body, type=DecisionEvent)
    assert (event.gallery, event.kind, event.decision.subject) == ("default", "identify", "p1")
    assert event.decision.score == round(answer["score"], 3)
    assert [each.subject for each in event.decision.candidates] == ["p1"]


def test_what_names_somebody_who_was_erased_is_not_told(private: Client, receiver: Receiver) -> None:
    enroll(private, "ann", 1)
    make(private, receiver.url.replace("localhost", "no-such-host.invalid"), gallery="default")
    private.post("/identify", json={"sequence": person(1, seed=5)})
    waiting = private.get("/webhooks")
    while not waiting.json()["webhooks"][0]["waiting"]:
        waiting = private.get("/webhooks")
    private.delete("/galleries/default/subjects/ann")
    assert private.get("/webhooks").json()["webhooks"][0]["waiting"] == 0


def key(*galleries: str) -> Caller:
    return Caller("key:a", frozenset({Scope.MANAGE}), frozenset(galleries) if galleries else None)


def test_who_sees_a_webhook(client: Client) -> None:
    every = make(client, "https://example.org/")
    of_one = make(client, "https://example.org/", gallery="default")
    from gallery.store.webhooks import webhook

    store = client.app.state.engine.library.store
    seen = [
        [bodies.may_see(who, webhook(store, made["id"])) for made in (every, of_one)]
        for who in (key(), key("default"), key("x"))
    ]
    assert seen == [[True, True], [False, True], [False, False]]
