"""Many sequences in one request: an answer for each, whatever is wrong with the others."""

import json
from typing import Any

import numpy as np
import pytest

from gallery.library import Library
from model.clips import ClipSpec
from tests.fakes import FakeClassifier, FakeEncoder, walking
from tests.service.client import Client
from tests.service.conftest import Serve, as_json, person

TEMPLATES = "/galleries/default/subjects/{}/templates"


def enroll(client: Client, *subjects: int) -> None:
    for subject in subjects:
        assert client.post(TEMPLATES.format(f"s{subject}"), json={"sequence": person(subject)}).status_code == 201


def answers(client: Client, path: str, *sequences: Any, **asked: Any) -> list[dict[str, Any]]:
    response = client.post(path, content=json.dumps({"sequences": sequences, **asked}), headers=JSON)
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["answers"]
    return found


JSON = {"Content-Type": "application/json"}


def test_each_is_answered_for_by_its_name_or_number_in_their_order(client: Client) -> None:
    enroll(client, 0, 1, 2)
    walks = [person(2, seed=1), {**person(0, seed=1), "name": "door"}, person(1, seed=1)]
    found = answers(client, "/identify", *walks)
    assert [(each["name"], each["answer"]["subject"]) for each in found] == [("1", "s2"), ("door", "s0"), ("3", "s1")]
    assert all(each["problem"] is None for each in found)


def test_they_share_batches(client: Client, encoder: FakeEncoder) -> None:
    before = len(encoder.calls)
    assert len(answers(client, "/embed", *[person(i) for i in range(12)])) == 12
    assert len(encoder.calls) - before < 12
    assert sum(encoder.calls[before:]) == 12


@pytest.mark.parametrize(
    ("wrong", "kind", "field"),
    [
        ({"layout": "octopus-8"}, "unknown-layout", "sequence.layout"),
        ({"layout": "body-25"}, "layout-mismatch", "sequence.layout"),
        ({"joints": [[[1, 2]] * 17, [[1, 2]] * 16]}, "invalid-sequence", "sequence.joints"),
        ({"joints": [[[1, 2]] * 16 + [[1, None]]]}, "invalid-request", "sequence.joints[0][16][1]"),
        ({"confidence": [[2.0] * 17] * 60}, "invalid-sequence", "sequence.confidence"),
        ({"fps": 0}, "invalid-request", "sequence.fps"),
        ({"fps": 0.001}, "limit-exceeded", None),
        ({"speed": 3}, "invalid-request", "sequence"),
    ],
)
def test_one_that_is_wrong_does_not_spoil_the_others(
    client: Client, wrong: dict[str, Any], kind: str, field: str | None
) -> None:
    enroll(client, 0, 1)
    first, bad, last = answers(client, "/identify", person(0, seed=1), {**person(1), **wrong}, person(1, seed=1))
    assert (first["answer"]["subject"], last["answer"]["subject"]) == ("s0", "s1")
    assert bad["answer"] is None
    assert bad["problem"]["type"] == f"urn:gaitkeeper:problem:{kind}"
    assert field is None or bad["problem"]["field"] == field


def test_one_that_is_no_object_does_not_spoil_the_others(client: Client) -> None:
    found = answers(client, "/embed", person(), 7, None, "walk", [])
    assert [each["problem"] is None for each in found] == [True, False, False, False, False]


def test_one_that_cannot_be_judged_is_abstained_from_or_refused_alone(client: Client) -> None:
    enroll(client, 0)
    short = person(0, frames=5)
    found = answers(client, "/identify", short, person(0, seed=1))
    assert [each["answer"]["outcome"] for each in found] == ["abstain", "match"]
    for path in ("/embed", "/classify"):
        refused, answered = answers(client, path, short, person(0))
        assert refused["problem"]["reasons"] == ["too_short"]
        assert answered["problem"] is None


def test_what_is_wrong_with_the_request_is_not_said_of_each(client: Client) -> None:
    body = {"sequences": [person(), person(1)]}
    assert client.post("/identify", json={**body, "gallery": "nowhere"}).status_code == 404
    assert client.post("/identify", json=body).status_code == 409  # nobody is enrolled
    assert client.post("/verify", json={**body, "subject": "nobody"}).status_code == 404
    assert client.post("/identify", json={**body, "top_k": 1000}).status_code == 413
    assert client.post("/identify", json={"sequences": []}).status_code == 422
    twice = client.post("/embed", json={"sequences": [{**person(), "name": "2"}, person(1)]})
    assert (twice.status_code, twice.json()["field"]) == (422, "sequences[1].name")


def test_enrolling_several_says_of_each_what_became_of_it(client: Client, library: Library) -> None:
    walks = [person(0), {**person(0, seed=1), "name": "again"}, person(0), person(0, frames=5)]
    response = client.post(TEMPLATES.format("ada"), json={"sequences": walks, "labels": {"view": "090"}})
    assert response.status_code == 201
    first, second, repeated, short = response.json()["answers"]
    assert first["answer"]["template"] < second["answer"]["template"]
    assert (repeated["answer"]["repeated"], repeated["answer"]["template"]) == (True, None)
    assert short["problem"]["reasons"] == ["too_short"]
    assert len(library.templates_of("default", "ada")) == 2
    again = client.post(TEMPLATES.format("ada"), json={"sequences": walks[:2]})
    assert again.status_code == 200


def test_a_queue_that_is_full_refuses_some_and_says_when_to_come_back(serve: Serve) -> None:
    client = serve(queue_length=1, batch_frames=60)
    found = answers(client, "/embed", *[person(i) for i in range(16)])
    refused = [each["problem"] for each in found if each["problem"]]
    assert refused
    assert len(refused) < 16
    assert all(each["status"] == 429 and each["retry_after"] >= 1 for each in refused)


def test_others_are_of_one_sequence_only(serve: Serve) -> None:
    client = serve(classifier=FakeClassifier(clip=ClipSpec(people=2, sampling="uniform", frames=20, clips=3)))
    response = client.post("/classify", json={"sequences": [person()], "others": [person(1)]})
    assert (response.status_code, response.json()["field"]) == (422, "others")


def test_a_long_sequence_is_answered_from_all_of_it_in_batches_that_leave_room(serve: Serve) -> None:
    encoder = FakeEncoder()
    client = serve(encoder, batch_frames=480)
    long = walking(1, frames=2000)
    found = client.post("/embed", json={"sequence": as_json(long)})
    assert found.status_code == 200, found.text
    assert len(encoder.calls) > 10
    assert max(encoder.calls) == 4
    whole = serve(FakeEncoder(name="another"), batch_frames=10_000).post("/embed", json={"sequence": as_json(long)})
    assert np.allclose(found.json()["embedding"], whole.json()["embedding"], atol=1e-6)


def test_what_was_asked_about_at_length_can_be_looked_at_clip_by_clip(client: Client) -> None:
    answer = client.post("/classify", json={"sequence": person(frames=150), "timeline": True, "top_k": 1}).json()
    timeline = answer["timeline"]
    assert timeline["seconds"] == [[0.0, 2.4], [1.2, 3.6], [2.4, 4.8], [3.6, 6.0]]
    assert timeline["actions"] == ["walk"]
    assert timeline["probabilities"] == [[0.6667]] * 4


def test_a_timeline_is_of_the_seconds_of_what_was_sent(client: Client) -> None:
    for frames, fps, end in ((30, 12.5, 2.4), (30, 25.0, 1.2), (60, 60.0, 1.0)):
        sent = {"sequence": {**person(frames=frames), "fps": fps}, "timeline": True}
        (seconds,) = client.post("/classify", json=sent).json()["timeline"]["seconds"]
        assert seconds == [0.0, end]
    sent = {"sequence": {**person(frames=300), "fps": 50.0}, "timeline": True}
    assert client.post("/classify", json=sent).json()["timeline"]["seconds"][-1][1] == pytest.approx(6.0, abs=0.05)


def test_the_candidates_scores_come_clip_by_clip(client: Client) -> None:
    enroll(client, 0, 1, 2)
    sent = {"sequence": person(1, seed=4, frames=150), "top_k": 2, "timeline": True}
    answer = client.post("/identify", json=sent).json()
    timeline = answer["timeline"]
    assert timeline["subjects"] == [each["subject"] for each in answer["candidates"]]
    assert timeline["subjects"][0] == "s1"
    assert len(timeline["scores"]) == len(timeline["seconds"]) == 4
    assert all(own >= other for own, other in timeline["scores"])
    assert min(own for own, _ in timeline["scores"]) > 0.99


def test_nobody_is_told_of_over_time_where_nothing_is_said_of_anybody(client: Client) -> None:
    enroll(client, 0)
    short = {"sequence": person(0, frames=5), "timeline": True}
    assert client.post("/identify", json=short).json()["timeline"] is None
    assert client.post("/identify", json={"sequence": person(0)}).json()["timeline"] is None
