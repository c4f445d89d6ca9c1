"""Streams of the service with the fake models, and cameras that send simulated people."""

import pytest

from gallery.calibration import Calibration
from gallery.library import Library
from tests.fakes import FakeEncoder
from tests.service.conftest import THRESHOLD, Serve
from tests.service.streams.camera import Camera, enroll


def calibration() -> Calibration:
    """Thresholds for a track's rate, half and a quarter of it, all between the scores of two people and of one."""
    rates = {0.0125: THRESHOLD, 0.025: THRESHOLD - 0.0001, 0.05: THRESHOLD - 0.0002}
    table = [
        {"subjects": n, "fpir": rate, "threshold": value, "fnir": 0.1}
        for n in (2, 100_000)
        for rate, value in rates.items()
    ]
    return Calibration.from_json(
        {"format": 1, "id": "streams", "made_on": "nobody", "subjects": 50, "target_fpir": 0.05, "table": table}
    )


@pytest.fixture
def calibrated(library: Library, encoder: FakeEncoder) -> Library:
    """The gallery `default` with ada (subject 1) and bob (2), calibrated so that every look is supported."""
    library.set_calibration("default", calibration())
    enroll(library, encoder, ada=1, bob=2)
    return library


@pytest.fixture
def camera(serve: Serve, calibrated: Library) -> Camera:
    del calibrated
    return Camera(serve())
