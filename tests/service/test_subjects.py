"""What an operator does to subjects over HTTP, and what the answers let them prove."""

import io
import time
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from gallery.erasure import read_receipt, verify_receipt
from gallery.library import Library
from gallery.store import open_store
from gallery.template import Decision
from service.engine.engine import Bounds, Engine
from service.engine.searching import Search
from tests.service.client import Client
from tests.service.conftest import ended, person

ADA = "/galleries/default/subjects/ada"


def enroll(client: Client, subject: str, number: int, gallery: str = "default", **more: Any) -> int:
    path = f"/galleries/{gallery}/subjects/{subject}/templates"
    answer = client.post(path, json={"sequence": person(number), **more})
    assert answer.status_code == 201, answer.text
    return int(answer.json()["template"])


def names(answer: dict[str, Any]) -> list[str]:
    return [each["subject"] for each in answer["candidates"]]


def test_consent_given_with_the_first_template_is_shown_with_the_subject(client: Client) -> None:
    given = {"reference": "form 7", "purpose": "entrance", "expires": "2099-01-01T00:00:00+00:00"}
    enroll(client, "ada", 1, consent=given)
    assert client.get(ADA).json()["consent"] == given


def test_an_expiry_without_a_time_zone_is_refused(client: Client) -> None:
    answer = client.post(ADA + "/templates", json={"sequence": person(), "consent": {"expires": "2099-01-01T00:00:00"}})
    assert answer.status_code == 422
    assert client.get(ADA).status_code == 404


def test_an_expired_subject_is_in_no_answer(client: Client) -> None:
    enroll(client, "ada", 1)
    enroll(client, "bob", 2)
    changed = client.patch(ADA, json={"consent": {"expires": "2020-01-01T00:00:00Z"}})
    assert changed.status_code == 200
    answer = client.post("/identify", json={"sequence": person(1)}).json()
    assert names(answer) == ["bob"]
    assert answer["searched"] == 1


def test_what_a_change_leaves_out_stays(client: Client) -> None:
    enroll(client, "ada", 1)
    client.patch(ADA, json={"metadata": {"desk": 12}, "hold": "case 9"})
    after = client.patch(ADA, json={"consent": {"reference": "form 8"}}).json()
    assert (after["metadata"], after["hold"], after["consent"]["reference"]) == ({"desk": 12}, "case 9", "form 8")


def test_a_held_subject_is_not_erased_until_the_hold_is_released(client: Client) -> None:
    enroll(client, "ada", 1)
    client.patch(ADA, json={"hold": "case 9"})
    refused = client.delete(ADA)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:gaitkeeper:problem:subject-held")
    client.patch(ADA, json={"hold": None})
    assert client.delete(ADA).status_code == 200


def test_a_subject_gets_another_id_unless_somebody_has_it(client: Client) -> None:
    enroll(client, "ada", 1)
    enroll(client, "bob", 2)
    assert client.patch(ADA, json={"subject": "bob"}).status_code == 409
    assert client.patch(ADA, json={"subject": "adele"}).json()["subject"] == "adele"
    assert client.get(ADA).status_code == 404
    assert client.post("/identify", json={"sequence": person(1)}).json()["subject"] == "adele"


def test_a_new_id_comes_alone(client: Client) -> None:
    enroll(client, "ada", 1)
    assert client.patch(ADA, json={"subject": "adele", "hold": "case 9"}).status_code == 422
    assert client.get(ADA).json()["hold"] is None


def test_merged_subjects_are_one(client: Client) -> None:
    enroll(client, "ada", 1)
    enroll(client, "adele", 2)
    merged = client.post(ADA + "/merge", json={"into": "adele"})
    assert len(merged.json()["templates"]) == 2
    assert client.get(ADA).status_code == 404
    assert client.post("/identify", json={"sequence": person(1)}).json()["subject"] == "adele"


def test_a_subject_moves_to_another_gallery(client: Client) -> None:
    client.post("/galleries", json={"name": "yard", "protected": True})
    enroll(client, "ada", 1)
    enroll(client, "bob", 2)
    assert client.post(ADA + "/move", json={"gallery": "yard"}).json()["gallery"] == "yard"
    assert names(client.post("/identify", json={"sequence": person(1)}).json()) == ["bob"]
    found = client.post("/identify", json={"sequence": person(1), "gallery": "yard"}).json()
    assert found["subject"] == "ada"
    assert found["score"] == pytest.approx(1, abs=1e-5)


def test_a_search_within_a_sub_list_sees_nobody_else(client: Client) -> None:
    for number, subject in enumerate(("ada", "bob", "eve")):
        enroll(client, subject, number)
    answer = client.post("/identify", json={"sequence": person(0), "within": ["bob", "eve"]}).json()
    assert set(names(answer)) == {"bob", "eve"}
    assert answer["searched"] == 2
    unknown = client.post("/identify", json={"sequence": person(0), "within": ["nobody"]})
    assert unknown.status_code == 404


def test_an_answer_can_be_demanded_from_a_change_on(client: Client) -> None:
    enroll(client, "ada", 1)
    seen = client.post("/identify", json={"sequence": person(1)}).json()["seq"]
    assert client.post("/identify", json={"sequence": person(1), "at_least": seen}).status_code == 200
    later = client.post("/identify", json={"sequence": person(1), "at_least": seen + 1000})
    assert (later.status_code, later.json()["type"]) == (409, "urn:gaitkeeper:problem:not-current")


def test_a_rate_may_be_given_in_decibels(client: Client) -> None:
    enroll(client, "ada", 1)
    answer = client.post("/identify", json={"sequence": person(1), "db": 13}).json()
    assert answer["fpir"] == pytest.approx(0.0501, rel=1e-3)
    assert answer["db"] == 13
    both = client.post("/identify", json={"sequence": person(1), "db": 13, "target_fpir": 0.05})
    assert (both.status_code, both.json()["field"]) == (422, "db")


def test_an_erasure_is_destroyed_within_a_minute_and_its_receipt_holds(client: Client, tmp_path: Path) -> None:
    enroll(client, "ada", 1)
    enroll(client, "bob", 2)
    erased = client.delete(ADA).json()
    assert (erased["state"], erased["templates"]) == ("withheld", 1)
    until = time.monotonic() + 60
    while (receipt := client.get(f"/erasures/{erased['erasure']}").json()["receipt"])["state"] != "destroyed":
        assert time.monotonic() < until
        time.sleep(0.05)
    (tmp_path / "receipt.json").write_bytes(msgspec.json.encode(receipt))
    library = Library(open_store(tmp_path))
    assert verify_receipt(library.store, read_receipt(tmp_path / "receipt.json")) == []
    library.close()


def test_all_that_is_held_on_a_subject_is_given_out_as_a_zip(client: Client) -> None:
    enroll(client, "ada", 1, labels={"view": "090"})
    enroll(client, "bob", 2)
    answer = client.get(ADA + "/copy")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as held:
        assert held.testzip() is None
        text = b"".join(held.read(name) for name in held.namelist() if name.endswith(".json")).decode()
    assert '"090"' in text
    assert "bob" not in text
    assert client.get("/galleries/default/subjects/nobody/copy").status_code == 404


def test_an_erasure_nobody_knows_has_no_receipt(client: Client) -> None:
    assert client.get("/erasures/00000000-0000-0000-0000-000000000000").status_code == 404


def test_one_template_of_a_subject_can_be_erased_and_no_other_subjects(client: Client) -> None:
    first = enroll(client, "ada", 1)
    other = enroll(client, "bob", 2)
    client.post(ADA + "/templates", json={"sequence": person(1, seed=3)})
    assert client.delete(f"{ADA}/templates/{other}").status_code == 404
    assert client.delete(f"{ADA}/templates/{first}").json()["templates"] == 1
    assert len(client.get(ADA).json()["templates"]) == 1


def test_the_audit_log_says_who_did_what_and_names_nobody(client: Client) -> None:
    enroll(client, "quite-a-name", 1)
    client.post("/identify", json={"sequence": person(1)})
    client.delete("/galleries/default/subjects/quite-a-name")
    until = time.monotonic() + 10
    while "identify" not in {each["action"] for each in client.get("/audit").json()["entries"]}:
        assert time.monotonic() < until
    page = client.get("/audit", params={"limit": 1000})
    assert {"enroll", "identify", "erase"} <= {each["action"] for each in page.json()["entries"]}
    assert all(each["actor"].startswith(("loopback", "local:")) for each in page.json()["entries"])
    assert "quite-a-name" not in page.text
    first = client.get("/audit", params={"limit": 1}).json()
    assert first["next"] == first["entries"][0]["seq"]


def test_a_gallery_of_few_people_cannot_be_calibrated_and_says_how_many_are_needed(client: Client) -> None:
    for number in range(4):
        enroll(client, f"s{number}", number)
    job = client.post("/galleries/default/calibration", json={"target_fpir": 0.01}).json()["id"]
    failed = ended(client, job)
    assert failed["state"] == "failed"
    assert "more" in failed["result"]["detail"]
    assert client.get("/galleries/default/calibration").json()["calibration"] is None


def test_a_gallery_calibrated_by_its_own_people_answers_by_that(client: Client) -> None:
    for number in range(40):
        for seed in range(2):
            client.post(f"/galleries/default/subjects/s{number}/templates", json={"sequence": person(number, seed)})
    job = ended(client, client.post("/galleries/default/calibration", json={"target_fpir": 0.2}).json()["id"])
    assert job["state"] == "done", job
    answer = client.post("/identify", json={"sequence": person(3, seed=9)}).json()
    assert (answer["basis"], answer["calibration"]) == ("gallery", job["result"]["calibration"])
    refused = client.post("/galleries/default/subjects/new/templates", json={"sequence": person(3, seed=8)})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:gaitkeeper:problem:duplicate-subject")
    assert refused.json()["candidate"] == "s3"
    forced = client.post(
        "/galleries/default/subjects/new/templates", json={"sequence": person(3, seed=8), "force": True}
    )
    assert forced.status_code == 201
    assert client.delete("/galleries/default/calibration").status_code == 204
    assert client.post("/identify", json={"sequence": person(3, seed=9)}).json()["basis"] == "prior"


def test_those_who_ask_in_one_batch_are_each_named_in_the_audit_log(client: Client) -> None:
    enroll(client, "ada", 1)
    engine: Engine = client.app.state.engine
    embedding = engine.library.templates_of("default", "ada")[0].embedding
    model = engine.encoding.fingerprint
    searches = [Search("default", embedding, Bounds(), f"http:{name}", model) for name in ("first", "second")]
    assert all(isinstance(answer, Decision) for answer in engine._searching.work(searches))
    assert engine.library.recorder is not None
    engine.library.recorder.flush()
    entries = client.get("/audit", params={"action": "identify"}).json()["entries"]
    assert [each["actor"] for each in entries] == ["http:first", "http:second"]
