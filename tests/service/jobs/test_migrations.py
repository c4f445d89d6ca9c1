"""A gallery changes its encoder over HTTP, and goes on answering."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gallery.library import Library
from model.bundle import open_bundle
from model.bundle_writing import write_bundle
from model.clips import ClipSpec
from service.app import create_app
from service.engine.engine import Engine
from service.operation.metrics import Metrics
from service.settings import Settings
from tests.fakes import FakeEncoder
from tests.gallery.command_line import CALIBRATION
from tests.service.client import Client, started
from tests.service.conftest import ended, person


@pytest.fixture
def bundles(tmp_path: Path) -> Path:
    """A folder with one small bundle, `small`."""
    onnx_files = pytest.importorskip("tests.model.onnx_files", reason="onnx makes the models under test")
    content = {
        "encoder.onnx": onnx_files.mean_pose_model(width=32),
        "calibration.json": json.dumps(CALIBRATION.to_json()).encode(),
    }
    write_bundle(tmp_path / "bundles" / "small", content, name="small", layout="coco-17", clip=ClipSpec(), dim=32)
    return tmp_path / "bundles"


@pytest.fixture
def client(library: Library, encoder: FakeEncoder, bundles: Path) -> Iterator[Client]:
    settings = Settings.read({}, access="loopback", bundles=bundles)
    with ExitStack() as running:
        engine = Engine(encoder, None, library, settings.limits, Metrics())
        yield running.enter_context(started(create_app(settings, engine)))


def enroll(client: Client, gallery: str, *numbers: int) -> None:
    for number in numbers:
        path = f"/galleries/{gallery}/subjects/p{number}/templates"
        assert client.post(path, json={"sequence": person(number)}).status_code == 201


def test_a_gallery_is_embedded_again_and_the_new_encoder_answers(client: Client, bundles: Path) -> None:
    client.post("/galleries", json={"name": "door", "vault_days": 30})
    enroll(client, "door", 1, 2, 3)
    webhook = client.post("/webhooks", json={"url": "https://example.org/", "gallery": "door"}).json()["id"]
    accepted = client.post("/galleries/door/migrations", json={"bundle": "small"})
    assert accepted.status_code == 202, accepted.text
    job = ended(client, accepted.json()["id"])
    assert job["state"] == "done", job
    assert (job["done"], job["total"]) == (3, 3)
    assert (job["result"]["templates"], job["result"]["switched"], job["result"]["answers"]) == (3, True, True)
    new = open_bundle(bundles / "small").fingerprint
    assert client.get("/galleries/door").json()["bundle"] == new
    found = client.post("/identify", json={"sequence": person(2), "gallery": "door"})
    assert (found.status_code, found.json()["bundle"]) == (200, new)
    # What is about the gallery is about it still, whichever generation answers.
    assert client.get(f"/webhooks/{webhook}").json()["gallery"] == "door"
    assert client.get(f"/jobs/{job['id']}").json()["gallery"] == "door"


def test_the_present_encoder_stays_while_another_gallery_needs_it(client: Client, encoder: FakeEncoder) -> None:
    client.post("/galleries", json={"name": "door", "vault_days": 30})
    enroll(client, "door", 1, 2, 3)
    enroll(client, "default", 1)
    job = ended(client, client.post("/galleries/door/migrations", json={"bundle": "small"}).json()["id"])
    assert (job["state"], job["result"]["answers"]) == ("done", False)
    assert client.post("/identify", json={"sequence": person(1)}).json()["bundle"] == encoder.fingerprint


def test_what_is_only_filled_does_not_answer_yet(client: Client, encoder: FakeEncoder) -> None:
    client.post("/galleries", json={"name": "door", "vault_days": 30})
    enroll(client, "door", 1, 2, 3)
    job = client.post("/galleries/door/migrations", json={"bundle": "small", "switch": False}).json()["id"]
    assert ended(client, job)["result"]["switched"] is False
    assert client.get("/galleries/door").json()["bundle"] == encoder.fingerprint


def test_a_gallery_without_a_vault_is_refused_at_once(client: Client) -> None:
    enroll(client, "default", 1)
    refused = client.post("/galleries/default/migrations", json={"bundle": "small"})
    assert (refused.status_code, refused.json()["field"]) == (422, "gallery")
    assert client.get("/jobs").json()["jobs"] == []
