"""Sequences in every form, at their longest and their most, by a real socket and with the bundles that ship."""

from typing import Any

import httpx
import numpy as np
import pytest

from model.readers import read
from model.sequence import SkeletonSequence
from tests.e2e.command import Service, walk, walk_file
from tests.fakes import walking
from tests.recordings import recording
from tests.service.bodies.sent import ALONE, array_of, files, headers_of, raw, said


@pytest.fixture(scope="module")
def enrolled(service: Service) -> str:
    """A gallery of four walkers."""
    assert service.http.post("/galleries", json={"name": "bodies"}).status_code == 201
    for subject in range(1, 5):
        assert service.enroll(f"walker-{subject}", walk(subject), "bodies").status_code == 201
    return "bodies"


def probe(subject: int = 1) -> SkeletonSequence:
    return read(walk_file(subject, 3)).tracks[0].sequence


def identified(service: Service, **sent: Any) -> httpx.Response:
    response = service.http.post("/identify", **sent)
    assert response.status_code == 200, response.text
    return response


def test_every_media_type_gets_the_same_answer(service: Service, enrolled: str) -> None:
    answers = [identified(service, **said(media, probe(), gallery=enrolled)).json() for media in ALONE]
    assert answers[0]["subject"] == "walker-1"
    for answer in answers[1:]:
        assert answer["score"] == pytest.approx(answers[0]["score"], abs=1e-5)
        assert (answer["subject"], answer["threshold"]) == (answers[0]["subject"], answers[0]["threshold"])


def test_as_many_as_a_request_may_hold_are_answered_for_in_one(service: Service, enrolled: str) -> None:
    each = [array_of(probe(subject)) for subject in range(1, 5)]
    shortest = min(map(len, each))
    sent = raw(np.stack([each[number % 4][:shortest] for number in range(64)]), headers_of(probe()))
    answers = identified(service, **sent, params={"gallery": enrolled}).json()["answers"]
    assert [each["answer"]["subject"] for each in answers] == [f"walker-{1 + number % 4}" for number in range(64)]


def test_the_longest_sequence_is_answered_from_all_of_it(service: Service, enrolled: str) -> None:
    long = walking(1, frames=12_000)
    sent = raw(array_of(long), headers_of(long))
    found = identified(service, **sent, params={"gallery": enrolled, "timeline": "true"}).json()
    assert len(found["timeline"]["seconds"]) == 399
    assert found["timeline"]["seconds"][-1] == [477.6, 480.0]
    classified = service.http.post("/classify", **sent, params={"timeline": "true", "top_k": "2"}).json()
    assert len(classified["timeline"]["probabilities"]) == 399


def test_real_recordings_are_read_played_and_judged(service: Service) -> None:
    sent = [(file.name, file.read_bytes()) for file in sorted(recording("samples/openpose_body25").glob("*.json"))]
    (track,) = service.http.post("/sequences", **files(*sent, fps="30")).json()["tracks"]
    assert (track["sequence"]["layout"], track["sequence"]["fps"]) == ("body-25", 30)
    assert track["frames"] == len(track["sequence"]["joints"]) == len(sent)
    assert track["quality"]["usable"] is True
    assert service.http.post("/classify", json={"sequence": track["sequence"]}).status_code == 200
