"""Decisions over server-sent events, from a real server."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from gallery.library import Library
from gallery.template import Candidate, Decision, Outcome, now
from service.access.caller import LOOPBACK, Caller, Scope
from service.events import Decided
from service.process.server import running
from service.settings import Settings
from service.told import event_of
from tests.fakes import FakeEncoder
from tests.service.conftest import make_app, person

SETTINGS = Settings.read({}, access="loopback", port=0)


@pytest.fixture
def service(library: Library, encoder: FakeEncoder) -> Iterator[str]:
    with running(make_app(library, encoder), SETTINGS) as address:
        yield address


@contextmanager
def listening(address: str, **params: Any) -> Iterator[Iterator[tuple[str, dict[str, Any]]]]:
    """The events of a service, from the moment that it listens to whoever is in here."""
    with httpx.Client(base_url=address, timeout=20) as client, client.stream("GET", "/events", params=params) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        assert next(lines).startswith("retry:")
        yield _events(lines)


def _events(lines: Iterator[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    name = ""
    for line in lines:
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            yield name, json.loads(value)


def enroll(address: str, subject: str, number: int) -> None:
    path = f"{address}/galleries/default/subjects/{subject}/templates"
    assert httpx.post(path, json={"sequence": person(number)}).status_code == 201


def identify(address: str, number: int) -> dict[str, Any]:
    answer = httpx.post(f"{address}/identify", json={"sequence": person(number, seed=9)})
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


def test_decisions_are_told_as_they_are_made(service: str) -> None:
    enroll(service, "ann", 1)
    with listening(service) as events:
        answer = identify(service, 1)
        name, told = next(events)
    assert (name, told["type"], told["kind"], told["gallery"]) == ("decision", "decision.match", "identify", "default")
    assert told["decision"]["subject"] == answer["subject"] == "ann"
    assert told["decision"]["score"] == answer["score"]
    assert told["actor"] == "loopback"


def test_only_what_is_asked_for_is_told(service: str) -> None:
    enroll(service, "ann", 1)
    with listening(service, outcome="match", gallery="default", kind="identify") as events:
        identify(service, 4)
        identify(service, 1)
        assert next(events)[1]["decision"]["outcome"] == "match"


def test_a_gallery_that_is_not_there_cannot_be_listened_to(service: str) -> None:
    assert httpx.get(f"{service}/events", params={"gallery": "x"}).status_code == 404


def test_who_listens_does_not_keep_a_service_from_stopping(library: Library, encoder: FakeEncoder) -> None:
    ended = threading.Event()
    listens = threading.Event()

    def listen(address: str) -> None:
        with listening(address) as events:
            listens.set()
            assert list(events) == []
            ended.set()

    with running(make_app(library, encoder), SETTINGS) as address:
        listener = threading.Thread(target=listen, args=(address,))
        listener.start()
        assert listens.wait(10)
    listener.join(10)
    assert ended.is_set()


def decided(outcome: Outcome, subject: str | None) -> Decided:
    candidates = (Candidate("ann", 0.876543, 1), Candidate("ben", 0.612345, 2))
    decision = Decision(outcome, subject, 0.876543, 0.8 if subject else 0.9, candidates=candidates, margin=0.264198)
    return Decided("1", now(), "identify", "default", decision, "key:a")


def test_who_may_not_investigate_is_told_no_names_below_the_threshold() -> None:
    some = Caller("key:b", frozenset({Scope.IDENTIFY}))
    told = event_of(decided(Outcome.NO_MATCH, None), some).decision
    assert (told.subject, told.candidates, told.score) == (None, [], 0.877)
    told = event_of(decided(Outcome.MATCH, "ann"), some).decision
    assert [each.subject for each in told.candidates] == ["ann"]
    told = event_of(decided(Outcome.NO_MATCH, None), LOOPBACK).decision
    assert [each.subject for each in told.candidates] == ["ann", "ben"]
    assert told.score == 0.876543


def test_a_webhook_names_nobody_but_who_was_found() -> None:
    told = event_of(decided(Outcome.MATCH, "ann"), LOOPBACK, only_match=True).decision
    assert [each.subject for each in told.candidates] == ["ann"]
    assert event_of(decided(Outcome.NO_MATCH, None), LOOPBACK, only_match=True).decision.candidates == []
