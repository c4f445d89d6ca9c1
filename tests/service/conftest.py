"""The service on real parts, except that its models are the named fakes."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from gallery.calibration import Calibration
from gallery.library import Library
from gallery.maintenance import Maintenance
from gallery.recorder import Recorder
from gallery.store import open_store
from gallery.store.engine import DATABASE
from model.sequence import SkeletonSequence
from service.app import create_app
from service.engine.engine import Engine
from service.operation.metrics import Metrics
from service.settings import Settings
from tests.fakes import FakeClassifier, FakeEncoder, walking
from tests.service.client import Client, started

# Between what FakeEncoder gives two walks of one person (0.998 and up) and of two people (up to 0.9972).
THRESHOLD = 0.9976


def prior() -> Calibration:
    """A calibration that holds scores to `THRESHOLD` in a gallery of any size."""
    table = [{"subjects": n, "fpir": 0.05, "threshold": THRESHOLD, "fnir": 0.1} for n in (2, 100_000)]
    return Calibration.from_json(
        {"format": 1, "id": "test", "made_on": "nobody", "subjects": 50, "target_fpir": 0.05, "table": table}
    )


def as_json(sequence: SkeletonSequence) -> dict[str, Any]:
    return {
        "layout": sequence.layout.name,
        "fps": sequence.fps,
        "units": sequence.units.value,
        "aspect": sequence.aspect,
        "joints": sequence.joints.tolist(),
        "confidence": sequence.confidence.tolist(),
    }


def person(subject: int = 0, seed: int = 0, frames: int = 60) -> dict[str, Any]:
    """A sequence of a walking person, as the service takes it."""
    return as_json(walking(subject, frames, seed=seed))


def ended(client: Client, job: str) -> dict[str, Any]:
    """A job, followed to its end."""
    client.get(f"/jobs/{job}/events")
    found: dict[str, Any] = client.get(f"/jobs/{job}").json()
    return found


def open_library(folder: Path, encoder: FakeEncoder) -> Library:
    """A library with the gallery `default`, as the service opens it."""
    store = open_store(folder)
    library = Library(store, priors={encoder.fingerprint: prior()}, recorder=Recorder(store))
    library.ensure("default", fingerprint=encoder.fingerprint, dim=encoder.dim)
    return library


def make_app(library: Library, model: Any, classifier: Any = FakeClassifier(), **limits: int) -> FastAPI:
    """The application over these parts; it closes the library when it stops."""
    settings = Settings.read({}, access="loopback", limits=limits)
    keeping = (Maintenance(library, every_s=0.05),)
    return create_app(settings, Engine(model, classifier, library, settings.limits, Metrics(), keeping))


@pytest.fixture
def encoder() -> FakeEncoder:
    return FakeEncoder()


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database without galleries; a copy of it is quicker than the migrations."""
    directory = tmp_path_factory.mktemp("migrated")
    open_store(directory).close()
    return directory / DATABASE


@pytest.fixture
def library(tmp_path: Path, encoder: FakeEncoder, migrated: Path) -> Library:
    shutil.copy(migrated, tmp_path)
    return open_library(tmp_path, encoder)


Serve = Callable[..., Client]


@pytest.fixture
def serve(encoder: FakeEncoder, library: Library) -> Iterator[Serve]:
    """Starts the service, with another model or limits if given, and gives a client of it."""
    with ExitStack() as running:

        def _serve(model: Any = encoder, **more: Any) -> Client:
            return running.enter_context(started(make_app(library, model, **more)))

        yield _serve


@pytest.fixture
def client(serve: Serve) -> Client:
    return serve()
