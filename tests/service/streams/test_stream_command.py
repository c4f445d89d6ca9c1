"""`gaitkeeper stream`: a file played into a service, and what it says of the people in it."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gallery.api_keys import NewKey, Scope
from gallery.library import Library
from gallery.store.api_keys import make_key
from gallery.store.audit import audit_page
from model.errors import InvalidRequest
from model.readers import Recording
from model.readers.recording import Track
from model.writing import to_json
from service.app import create_app
from service.engine.engine import Engine
from service.operation.metrics import Metrics
from service.process.server import running
from service.settings import Settings
from service.streams.cli import stream
from service.streams.playing import Service, frames_of, play
from tests.fakes import FakeEncoder, walking
from tests.service.conftest import make_app


@contextmanager
def serving(library: Library, encoder: FakeEncoder) -> Iterator[str]:
    with running(make_app(library, encoder), Settings.read({}, port=0)) as where:
        yield where


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    path = tmp_path / "walk.json"
    path.write_bytes(to_json([Track("1", walking(1, 100, seed=5))]))
    return path


def test_a_file_is_played_and_who_it_is_printed(
    calibrated: Library, encoder: FakeEncoder, walk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(calibrated, encoder) as where:
        stream(walk, to=where, speed=0)
        printed = capsys.readouterr().out.splitlines()
        assert printed[0] == "   0.0 s  track 1  appears"
        assert "track 1  is ada (1 clip, score" in printed[1]
        assert printed[-2].endswith("the last word)")
        assert printed[-1].endswith("track 1  is gone")
        stream(walk, to=where, speed=0, as_json=True, trust_ids=True, actions=True)
        events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {event["event"] for event in events} >= {"track_started", "decision", "action", "track_ended", "ended"}
    assert next(event for event in events if event["event"] == "track_started")["source"] == "1"


def test_what_the_service_refuses_is_one_error(calibrated: Library, encoder: FakeEncoder, walk: Path) -> None:
    with serving(calibrated, encoder) as where, pytest.raises(InvalidRequest, match="answers 404: no gallery 'nobody'"):
        stream(walk, to=where, gallery="nobody")
    with pytest.raises(InvalidRequest, match="cannot be asked"):
        stream(walk, to=where)
    with pytest.raises(InvalidRequest, match="cannot be asked"):
        stream(walk, to="what is this")


def test_frames_a_service_refuses_are_told_at_the_end(calibrated: Library, encoder: FakeEncoder) -> None:
    crowd = Recording("test", tuple(Track(str(n), walking(n, 5)) for n in range(33)), (), "crowd")
    told: list[str] = []
    with serving(calibrated, encoder) as where, pytest.raises(InvalidRequest, match="at most 32, got 33"):
        play(Service(where), crowd, {}, 0, lambda event: told.append(event[0]))
    assert told.count("problem") == 5


def test_people_are_in_the_frames_that_they_are_in() -> None:
    tracks = [Track("a", walking(1, 3), 10), Track("b", walking(2, 2), 14)]
    assert [[name for name, _ in frame] for frame in frames_of(tracks)] == [["a"], ["a"], ["a"], [], ["b"], ["b"]]


def test_a_key_is_taken_from_the_environment(
    calibrated: Library,
    encoder: FakeEncoder,
    walk: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, key = make_key(calibrated.store, NewKey("camera", frozenset({Scope.IDENTIFY})))
    settings = Settings.read({}, port=0, access="keys")
    app = create_app(settings, Engine(encoder, None, calibrated, settings.limits, Metrics()))
    with running(app, settings) as where:
        with pytest.raises(InvalidRequest, match=r"GAITKEEPER_API_KEY: .* asks for a key"):
            stream(walk, to=where, speed=0)
        monkeypatch.setenv("GAITKEEPER_API_KEY", key)
        stream(walk, to=where, speed=0, as_json=True)
        assert calibrated.recorder is not None
        calibrated.recorder.flush()
        searched = audit_page(calibrated.store, 0, 100, action="identify")
    assert {entry.actor.partition("@")[0] for entry in searched} == {f"key:{key.split('_')[1]}"}
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    decisions = [event["decision"] for event in events if event["event"] == "decision"]
    assert {decision["subject"] for decision in decisions} == {"ada"}
    assert [len(decision["candidates"]) for decision in decisions] == [1, 1], "who came near is for who may investigate"
