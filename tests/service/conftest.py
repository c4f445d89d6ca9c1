"""The service on real parts, except that its models are the named fakes."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from gallery.calibration import Calibration
from gallery.library import Library
from gallery.store import open_store
from model.sequence import SkeletonSequence
from service.app import create_app
from service.engine import Engine
from service.metrics import Metrics
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


@pytest.fixture
def encoder() -> FakeEncoder:
    return FakeEncoder()


@pytest.fixture
def library(tmp_path: Path, encoder: FakeEncoder) -> Library:
    """A library of its own, which the engine closes."""
    library = Library(open_store(tmp_path), priors={encoder.fingerprint: prior()})
    library.ensure("default", fingerprint=encoder.fingerprint, dim=encoder.dim)
    return library


Serve = Callable[..., Client]


@pytest.fixture
def serve(tmp_path: Path, encoder: FakeEncoder, library: Library) -> Iterator[Serve]:
    """Starts the service, with limits if given, and gives a client of it."""
    with ExitStack() as running:

        def _serve(model: Any = encoder, classifier: Any = FakeClassifier(), **limits: int) -> Client:
            settings = Settings.read({}, data=tmp_path, limits=limits)
            engine = Engine(model, classifier, library, settings.limits, Metrics())
            app = create_app(settings, engine)
            return running.enter_context(started(app))

        yield _serve


@pytest.fixture
def client(serve: Serve) -> Client:
    return serve()
