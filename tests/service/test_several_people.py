"""What is asked about several people at a time."""

from typing import Any

import pytest

from model.clips import ClipSpec
from tests.fakes import FakeClassifier
from tests.service.client import Client
from tests.service.conftest import Serve, person

PAIR = ClipSpec(people=2, sampling="uniform", frames=20, clips=3)


@pytest.fixture
def classifier() -> FakeClassifier:
    return FakeClassifier(clip=PAIR)


@pytest.fixture
def client(serve: Serve, classifier: FakeClassifier) -> Client:
    return serve(classifier=classifier)


def _ask(client: Client, *people: dict[str, Any]) -> Any:
    return client.post("/classify", json={"sequence": people[0], "others": list(people[1:])})


def test_two_people_are_one_question(client: Client, classifier: FakeClassifier) -> None:
    response = _ask(client, person(1), person(2))
    assert response.status_code == 200, response.text
    assert classifier.shapes == [(3, 2, 20, 17, 3)]
    assert response.json()["notes"] == []


def test_one_who_is_alone_is_answered_for_too(client: Client, classifier: FakeClassifier) -> None:
    assert client.post("/classify", json={"sequence": person(1)}).status_code == 200
    assert classifier.shapes == [(3, 2, 20, 17, 3)]


def test_who_is_left_out_is_said(client: Client) -> None:
    response = _ask(client, person(1), person(2), person(3))
    assert response.json()["notes"] == ["left out: 1 of 3 people; the model takes 2"]


def test_others_are_refused_by_a_model_of_one_person(serve: Serve) -> None:
    response = _ask(serve(), person(1), person(2))
    assert response.status_code == 422
    assert response.json()["field"] == "others"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"fps": 30.0}, "others[0].fps"),
        ({"units": "normalised", "aspect": 1.5}, "others[0].units"),
        ({"layout": "h36m-17"}, "others[0].layout"),
        ({"joints": person(2, frames=59)["joints"]}, "others[0].joints"),
        ({"confidence": [[2.0] * 17] * 60}, "others[0].confidence"),
    ],
)
def test_somebody_who_does_not_fit_the_recording_is_named(client: Client, changes: dict[str, Any], field: str) -> None:
    response = _ask(client, person(1), person(2) | changes)
    assert response.status_code == 422
    assert response.json()["field"] == field


def test_a_crowd_is_refused(client: Client) -> None:
    assert _ask(client, *(person(i, frames=20) for i in range(10))).status_code == 422


def test_only_classify_takes_others(client: Client) -> None:
    response = client.post("/identify", json={"sequence": person(1), "others": [person(2)]})
    assert response.status_code == 422
