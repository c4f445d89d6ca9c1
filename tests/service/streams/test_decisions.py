"""Who walks past a camera: said as soon as it is sure, again when it changes, and at the end."""

from pathlib import Path

import numpy as np
import pytest

from gallery.library import Library
from gallery.recorder import Recorder
from gallery.replay import RecentProbes, ReplayPolicy
from gallery.store import open_store
from service.engine.engine import Engine
from service.events import Decided
from tests.fakes import FakeEncoder
from tests.service.client import started
from tests.service.conftest import Serve, make_app
from tests.service.streams.camera import FPS, Camera, enroll, frames_of, only, poses

CLIP, STRIDE = 60, 30


def test_somebody_known_is_named_at_the_first_clip_and_once_more_at_the_end(camera: Camera) -> None:
    events = camera.played(frames_of(poses(1, 200)))
    decisions = only("decision", events)
    assert [(each["decision"]["subject"], each["last"]) for each in decisions] == [("ada", False), ("ada", True)]
    first = decisions[0]
    assert (first["look"], first["clips"], first["previous"]) == (1, 1, None)
    assert first["at"] == pytest.approx((CLIP - 1) / FPS, abs=0.05)
    assert (first["decision"]["fpir"], first["track_fpir"]) == (0.0125, 0.05)
    assert [name for name, _ in events if name != "stats"] == [
        "track_started",
        "decision",
        "decision",
        "track_ended",
        "ended",
    ]
    assert events[-1] == ("ended", {"reason": "deleted", "detail": ""})


def test_a_stranger_is_nobody_we_know_only_after_some_clips(camera: Camera) -> None:
    decisions = only("decision", camera.played(frames_of(poses(9, 300))))
    assert [each["decision"]["outcome"] for each in decisions] == ["no_match", "no_match"]
    assert decisions[0]["clips"] == 4
    assert decisions[0]["at"] == pytest.approx((CLIP + 3 * STRIDE - 1) / FPS, abs=0.05)


def test_several_people_are_told_apart_each_with_a_decision_of_their_own(camera: Camera) -> None:
    people = poses(1, 150), poses(2, 150, x=400), poses(9, 150, x=800)
    decisions = only("decision", camera.played(frames_of(*people)))
    last = {each["track"]: each["decision"]["subject"] for each in decisions if each["last"]}
    assert sorted(last.values(), key=str) == [None, "ada", "bob"]


def test_two_people_who_cross_keep_their_names(camera: Camera) -> None:
    right, left = poses(1, 250, x=0, speed=80), poses(2, 250, x=800, speed=-80, seed=6)
    events = camera.played(frames_of(right, left))
    last = [each["decision"]["subject"] for each in only("decision", events) if each["last"]]
    assert set(last) <= {"ada", "bob"}
    told = {(each["track"], each["decision"]["subject"]) for each in only("decision", events)}
    assert len({track for track, _ in told}) == len(told), "nobody was ever taken for the other"


def test_who_leaves_early_gets_a_decision_of_what_there_is(camera: Camera) -> None:
    decisions = only("decision", camera.played(frames_of(poses(1, 30))))
    assert [(each["decision"]["subject"], each["last"]) for each in decisions] == [("ada", True)]


def test_who_is_hardly_seen_gets_none_and_the_reason(camera: Camera) -> None:
    (decision,) = only("decision", camera.played(frames_of(poses(1, 12))))
    assert decision["decision"]["outcome"] == "abstain"
    assert decision["decision"]["reasons"] == ["too_short"]


def test_somebody_who_stands_about_is_not_recognised_until_they_walk(camera: Camera) -> None:
    """Gait says nothing of who does not walk, though they be in view for long."""
    stands = np.repeat(poses(1, 1), 200, axis=0)
    stands[..., :2] += np.random.default_rng(0).normal(0, 0.3, stands[..., :2].shape)
    decisions = only("decision", camera.played(frames_of(stands)))
    assert [(each["decision"]["outcome"], each["decision"]["reasons"]) for each in decisions] == [
        ("abstain", ["not_walking"])
    ] * 2
    walks_off = np.concatenate([stands, poses(1, 120)])
    decisions = only("decision", camera.played(frames_of(walks_off)))
    assert [each["decision"]["subject"] for each in decisions] == [None, "ada", "ada"]


def test_the_last_word_is_the_answer_to_the_whole_sequence(
    camera: Camera, calibrated: Library, encoder: FakeEncoder
) -> None:
    """At the model's own rate the clips are those of /identify, to the last one."""
    walk = poses(1, 211)
    last = only("decision", camera.played(frames_of(walk), target_fpir=0.05))[-1]["decision"]
    sequence = {
        "layout": "coco-17",
        "fps": FPS,
        "joints": walk[..., :-1].tolist(),
        "confidence": walk[..., -1].tolist(),
    }
    whole = camera.client.post("/identify", json={"sequence": sequence}).json()
    assert last["score"] == pytest.approx(whole["score"], abs=2e-3)
    assert last["subject"] == whole["subject"] == "ada"


def test_looks_are_few_and_each_is_in_the_audit_log(camera: Camera, calibrated: Library) -> None:
    camera.played(frames_of(poses(1, CLIP + 15 * STRIDE)))  # 16 clips
    calibrated.recorder.flush()  # type: ignore[union-attr]
    entries = camera.client.get("/audit?action=identify").json()["entries"]
    assert len(entries) == 5, "at 1, 2, 4, 8 and 16 clips"
    assert {entry["detail"]["fpir"] for entry in entries} == {0.0125}


def test_a_calibration_that_does_not_support_the_looks_allows_one(
    serve: Serve, library: Library, encoder: FakeEncoder
) -> None:
    """The fixture's own calibration knows no rate but 0.05."""
    enroll(library, encoder, ada=1, bob=2)
    camera = Camera(serve())
    stream = camera.open()
    assert camera.state(stream)["looks_share"] == 1
    decisions = only("decision", camera.played(frames_of(poses(1, 300))))
    first = decisions[0]
    assert (first["look"], first["clips"], first["decision"]["fpir"]) == (1, 4, 0.05)
    assert decisions[-1]["look"] == 1
    response = camera.client.post("/streams", json={"layout": "coco-17", "fps": 25, "target_fpir": 0.01})
    assert (response.status_code, response.json()["field"]) == (422, "fpir")


def test_without_a_calibration_nobody_is_named(tmp_path: Path, encoder: FakeEncoder) -> None:
    store = open_store(tmp_path / "uncalibrated")
    library = Library(store, recorder=Recorder(store))
    library.ensure("default", fingerprint=encoder.fingerprint, dim=encoder.dim)
    enroll(library, encoder, ada=1, bob=2)
    with started(make_app(library, encoder)) as client:
        camera = Camera(client)
        stream = camera.open()
        assert camera.state(stream)["fpir"] is None
        decisions = only("decision", camera.played(frames_of(poses(1, 200))))
    assert [each["decision"]["reasons"] for each in decisions] == [["uncalibrated"]] * 2
    assert decisions[-1]["decision"]["candidates"][0]["subject"] == "ada"


def test_in_an_empty_gallery_nobody_is_named(serve: Serve, library: Library, encoder: FakeEncoder) -> None:
    library.ensure("bare", fingerprint=encoder.fingerprint, dim=encoder.dim)
    camera = Camera(serve())
    decisions = only("decision", camera.played(frames_of(poses(1, 100)), gallery="bare"))
    assert decisions[-1]["decision"]["reasons"] == ["empty_gallery"]


def test_somebody_else_in_the_same_track_is_said_when_it_is_sure(camera: Camera) -> None:
    """A source whose ids are believed, and that goes on with the id of another."""
    walk = np.concatenate([poses(1, 60), poses(2, 600, seed=8)])
    frames = frames_of(walk)
    for frame in frames:
        frame["people"][0]["id"] = "7"
    decisions = only("decision", camera.played(frames, trust_ids=True))
    subjects = [each["decision"]["subject"] for each in decisions]
    assert subjects[0] == "ada"
    assert subjects[-1] == "bob"
    assert decisions[-1]["previous"] in ("ada", "bob", None)


def test_actions_are_told_for_each_window(camera: Camera) -> None:
    actions = only("action", camera.played(frames_of(poses(1, 120)), actions=True))
    assert [(each["start"], each["end"]) for each in actions] == [(0.0, 2.36), (1.2, 3.56), (2.4, 4.76)]
    assert {each["action"] for each in actions} == {"walk"}


def test_decisions_are_told_on_the_bus_once_each(camera: Camera) -> None:
    engine: Engine = camera.client.app.state.engine
    heard: list[Decided] = []
    detach = engine.events.attach(heard.append)
    stream = camera.open()
    camera.send(stream, frames_of(poses(1, 200)))
    camera.client.delete(f"/streams/{stream}")
    detach()
    assert [(each.kind, each.stream, each.track, each.decision.subject) for each in heard] == [
        ("stream", stream, "1", "ada")
    ]


def test_looking_again_is_no_replay_but_the_same_recording_in_another_stream_is(
    serve: Serve, library: Library, encoder: FakeEncoder
) -> None:
    library.recent = RecentProbes(ReplayPolicy(bound=0.9999))
    enroll(library, encoder, ada=1, bob=2)
    camera = Camera(serve())
    found = [only("decision", camera.played(frames_of(poses(9, 200))))[-1]["decision"]["reasons"] for _ in range(2)]
    assert found == [[], ["replay_suspected"]]
