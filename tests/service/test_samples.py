"""The samples that ship with the service can be listed, and each asked about as it is."""

from service import samples
from tests.service.client import Client


def test_every_file_is_listed_once_with_all_that_it_is_for(client: Client) -> None:
    listed = client.get("/samples").json()["samples"]
    names = [each["name"] for each in listed]
    assert len(set(names)) == len(names)
    assert set(names) == {path.stem for path, _ in samples.shipped().all}
    walk = next(each for each in listed if each["name"] == "walk-1")
    assert walk["roles"] == ["action", "probe"]
    assert (walk["action"], walk["subject"], walk["source"]) == ("walk", None, "cmu")
    enrolled = next(each for each in listed if each["roles"] == ["enroll"])
    assert enrolled["subject"] is not None
    assert set(enrolled["labels"]) == {"condition", "view"}


def test_names_are_unique_over_all_folders() -> None:
    paths = {path for path, _ in samples.shipped().all}
    assert len({path.stem for path in paths}) == len(paths)


def test_a_sample_is_what_identify_takes(client: Client) -> None:
    sequence = client.get("/samples/walk-1").json()
    assert client.post("/embed", json={"sequence": sequence}).status_code == 200


def test_what_is_no_sample_is_not_found(client: Client) -> None:
    for name in ("walk-9", "samples", "..%2Fsamples", "walk-1.json"):
        answer = client.get(f"/samples/{name}")
        assert answer.status_code == 404, name
    assert client.get("/samples/walk-9").json()["type"] == "urn:gaitkeeper:problem:unknown-resource"


def test_the_console_knows_every_layout_and_every_word_of_the_quality_checks(client: Client) -> None:
    found = client.get("/console/model.json").json()
    assert found["layouts"]["coco-17"]["joints"][0] == "nose"
    assert found["layouts"]["coco-17"]["parts"]["left_leg"] == [11, 13, 15]
    assert "too_short" in found["words"]
