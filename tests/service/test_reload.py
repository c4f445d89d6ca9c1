"""Bundles are opened again while requests run: POST /models/reload, and SIGHUP."""

import gc
import shutil
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from gallery.library import Library
from gallery.store.audit import audit_page
from model.bundle import DEFAULT_ENCODER, shipped
from model.errors import InvalidBundle
from model.sequence import Floats
from service.app import create_app
from service.engine.engine import Engine
from service.engine.loaded import as_classifier, as_encoder
from service.engine.opening import open_models
from service.engine.reloading import Opened
from service.operation.metrics import Metrics
from service.settings import Settings
from tests.fakes import FakeClassifier, FakeEncoder
from tests.service.client import Client, started
from tests.service.conftest import open_library, person


class GatedEncoder(FakeEncoder):
    """Waits in every call while the gate is shut."""

    def __init__(self) -> None:
        super().__init__()
        self.open, self.entered = threading.Event(), threading.Event()

    def embed_clips(self, clips: Floats) -> Floats:
        self.entered.set()
        assert self.open.wait(20)
        return super().embed_clips(clips)


class Bundles:
    """What the deployment's bundles hold: put another one here, and open again."""

    def __init__(self, encoder: Any) -> None:
        self.encoder, self.classifier = encoder, FakeClassifier()
        self.fails: Exception | None = None

    def open(self) -> Opened:
        if self.fails is not None:
            raise self.fails
        classifier = as_classifier(self.classifier)
        return Opened(as_encoder(self.encoder, "another"), classifier)


def make_app(library: Library, first: Any, open_models: Callable[[], Opened] | None) -> FastAPI:
    settings = Settings.read({}, access="loopback")
    engine = Engine(first, FakeClassifier(), library, settings.limits, Metrics(), (), open_models)
    return create_app(settings, engine)


def enroll(client: Client, subject: str, number: int) -> Any:
    path = f"/galleries/default/subjects/{subject}/templates"
    return client.post(path, json={"sequence": person(number)})


def test_the_models_that_answer_are_shown(client: Client, encoder: FakeEncoder) -> None:
    shown = client.get("/models").json()["models"]
    assert [each["task"] for each in shown] == ["encoder", "classifier"]
    assert shown[0]["fingerprint"] == encoder.fingerprint
    assert (shown[0]["dim"], shown[0]["layout"], shown[0]["frames"]) == (16, "coco-17", 60)
    assert shown[1]["labels"] == ["walk", "run"]


def test_the_same_encoder_takes_its_own_place_and_answers_as_before(library: Library, encoder: FakeEncoder) -> None:
    bundles = Bundles(FakeEncoder())
    with started(make_app(library, encoder, bundles.open)) as client:
        enroll(client, "ada", 1)
        before = client.post("/identify", json={"sequence": person(1, 4)}).json()
        reloaded = client.post("/models/reload")
        assert (reloaded.status_code, reloaded.json()["changed"]) == (200, [])
        assert reloaded.json()["models"][0]["name"] == "another"
        after = client.post("/identify", json={"sequence": person(1, 4)}).json()
        assert (after["subject"], after["score"]) == (before["subject"], before["score"]) == ("ada", before["score"])
        assert bundles.encoder.calls, "the new one was asked"
        assert [each.action for each in audit_page(library.store, 0, 10, action="reload")] == ["reload"]


def test_a_request_in_flight_finishes_on_the_encoder_that_it_began_with(library: Library) -> None:
    old, new = GatedEncoder(), FakeEncoder()
    bundles = Bundles(new)
    with started(make_app(library, old, bundles.open)) as client:
        answered: list[int] = []

        def ask() -> None:
            answered.append(client.post("/embed", json={"sequence": person()}).status_code)

        asking = threading.Thread(target=ask)
        asking.start()
        assert old.entered.wait(20)
        assert client.post("/models/reload").status_code == 200, "nobody waits for the old one"
        old.open.set()
        asking.join(20)
        assert answered == [200]
        assert old.calls == [1]
        assert client.post("/embed", json={"sequence": person()}).status_code == 200
        assert (old.calls, new.calls) == ([1], [1])


def test_the_old_encoder_goes_with_the_last_who_needed_it(library: Library) -> None:
    old = FakeEncoder()
    held = weakref.ref(old)
    with started(make_app(library, old, Bundles(FakeEncoder()).open)) as client:
        del old
        assert client.post("/embed", json={"sequence": person()}).status_code == 200
        assert client.post("/models/reload").status_code == 200
        assert client.post("/embed", json={"sequence": person()}).status_code == 200
        gc.collect()
        assert held() is None


def test_an_encoder_of_another_space_is_refused_while_galleries_need_the_present_one(
    library: Library, encoder: FakeEncoder
) -> None:
    bundles = Bundles(FakeEncoder(name="other"))
    with started(make_app(library, encoder, bundles.open)) as client:
        enroll(client, "ada", 1)
        refused = client.post("/models/reload")
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:gaitkeeper:problem:conflict")
        assert "default" in refused.json()["detail"]
        assert "gallery migrate" in refused.json()["detail"]
        assert client.get("/models").json()["models"][0]["fingerprint"] == encoder.fingerprint
        assert client.post("/identify", json={"sequence": person(1, 4)}).json()["subject"] == "ada"


def test_an_encoder_of_another_space_is_taken_where_no_template_is_left_behind(tmp_path: Path) -> None:
    old, new = FakeEncoder(), FakeEncoder(name="other")
    library = open_library(tmp_path, old)
    library.create("moved", fingerprint=new.fingerprint, dim=new.dim)
    with started(make_app(library, old, Bundles(new).open)) as client:
        assert client.post("/models/reload").json()["changed"] == ["encoder"]
        moved = client.post("/galleries/moved/subjects/ada/templates", json={"sequence": person(1)})
        assert (moved.status_code, moved.json()["bundle"]) == (201, new.fingerprint)


def test_a_classifier_may_change_as_it_likes(library: Library, encoder: FakeEncoder) -> None:
    bundles = Bundles(encoder)
    bundles.classifier = FakeClassifier(("sit", "stand", "lie"))
    bundles.classifier.fingerprint = "another"
    with started(make_app(library, encoder, bundles.open)) as client:
        assert client.post("/models/reload").json()["changed"] == ["classifier"]
        assert client.post("/classify", json={"sequence": person()}).json()["action"] == "sit"


def test_a_bundle_that_cannot_be_opened_changes_nothing(library: Library, encoder: FakeEncoder) -> None:
    bundles = Bundles(FakeEncoder())
    bundles.fails = InvalidBundle("/somewhere", "encoder.onnx is not the file that its manifest describes")
    with started(make_app(library, encoder, bundles.open)) as client:
        refused = client.post("/models/reload")
        assert refused.status_code == 409
        assert "encoder.onnx" in refused.json()["detail"]
        assert client.get("/readyz").status_code == 200
        assert client.get("/models").json()["models"][0]["name"] == "encoder"


def test_models_that_came_from_no_bundle_cannot_be_opened_again(client: Client) -> None:
    assert client.post("/models/reload").status_code == 409


def test_two_reloads_at_once_are_one_too_many(library: Library, encoder: FakeEncoder) -> None:
    inside, leave = threading.Event(), threading.Event()

    def slow() -> Opened:
        inside.set()
        assert leave.wait(20)
        return Bundles(encoder).open()

    with started(make_app(library, encoder, slow)) as client:
        engine: Engine = client.app.state.engine
        first = threading.Thread(target=engine.reloading.reload_and_log)
        first.start()
        assert inside.wait(20)
        assert client.post("/models/reload").status_code == 409
        leave.set()
        first.join(20)


def test_a_bundle_on_the_disk_is_held_against_its_own_record_before_it_answers(tmp_path: Path) -> None:
    path = tmp_path / "encoder"
    shutil.copytree(shipped(DEFAULT_ENCODER), path)
    settings = Settings.read({}, encoder=path, threads=1)
    opened = open_models(settings, parity=True)
    assert opened.encoder.name == DEFAULT_ENCODER
    assert opened.prior is not None
    content = bytearray((path / "encoder.onnx").read_bytes())
    content[-1] ^= 1
    (path / "encoder.onnx").write_bytes(content)
    with pytest.raises(InvalidBundle, match="wrong hash"):
        open_models(settings)
