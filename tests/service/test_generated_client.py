"""A client that a program makes of the document works against the running service."""

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from gallery.api_keys import NewKey, Scope
from gallery.library import Library
from gallery.store.api_keys import make_key
from service.app import create_app
from service.engine.engine import Engine
from service.operation.metrics import Metrics
from service.process.server import running
from service.settings import Settings
from tests.fakes import FakeClassifier, FakeEncoder
from tests.service.conftest import person

NAME = "generated_gaitkeeper"


class Generated:
    """The package that was generated, and the service that it talks to."""

    def __init__(self, url: str, key: str) -> None:
        made = importlib.import_module(NAME)
        self.client = made.AuthenticatedClient(base_url=f"{url}/v1", token=key)

    def models(self) -> ModuleType:
        return importlib.import_module(f"{NAME}.models")

    def call(self, tag: str, operation: str, *path: str, **more: Any) -> Any:
        """What the operation answers, parsed."""
        module = importlib.import_module(f"{NAME}.api.{tag}.{operation}")
        return module.sync_detailed(*path, client=self.client, **more)


@pytest.fixture
def generated(
    tmp_path: Path, library: Library, encoder: FakeEncoder, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Generated]:
    _, key = make_key(library.store, NewKey("integrator", frozenset({Scope.IDENTIFY, Scope.ENROLL, Scope.MANAGE})))
    settings = Settings.read({}, port=0, data=tmp_path)
    engine = Engine(encoder, FakeClassifier(), library, settings.limits, Metrics(), ())
    app = create_app(settings, engine)
    document = tmp_path / "openapi.json"
    document.write_bytes(msgspec.json.encode(app.openapi()))
    (tmp_path / "config.yml").write_text("post_hooks: []\n")
    command = [
        sys.executable,
        "-P",
        "-m",
        "openapi_python_client",
        "generate",
        "--path",
        str(document),
        "--meta",
        "none",
    ]
    options = ["--output-path", str(tmp_path / NAME), "--config", str(tmp_path / "config.yml")]
    made = subprocess.run([*command, *options], capture_output=True, text=True, timeout=120)
    assert made.returncode == 0, made.stderr[-2000:]
    assert "Unable to" not in made.stdout
    monkeypatch.syspath_prepend(tmp_path)
    with running(app, settings) as url:
        made_here = Generated(url, key)
        with made_here.client:
            yield made_here
    for name in [name for name in sys.modules if name.partition(".")[0] == NAME]:
        del sys.modules[name]


def test_it_creates_enrolls_identifies_pages_and_erases(generated: Generated) -> None:
    models, call = generated.models(), generated.call
    made = call("galleries", "create_gallery", body=models.CreateGallery(name="entrance"), idempotency_key="a-1")
    again = call("galleries", "create_gallery", body=models.CreateGallery(name="entrance"), idempotency_key="a-1")
    assert (made.status_code, made.parsed.name) == (201, "entrance")
    assert again.parsed == made.parsed
    for place, subject in enumerate(("ada", "grace")):
        body = models.EnrollRequest.from_dict({"sequence": person(place), "labels": {"view": "090"}})
        enrolled = call("subjects", "enroll", "entrance", subject, body=body)
        assert enrolled.parsed.subject == subject
    asked = models.IdentifyRequest.from_dict({"sequence": person(1, seed=1), "gallery": "entrance"})
    decision = call("recognition", "identify", body=asked).parsed
    assert (str(decision.outcome), decision.subject) == ("match", "grace")
    page = call("subjects", "list_subjects", "entrance", limit=1).parsed
    assert ([each.subject for each in page.subjects], page.next_) == (["ada"], "ada")
    erased = call("subjects", "erase_subject", "entrance", "ada").parsed
    assert erased.receipt.to_dict()
    gone = call("subjects", "show_subject", "entrance", "ada").parsed
    assert gone.type_ == "urn:gaitkeeper:problem:unknown-subject"


def test_what_its_key_may_not_is_a_problem_that_it_knows(generated: Generated) -> None:
    refused = generated.call("keys", "list_keys")
    assert (refused.status_code, refused.parsed.type_) == (403, "urn:gaitkeeper:problem:not-allowed")
