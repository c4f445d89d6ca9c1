"""Galleries, subjects and enrollment over HTTP."""

from pathlib import Path

from gallery.library import Library
from gallery.store import open_store
from tests.fakes import FakeEncoder
from tests.service.client import Client
from tests.service.conftest import person


def test_a_gallery_is_created_shown_listed_and_deleted(client: Client, encoder: FakeEncoder) -> None:
    made = client.post("/galleries", json={"name": "entrance"})
    assert made.status_code == 201
    assert made.json()["bundle"] == encoder.fingerprint
    assert client.get("/galleries/entrance").json() == made.json()
    assert [each["name"] for each in client.get("/galleries").json()["galleries"]] == ["default", "entrance"]
    assert client.delete("/galleries/entrance").status_code == 204
    assert client.get("/galleries/entrance").status_code == 404


def test_a_gallery_that_exists_is_not_created_again(client: Client) -> None:
    response = client.post("/galleries", json={"name": "default"})
    assert response.status_code == 409
    assert response.json()["type"] == "urn:gaitkeeper:problem:gallery-exists"


def test_enrolling_answers_with_the_template_and_shows_in_the_subject(client: Client) -> None:
    path = "/galleries/default/subjects/ada/templates"
    first = client.post(path, json={"sequence": person(1), "labels": {"view": "090"}})
    second = client.post(path, json={"sequence": person(1, seed=2)})
    assert (first.status_code, second.status_code) == (201, 201)
    subject = client.get("/galleries/default/subjects/ada").json()
    assert [each["template"] for each in subject["templates"]] == [first.json()["template"], second.json()["template"]]
    assert subject["templates"][0]["labels"] == {"view": "090"}
    assert subject["templates"][0]["frames"] == 60


def test_the_same_sequence_again_adds_nothing(client: Client) -> None:
    path = "/galleries/default/subjects/ada/templates"
    assert client.post(path, json={"sequence": person(1)}).status_code == 201
    again = client.post(path, json={"sequence": person(1)})
    assert again.status_code == 200
    assert again.json()["repeated"] is True
    assert len(client.get("/galleries/default/subjects/ada").json()["templates"]) == 1


def test_an_unusable_sequence_is_not_enrolled(client: Client) -> None:
    response = client.post("/galleries/default/subjects/ada/templates", json={"sequence": person(frames=5)})
    assert response.status_code == 422
    assert response.json()["reasons"] == ["too_short"]
    assert client.get("/galleries/default/subjects/ada").status_code == 404


def test_enrolling_into_a_gallery_that_is_not_there_is_refused(client: Client) -> None:
    response = client.post("/galleries/nowhere/subjects/ada/templates", json={"sequence": person()})
    assert response.status_code == 404


def test_a_name_that_cannot_be_seen_is_refused(client: Client) -> None:
    response = client.post("/galleries/default/subjects/a%00b/templates", json={"sequence": person()})
    assert response.status_code == 422
    assert response.json()["field"] == "subject"


def test_subjects_come_in_pages(client: Client) -> None:
    for subject in range(5):
        client.post(f"/galleries/default/subjects/s{subject}/templates", json={"sequence": person(subject)})
    first = client.get("/galleries/default/subjects", params={"limit": 3}).json()
    assert [each["subject"] for each in first["subjects"]] == ["s0", "s1", "s2"]
    assert first["next"] == "s2"
    last = client.get("/galleries/default/subjects", params={"limit": 3, "after": first["next"]}).json()
    assert [each["subject"] for each in last["subjects"]] == ["s3", "s4"]
    assert last["next"] is None


def test_an_erased_subject_is_not_named_again_and_others_are(client: Client) -> None:
    for subject in range(3):
        client.post(f"/galleries/default/subjects/s{subject}/templates", json={"sequence": person(subject)})
    before = client.post("/identify", json={"sequence": person(2, seed=1)}).json()
    erased = client.delete("/galleries/default/subjects/s1")
    assert (erased.status_code, erased.json()["templates"]) == (200, 1)
    after = client.post("/identify", json={"sequence": person(1)}).json()
    assert after["outcome"] == "no_match"
    assert "s1" not in [candidate["subject"] for candidate in after["candidates"]]
    assert client.post("/identify", json={"sequence": person(2, seed=1)}).json()["score"] == before["score"]
    assert client.delete("/galleries/default/subjects/s1").status_code == 404


def test_what_another_process_writes_is_seen_at_the_next_request(
    client: Client, tmp_path: Path, encoder: FakeEncoder
) -> None:
    client.post("/galleries/default/subjects/ada/templates", json={"sequence": person(1)})
    assert client.post("/identify", json={"sequence": person(1)}).json()["outcome"] == "match"
    elsewhere = Library(open_store(tmp_path))
    elsewhere.erase_subject("default", "ada")
    elsewhere.close()
    assert client.post("/identify", json={"sequence": person(1)}).status_code == 409


def test_galleries_come_in_pages_too(client: Client) -> None:
    for name in ("c", "a", "b"):
        client.post("/galleries", json={"name": name})
    first = client.get("/galleries", params={"limit": 2})
    assert [each["name"] for each in first.json()["galleries"]] == ["a", "b"]
    assert first.links["next"]["url"] == "/galleries?limit=2&after=b"
    last = client.get(first.links["next"]["url"]).json()
    assert [each["name"] for each in last["galleries"]] == ["c", "default"]
    assert last["next"] is None
