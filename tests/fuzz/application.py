"""The real application at a real socket, with a real store and the models' fakes, and somebody in its galleries."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from gallery.api_keys import NewKey, Scope
from gallery.maintenance import Maintenance
from gallery.store.api_keys import make_key
from service.app import create_app
from service.engine.engine import Engine
from service.operation.metrics import Metrics
from service.process.server import running
from service.settings import Settings
from tests.fakes import FakeClassifier, FakeEncoder
from tests.service.conftest import open_library, person

GALLERIES = ("default", "entrance", "vault")
SUBJECTS = ("ada", "grace", "walker-01")


@dataclass(frozen=True, slots=True)
class Served:
    """url: of the service. key: one that may do everything."""

    url: str
    key: str

    @property
    def key_id(self) -> str:
        return self.key.split("_")[1]

    def fill(self) -> None:
        """Put everybody where they belong who is not there (any more), if that is possible just now."""
        headers = {"Authorization": f"Bearer {self.key}"}
        with httpx.Client(base_url=self.url, headers=headers, timeout=60) as client:
            for gallery in GALLERIES:
                client.post("/galleries", json={"name": gallery, "vault_days": 30 if gallery == "vault" else None})
                for place, subject in enumerate(SUBJECTS):
                    path = f"/galleries/{gallery}/subjects/{subject}/templates"
                    body = {"sequence": person(place, frames=40), "force": True}
                    client.post(path, json=body)


@contextmanager
def served() -> Iterator[Served]:
    """The service with keys, three galleries and three subjects in each; gone at the end."""
    with tempfile.TemporaryDirectory(prefix="gaitkeeper-fuzz-") as folder:
        encoder = FakeEncoder()
        library = open_library(Path(folder), encoder)
        _, key = make_key(library.store, NewKey("fuzz", frozenset({Scope.ADMIN})))
        settings = Settings.read({}, data=Path(folder), port=0, limits={"frames": 600})
        engine = Engine(encoder, FakeClassifier(), library, settings.limits, Metrics(), (Maintenance(library),))
        with running(create_app(settings, engine), settings) as url:
            service = Served(url, key)
            service.fill()
            yield service
