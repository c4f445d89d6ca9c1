"""What is asked of one sequence, and what is answered."""

from typing import Any

from gallery.library import Library
from model.named_layouts import layout_named
from tests.fakes import FakeEncoder, walking
from tests.service.client import Client
from tests.service.conftest import THRESHOLD, Serve, as_json, person


def enroll(client: Client, subject: str, sequence: dict[str, Any]) -> None:
    response = client.post(f"/galleries/default/subjects/{subject}/templates", json={"sequence": sequence})
    assert response.status_code == 201, response.text


def test_identify_names_the_subject_who_was_enrolled(client: Client, encoder: FakeEncoder) -> None:
    for subject in range(3):
        enroll(client, f"subject-{subject}", person(subject))
    answer = client.post("/identify", json={"sequence": person(1, seed=5)}).json()
    assert answer["outcome"] == "match"
    assert answer["subject"] == "subject-1"
    assert answer["score"] >= answer["threshold"] == THRESHOLD
    assert answer["fpir"] == 0.05
    assert answer["basis"] == "prior"
    assert answer["searched"] == 3
    assert answer["margin"] > 0
    assert answer["bundle"] == encoder.fingerprint
    assert answer["candidates"][0]["subject"] == "subject-1"
    assert answer["quality"]["usable"] is True


def test_identify_names_nobody_for_a_stranger(client: Client) -> None:
    enroll(client, "ada", person(1))
    answer = client.post("/identify", json={"sequence": person(7)}).json()
    assert answer["outcome"] == "no_match"
    assert answer["subject"] is None
    assert answer["score"] < answer["threshold"]


def test_identify_gives_as_many_candidates_as_asked_for(client: Client) -> None:
    for subject in range(4):
        enroll(client, f"s{subject}", person(subject))
    answer = client.post("/identify", json={"sequence": person(0), "top_k": 2}).json()
    assert len(answer["candidates"]) == 2


def test_identify_abstains_from_an_unusable_sequence_and_says_why(client: Client) -> None:
    enroll(client, "ada", person(1))
    response = client.post("/identify", json={"sequence": person(1, frames=5)})
    assert response.status_code == 200
    answer = response.json()
    assert answer["outcome"] == "abstain"
    assert "too_short" in answer["reasons"]
    assert answer["subject"] is answer["score"] is None
    assert answer["quality"]["usable"] is False


def test_identify_in_an_empty_gallery_is_refused(client: Client) -> None:
    response = client.post("/identify", json={"sequence": person()})
    assert response.status_code == 409
    assert response.json()["type"] == "urn:gaitkeeper:problem:empty-gallery"


def test_identify_in_a_gallery_that_is_not_there_is_refused_whatever_the_sequence(client: Client) -> None:
    for frames in (60, 5):
        response = client.post("/identify", json={"sequence": person(frames=frames), "gallery": "nowhere"})
        assert response.status_code == 404
        assert response.json()["type"] == "urn:gaitkeeper:problem:unknown-gallery"


def test_a_gallery_of_another_bundle_is_never_compared_with(client: Client, library: Library) -> None:
    library.create("foreign", fingerprint="f" * 64, dim=16)
    response = client.post("/identify", json={"sequence": person(), "gallery": "foreign"})
    assert response.status_code == 409
    assert response.json()["type"] == "urn:gaitkeeper:problem:bundle-mismatch"


def test_verify_says_whether_it_is_that_subject(client: Client) -> None:
    enroll(client, "ada", person(1))
    enroll(client, "ben", person(2))
    same = client.post("/verify", json={"sequence": person(1, seed=3), "subject": "ada"}).json()
    other = client.post("/verify", json={"sequence": person(1, seed=3), "subject": "ben"}).json()
    assert (same["outcome"], same["subject"]) == ("match", "ada")
    assert (other["outcome"], other["subject"]) == ("no_match", None)
    assert same["searched"] == 1


def test_verify_of_a_subject_who_is_not_there_is_refused_whatever_the_sequence(client: Client) -> None:
    for frames in (60, 5):
        response = client.post("/verify", json={"sequence": person(frames=frames), "subject": "nobody"})
        assert response.status_code == 404
        assert response.json()["type"] == "urn:gaitkeeper:problem:unknown-subject"


def test_classify_gives_actions_best_first(client: Client) -> None:
    answer = client.post("/classify", json={"sequence": person(), "top_k": 2}).json()
    assert answer["action"] == "walk"
    assert [each["action"] for each in answer["actions"]] == ["walk", "run"]
    assert answer["probability"] == answer["actions"][0]["probability"] == 0.666667


def test_classify_without_a_classifier_says_so(serve: Serve) -> None:
    response = serve(classifier=None).post("/classify", json={"sequence": person()})
    assert response.status_code == 501
    assert response.json()["type"] == "urn:gaitkeeper:problem:model-missing"


def test_classify_and_embed_refuse_what_they_cannot_answer_for(client: Client) -> None:
    for path in ("/classify", "/embed"):
        response = client.post(path, json={"sequence": person(frames=5)})
        assert response.status_code == 422
        problem = response.json()
        assert problem["type"] == "urn:gaitkeeper:problem:unusable-sequence"
        assert "too_short" in problem["reasons"]


def test_embed_gives_a_unit_vector_and_the_bundle_it_belongs_to(client: Client, encoder: FakeEncoder) -> None:
    answer = client.post("/embed", json={"sequence": person()}).json()
    assert len(answer["embedding"]) == encoder.dim
    assert abs(sum(x * x for x in answer["embedding"]) - 1) < 1e-5
    assert answer["bundle"] == encoder.fingerprint


def test_another_layout_is_converted_and_the_answer_says_how(client: Client) -> None:
    sequence = as_json(walking(layout=layout_named("body-25")))
    answer = client.post("/embed", json={"sequence": sequence}).json()
    assert any("body-25" in note for note in answer["notes"])


def test_a_sequence_longer_than_a_window_is_answered_from_all_its_windows(client: Client, encoder: FakeEncoder) -> None:
    assert client.post("/embed", json={"sequence": person(frames=200)}).status_code == 200
    assert encoder.calls[-1] > 1
