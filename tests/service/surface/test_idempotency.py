"""What is sent again because nobody knows what became of it is done once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.surface.idempotency import REPLAYED
from tests.fakes import FakeClassifier, FakeEncoder
from tests.service.client import Client, started
from tests.service.conftest import Serve, make_app, open_library, person
from tests.service.surface.test_deadline import StuckEncoder

ADA = "/galleries/default/subjects/ada/templates"
KEY: dict[str, Any] = {"Idempotency-Key": "5a1d7c1e-1"}


@pytest.fixture
def stuck() -> Iterator[StuckEncoder]:
    encoder = StuckEncoder()
    yield encoder
    encoder.go.set()


def test_the_same_request_again_gets_the_same_answer(client: Client) -> None:
    first = client.post("/galleries", json={"name": "entrance"}, headers=KEY)
    again = client.post("/v1/galleries", json={"name": "entrance"}, headers=KEY)
    assert (first.status_code, first.content) == (again.status_code, again.content) == (201, again.content)
    assert REPLAYED not in first.headers
    assert again.headers[REPLAYED] == "true"
    assert again.headers["content-type"] == "application/json"
    assert client.post("/galleries", json={"name": "entrance"}).status_code == 409


def test_an_enrollment_is_answered_again_as_the_first_time(client: Client) -> None:
    first = client.post(ADA, json={"sequence": person()}, headers=KEY)
    again = client.post(ADA, json={"sequence": person()}, headers=KEY)
    assert again.json() == first.json()
    assert again.json()["repeated"] is False


def test_after_a_restart_it_is_answered_again_too(tmp_path: Path, encoder: FakeEncoder) -> None:
    answers = []
    for _ in range(2):
        with started(make_app(open_library(tmp_path, encoder), encoder, FakeClassifier())) as client:
            answers.append(client.post("/galleries", json={"name": "entrance"}, headers=KEY))
    assert answers[0].content == answers[1].content
    assert [each.headers.get(REPLAYED) for each in answers] == [None, "true"]


def test_another_request_under_the_same_key_is_a_conflict(client: Client) -> None:
    client.post("/galleries", json={"name": "entrance"}, headers=KEY)
    for path, body in (("/galleries", {"name": "exit"}), (ADA, {"name": "entrance"})):
        other = client.post(path, json=body, headers=KEY)
        assert (other.status_code, other.json()["field"]) == (409, "Idempotency-Key")
    assert client.get("/galleries/exit").status_code == 404


def test_while_the_first_is_under_way_the_second_is_told_to_wait(serve: Serve, stuck: StuckEncoder) -> None:
    client = serve(stuck)
    first = client.soon("POST", ADA, json={"sequence": person()}, headers=KEY)
    assert stuck.began.wait(30)
    second = client.post(ADA, json={"sequence": person()}, headers=KEY)
    assert (second.status_code, second.headers["retry-after"]) == (409, "1")
    stuck.go.set()
    assert first.result().status_code == 201
    assert client.post(ADA, json={"sequence": person()}, headers=KEY).content == first.result().content


def test_a_refusal_leaves_the_key_free(client: Client) -> None:
    assert client.post("/galleries", json={"name": "default"}, headers=KEY).status_code == 409
    assert client.post("/galleries", json={"nam": "x"}, headers=KEY).status_code == 422
    assert client.post("/galleries", json={"name": "entrance"}, headers=KEY).status_code == 201


def test_what_passed_its_deadline_can_be_sent_again(serve: Serve, stuck: StuckEncoder) -> None:
    client = serve(stuck)
    late = client.post(ADA, json={"sequence": person()}, headers=KEY | {"X-Deadline-Ms": "50"})
    assert late.status_code == 504
    stuck.go.set()
    assert client.post(ADA, json={"sequence": person()}, headers=KEY).status_code == 201


def test_an_answer_about_an_erased_subject_is_erased_with_it(client: Client) -> None:
    client.post(ADA, json={"sequence": person()}, headers=KEY)
    client.delete("/galleries/default/subjects/ada")
    again = client.post(ADA, json={"sequence": person()}, headers=KEY)
    assert again.status_code == 201
    assert REPLAYED not in again.headers


def test_of_a_merge_the_answer_goes_with_whom_it_names(client: Client) -> None:
    for subject in ("ada", "grace"):
        client.post(ADA.replace("ada", subject), json={"sequence": person(len(subject))})
    merge = "/galleries/default/subjects/ada/merge"
    first = client.post(merge, json={"into": "grace"}, headers=KEY)
    assert (first.status_code, first.json()["subject"]) == (200, "grace")
    assert client.post(merge, json={"into": "grace"}, headers=KEY).content == first.content
    client.delete("/galleries/default/subjects/grace")
    assert client.post(merge, json={"into": "grace"}, headers=KEY).status_code == 404


def test_a_question_is_asked_again(client: Client) -> None:
    client.post(ADA, json={"sequence": person()})
    for _ in range(2):
        assert REPLAYED not in client.post("/identify", json={"sequence": person()}, headers=KEY).headers


@pytest.mark.parametrize("sent", ["", "two words", "x" * 256, "caf\u00e9".encode()])
def test_a_key_that_is_none_is_refused(client: Client, sent: Any) -> None:
    answer = client.post("/galleries", json={"name": "entrance"}, headers={"Idempotency-Key": sent})
    assert (answer.status_code, answer.json()["field"]) == (422, "Idempotency-Key")
    assert client.get("/galleries/entrance").status_code == 404


def test_where_nobody_is_asked_for_a_key_nothing_is_kept(client: Client) -> None:
    assert client.post("/healthz", headers=KEY).status_code == 405
    assert client.post("/nothing", headers=KEY).status_code == 404
