"""A sequence is the same sequence, however it is sent."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.named_layouts import COCO_17, layout_named
from model.sequence import SkeletonSequence, Units
from tests.fakes import FakeEncoder, walking
from tests.service.bodies.sent import ALONE, MEDIA, array_of, as_npy, files, headers_of, raw, said
from tests.service.client import Client, started
from tests.service.conftest import as_json, make_app, open_library


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    encoder = FakeEncoder()
    with started(make_app(open_library(tmp_path_factory.mktemp("data"), encoder), encoder)) as client:
        for subject in range(3):
            path = f"/galleries/default/subjects/s{subject}/templates"
            assert client.post(path, json={"sequence": as_json(walking(subject))}).status_code == 201
        yield client


def answer_of(response: httpx.Response) -> dict[str, Any]:
    """The answer about the only sequence, in whichever form it comes."""
    assert response.status_code in (200, 201), response.text
    found: dict[str, Any] = response.json()
    if "answers" not in found:
        return found
    (each,) = found["answers"]
    assert each["problem"] is None
    answer: dict[str, Any] = each["answer"]
    return answer


def alike(answer: dict[str, Any]) -> dict[str, Any]:
    """An answer without what tells how the sequence came in."""
    return {**answer, "notes": [note for note in answer["notes"] if not note.startswith("read as")]}


@st.composite
def sequences(draw: st.DrawFn) -> SkeletonSequence:
    units = draw(st.sampled_from(list(Units)))
    layout = (
        layout_named("ntu-25") if units is Units.METRES else draw(st.sampled_from([COCO_17, layout_named("body-25")]))
    )
    frames = draw(st.integers(1, 70))
    walk = walking(draw(st.integers(0, 5)), frames, layout=layout)
    joints = np.array(walk.joints)
    if units is Units.NORMALISED:
        joints /= np.array([320, 240], np.float32)
    if units is Units.METRES:
        joints = np.concatenate([joints / 100, np.ones((*joints.shape[:2], 1), np.float32)], axis=-1)
    hidden = np.random.default_rng(draw(st.integers(0, 9))).random(joints.shape[:2]) < draw(st.sampled_from([0, 0.1]))
    confidence = np.where(hidden, 0, walk.confidence).astype(np.float32)
    aspect = draw(st.sampled_from([None, 1.5])) if units is Units.NORMALISED else None
    return SkeletonSequence(joints, confidence, layout, draw(st.sampled_from([12.5, 25.0, 30.0])), units, aspect)


@settings(max_examples=25, deadline=None)
@given(sequence=sequences())
def test_the_same_sequence_gets_the_same_answer_by_every_media_type(client: Client, sequence: SkeletonSequence) -> None:
    answers = [alike(answer_of(client.post("/identify", **said(media, sequence, top_k=2)))) for media in MEDIA]
    assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize("media", ALONE)
def test_one_sequence_gets_one_answer(client: Client, media: str) -> None:
    assert client.post("/identify", **said(media, walking(1, seed=3))).json()["subject"] == "s1"


@pytest.mark.parametrize("media", MEDIA)
def test_every_question_takes_every_media_type(client: Client, media: str) -> None:
    walk = walking(1, seed=4)
    assert answer_of(client.post("/verify", **said(media, walk, subject="s1")))["outcome"] == "match"
    assert answer_of(client.post("/classify", **said(media, walk, top_k=1)))["actions"][0]["action"] == "walk"
    assert len(answer_of(client.post("/embed", **said(media, walk)))["embedding"]) == 16
    path = f"/galleries/default/subjects/by-{media}/templates"
    made = client.post(path, **said(media, walking(1, seed=5), labels={"view": "090"}, force=True))
    assert made.status_code == 201, made.text
    assert answer_of(made)["subject"] == f"by-{media}"
    templates = client.get(f"/galleries/default/subjects/by-{media}").json()["templates"]
    assert [each["labels"] for each in templates] == [{"view": "090"}]
    again = client.post(path, **said(media, walking(1, seed=5), force=True))
    assert (again.status_code, answer_of(again)["repeated"]) == (200, True)
    assert client.delete(f"/galleries/default/subjects/by-{media}").status_code == 200


@pytest.mark.parametrize("kind", ["<f2", "<f8", ">f4", ">f8", "<i2", "<i8"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_an_npy_may_hold_any_real_numbers_in_either_order(client: Client, kind: str, order: Any) -> None:
    walk = walking(1)
    joints = walk.joints.round()
    expected = client.post(
        "/embed", json={"sequence": {**as_json(walk), "joints": joints.tolist(), "confidence": None}}
    )
    headers = {"X-Layout": "coco-17", "X-Fps": "25"}
    found = client.post("/embed", **as_npy(np.asarray(joints.astype(kind), order=order), headers))
    assert found.status_code == 200, found.text
    assert found.json()["embedding"] == expected.json()["embedding"]


def test_two_channels_are_coordinates_and_three_have_confidence(client: Client) -> None:
    walk = walking(1)
    headers = {"X-Layout": "coco-17", "X-Fps": "25"}
    full = client.post("/embed", json={"sequence": {**as_json(walk), "confidence": None}}).json()
    assert client.post("/embed", **raw(walk.joints, headers)).json() == full
    assert (
        client.post("/embed", **raw(array_of(walk), headers)).json()
        == client.post("/embed", json={"sequence": as_json(walk)}).json()
    )


def test_several_sequences_in_one_array_are_answered_for_one_by_one(client: Client) -> None:
    walks = [walking(subject, seed=7) for subject in (2, 0, 1)]
    stacked = np.stack([array_of(walk) for walk in walks])
    for sent in (raw(stacked, headers_of(walks[0])), as_npy(stacked, headers_of(walks[0]))):
        found = client.post("/identify", **sent).json()["answers"]
        assert [(each["name"], each["answer"]["subject"]) for each in found] == [("1", "s2"), ("2", "s0"), ("3", "s1")]


def test_parameters_of_the_address_are_taken_with_json_as_well(client: Client) -> None:
    for media in ("json", "msgpack"):
        sent = said(media, walking(1, seed=8), top_k=2)
        found = client.post(
            "/verify", **said(media, walking(1, seed=8)), params={"subject": "s1", "target_fpir": "0.05"}
        )
        assert found.json()["outcome"] == "match", found.text
        twice = client.post("/identify", **sent, params={"top_k": "3"})
        assert (twice.status_code, twice.json()["field"]) == (422, "top_k")


def test_what_is_asked_may_stand_in_the_form(client: Client) -> None:
    walk = json.dumps(as_json(walking(1, seed=9))).encode()
    found = client.post("/verify", **files(("walk.json", walk), subject="s1")).json()["answers"]
    assert [(each["name"], each["answer"]["outcome"]) for each in found] == [("walk.json", "match")]
