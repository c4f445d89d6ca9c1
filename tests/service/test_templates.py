"""A gallery's templates over HTTP, and the skeletons that its vault keeps."""

from typing import Any

import pytest

from tests.service.client import Client
from tests.service.conftest import person, prior


@pytest.fixture
def gallery(client: Client) -> Client:
    """The gallery `kept` with a vault and two people, each with two templates."""
    assert client.post("/galleries", json={"name": "kept", "vault_days": 30}).status_code == 201
    for subject in (1, 2):
        for seed, view in ((0, "000"), (1, "090")):
            path = f"/galleries/kept/subjects/s{subject}/templates"
            body = {"sequence": person(subject, seed), "labels": {"view": view}, "force": True}
            assert client.post(path, json=body).status_code == 201
    return client


def pages(client: Client, gallery: str, limit: int) -> list[dict[str, Any]]:
    found, after = [], 0
    while after is not None:
        page = client.get(f"/galleries/{gallery}/templates", params={"after": after, "limit": limit}).json()
        assert len(page["templates"]) <= limit
        found += page["templates"]
        after = page["next"]
    return found


@pytest.mark.parametrize("limit", [1, 3, 4, 100])
def test_pages_of_any_size_hold_every_template_once(gallery: Client, limit: int) -> None:
    found = pages(gallery, "kept", limit)
    assert [(each["subject"], each["labels"]["view"], each["frames"], each["vault"]) for each in found] == [
        ("s1", "000", 60, True),
        ("s1", "090", 60, True),
        ("s2", "000", 60, True),
        ("s2", "090", 60, True),
    ]


def test_no_embedding_is_in_the_list(gallery: Client) -> None:
    assert all("embedding" not in each for each in pages(gallery, "kept", 10))


def test_a_skeleton_can_be_sent_back_as_it_is(gallery: Client) -> None:
    template = pages(gallery, "kept", 10)[2]["template"]
    answer = gallery.get(f"/galleries/kept/subjects/s2/templates/{template}/skeleton")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    decision = gallery.post("/identify", json={"gallery": "kept", "sequence": answer.json()}).json()
    assert decision["candidates"][0]["subject"] == "s2"
    audit = gallery.get("/audit", params={"action": "show_skeleton"}).json()["entries"]
    assert [entry["detail"] for entry in audit] == [{"template": template}]


@pytest.mark.parametrize(
    "path",
    [
        "/galleries/nowhere/templates",
        "/galleries/nowhere/subjects/s1/templates/1/skeleton",
        "/galleries/kept/subjects/nobody/templates/1/skeleton",
        "/galleries/kept/subjects/s1/templates/9999/skeleton",
    ],
)
def test_what_is_not_there_is_404(gallery: Client, path: str) -> None:
    assert gallery.get(path).status_code == 404


def test_a_gallery_without_a_vault_has_no_skeleton_to_show(client: Client) -> None:
    client.post("/galleries/default/subjects/ada/templates", json={"sequence": person(1)})
    template = pages(client, "default", 10)[0]
    assert template["vault"] is False
    answer = client.get(f"/galleries/default/subjects/ada/templates/{template['template']}/skeleton")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:gaitkeeper:problem:unknown-resource")


@pytest.mark.parametrize("number", ["0", "-1", "99999999999999999999", "one"])
def test_a_number_that_cannot_be_one_is_422(gallery: Client, number: str) -> None:
    assert gallery.get(f"/galleries/kept/subjects/s1/templates/{number}/skeleton").status_code == 422


def test_a_gallery_without_a_calibration_of_its_own_shows_what_its_answers_go_by(client: Client) -> None:
    shown = client.get("/galleries/default/calibration").json()
    assert (shown["calibration"], shown["prior"]["id"]) == (None, prior().id)
    library = client.app.state.engine.library
    library.set_calibration("default", prior())
    shown = client.get("/galleries/default/calibration").json()
    assert (shown["calibration"]["id"], shown["prior"]) == (prior().id, None)
