"""Long work over HTTP: accepted at once, told of as it gets on, and each item by itself."""

from typing import Any

import httpx
import pytest

from tests.fakes import FakeEncoder
from tests.service.client import Client
from tests.service.conftest import Serve, ended, person


def items(*subjects: int, **more: Any) -> list[dict[str, Any]]:
    return [
        {"subject": f"p{subject}", "sequence": person(subject, seed=seed), **more}
        for seed, subject in enumerate(subjects)
    ]


def enroll(client: Client, sent: list[dict[str, Any]], **more: Any) -> httpx.Response:
    return client.post("/galleries/default/enrollments", json={"items": sent, **more})


def results(client: Client, job: str) -> list[tuple[int, str, list[str]]]:
    found = client.get(f"/jobs/{job}/results").json()
    assert found["next"] is None
    return [(each["place"], each["status"], each["reasons"]) for each in found["results"]]


def test_a_bulk_enrollment_is_accepted_and_each_item_has_its_own_end(client: Client) -> None:
    sent = [*items(0, 1, 0), {"subject": "p3", "sequence": person(3, frames=8)}]
    accepted = enroll(client, sent)
    assert accepted.status_code == 202
    job = accepted.json()["id"]
    assert accepted.headers["Location"] == f"/jobs/{job}"
    done = ended(client, job)
    assert (done["state"], done["done"], done["total"]) == ("done", 4, 4)
    assert done["result"] == {"enrolled": 3, "repeated": 0, "refused": 1}
    assert results(client, job) == [
        (0, "enrolled", []),
        (1, "enrolled", []),
        (2, "enrolled", []),
        (3, "refused", ["too_short"]),
    ]
    assert client.get("/galleries/default").json()["subjects"] == 2
    found = client.post("/identify", json={"sequence": person(1, seed=9)}).json()
    assert found["subject"] == "p1"


def test_what_is_sent_again_is_there_already(client: Client) -> None:
    sent = items(0, 1)
    ended(client, enroll(client, sent).json()["id"])
    again = ended(client, enroll(client, sent).json()["id"])
    assert again["result"] == {"enrolled": 0, "repeated": 2, "refused": 0}
    assert client.get("/galleries/default").json()["templates"] == 2


def test_a_sequence_that_is_none_spoils_no_other(client: Client) -> None:
    sent = items(0, 1)
    sent[0]["sequence"] |= {"layout": "octopus"}
    job = enroll(client, sent).json()["id"]
    assert ended(client, job)["result"] == {"enrolled": 1, "repeated": 0, "refused": 1}
    assert results(client, job) == [(0, "refused", ["UnknownLayout"]), (1, "enrolled", [])]


def test_an_id_that_nobody_may_have_is_refused_alone(client: Client) -> None:
    sent = items(0, 1)
    sent[0]["subject"] = "a\0b"
    job = enroll(client, sent).json()["id"]
    ended(client, job)
    assert results(client, job) == [(0, "refused", ["InvalidRequest"]), (1, "enrolled", [])]


def test_what_is_wrong_in_an_item_is_said_with_its_place(client: Client) -> None:
    sent = items(0, 1)
    sent[1]["sequence"]["fps"] = "fast"
    refused = enroll(client, sent)
    assert (refused.status_code, refused.json()["field"]) == (422, "items[1].sequence.fps")


def test_labels_and_consent_come_with_an_item(client: Client) -> None:
    consent = {"reference": "form 7", "purpose": "door", "expires": "2999-01-01T00:00:00Z"}
    sent = items(0, labels={"view": "090"}, consent=consent)
    ended(client, enroll(client, sent).json()["id"])
    found = client.get("/galleries/default/subjects/p0").json()
    assert found["templates"][0]["labels"] == {"view": "090"}
    assert found["consent"]["reference"] == "form 7"


def test_whose_consent_has_ended_is_refused_alone(client: Client, encoder: FakeEncoder) -> None:
    sent = items(0, 1)
    sent[0]["consent"] = {"expires": "2001-01-01T00:00:00Z"}
    job = enroll(client, sent).json()["id"]
    ended(client, job)
    assert [status for _, status, _ in results(client, job)][1] == "enrolled"


def test_one_job_is_told_in_pages(client: Client) -> None:
    job = enroll(client, items(*range(5))).json()["id"]
    ended(client, job)
    page = client.get(f"/jobs/{job}/results?limit=2").json()
    assert ([each["place"] for each in page["results"]], page["next"]) == ([0, 1], 1)
    rest = client.get(f"/jobs/{job}/results?after=1").json()
    assert [each["place"] for each in rest["results"]] == [2, 3, 4]


def test_jobs_are_listed_the_newest_first_and_in_pages(client: Client) -> None:
    made = [enroll(client, items(subject)).json()["id"] for subject in range(3)]
    for job in made:
        ended(client, job)
    assert [each["id"] for each in client.get("/jobs").json()["jobs"]] == made[::-1]
    page = client.get("/jobs?limit=2").json()
    assert page["next"] == made[1]
    rest = client.get(f"/jobs?after={page['next']}").json()
    assert ([each["id"] for each in rest["jobs"]], rest["next"]) == ([made[0]], None)


def test_a_job_that_is_not_there_is_not_found(client: Client) -> None:
    for method, path in (
        ("GET", "/jobs/x"),
        ("DELETE", "/jobs/x"),
        ("GET", "/jobs/x/results"),
        ("GET", "/jobs/x/events"),
    ):
        assert client.request(method, path).json()["type"] == "urn:gaitkeeper:problem:unknown-resource"
    assert client.get("/jobs?after=x").status_code == 404
    assert client.get("/jobs/%00").status_code == 404


def test_a_job_is_followed_to_its_end(client: Client) -> None:
    job = enroll(client, items(*range(6))).json()["id"]
    told = client.get(f"/jobs/{job}/events")
    assert told.headers["content-type"].startswith("text/event-stream")
    last = told.text.strip().split("\n\n")[-1]
    assert "event: job" in last
    assert '"state":"done"' in last


def test_a_job_that_has_ended_cannot_be_cancelled(client: Client) -> None:
    job = enroll(client, items(0)).json()["id"]
    ended(client, job)
    refused = client.delete(f"/jobs/{job}")
    assert (refused.status_code, refused.json()["field"]) == (409, "job")


def test_a_calibration_is_a_job(client: Client) -> None:
    empty = client.post("/galleries/default/calibration", json={})
    assert empty.status_code == 409
    ended(client, enroll(client, items(*(subject for subject in range(40) for _ in range(2)))).json()["id"])
    accepted = client.post("/galleries/default/calibration", json={"target_fpir": 0.4})
    assert accepted.status_code == 202
    done = ended(client, accepted.json()["id"])
    assert done["state"] == "done", done["result"]
    assert done["done"] == done["total"] > 0
    held = client.get("/galleries/default/calibration").json()["calibration"]
    assert held["id"] == done["result"]["calibration"]


def test_whoever_looks_like_somebody_is_refused_unless_it_is_forced(client: Client) -> None:
    """Where the gallery has a calibration of its own, as when one is enrolled by itself."""
    people = [{"subject": f"s{n}", "sequence": person(n, seed)} for n in range(40) for seed in range(2)]
    ended(client, enroll(client, people).json()["id"])
    ended(client, client.post("/galleries/default/calibration", json={"target_fpir": 0.2}).json()["id"])
    double = [{"subject": "new", "sequence": person(3, seed=8)}]
    refused = enroll(client, double).json()["id"]
    ended(client, refused)
    assert results(client, refused) == [(0, "refused", ["DuplicateSubject"])]
    forced = enroll(client, double, force=True).json()["id"]
    assert ended(client, forced)["result"]["enrolled"] == 1


def test_a_protected_gallery_takes_them_under_its_transform(client: Client) -> None:
    client.post("/galleries", json={"name": "hidden", "protected": True, "vault_days": 9})
    job = client.post("/galleries/hidden/enrollments", json={"items": items(0, 1, 2)}).json()["id"]
    assert ended(client, job)["result"]["enrolled"] == 3
    found = client.post("/identify", json={"sequence": person(1, seed=9), "gallery": "hidden"}).json()
    assert found["candidates"][0]["subject"] == "p1"
    templates = client.get("/galleries/hidden/templates").json()["templates"]
    assert [each["vault"] for each in templates] == [True] * 3


def test_a_calibration_that_cannot_be_fails_and_says_why(client: Client) -> None:
    ended(client, enroll(client, items(0, 1, 2, 0, 1, 2)).json()["id"])
    job = client.post("/galleries/default/calibration", json={"target_fpir": 0.0001}).json()["id"]
    failed = ended(client, job)
    assert failed["state"] == "failed"
    assert failed["result"]["error"] == "urn:gaitkeeper:problem:invalid-request"
    assert "more people are needed" in failed["result"]["detail"]


@pytest.mark.parametrize("path", ["enrollments", "calibration", "migrations"])
def test_a_job_of_a_gallery_that_is_not_there_is_not_begun(client: Client, path: str) -> None:
    body = {"items": items(0)} if path == "enrollments" else {}
    assert client.post(f"/galleries/nowhere/{path}", json=body).json()["type"].endswith("unknown-gallery")
    assert client.get("/jobs").json()["jobs"] == []


def test_a_bundle_is_named_and_not_a_path(client: Client) -> None:
    refused = client.post("/galleries/default/migrations", json={"bundle": "../../etc"})
    assert (refused.status_code, refused.json()["field"]) == (422, "bundle")
    missing = client.post("/galleries/default/migrations", json={"bundle": "no-such"})
    assert missing.status_code == 409


def test_requests_are_answered_while_a_job_runs(serve: Serve) -> None:
    client = serve()
    job = enroll(client, items(*range(40))).json()["id"]
    assert client.post("/embed", json={"sequence": person(1)}).status_code == 200
    assert ended(client, job)["result"]["enrolled"] == 40
