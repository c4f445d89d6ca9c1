"""Whatever a camera sends that is valid: it is followed, cut and judged without an error, within bounds of memory."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gallery.library import Library
from model.by_motion import ByMotion
from model.following import PATHS
from model.named_layouts import COCO_17
from model.sequence import Units
from service.engine.engine import Engine
from service.operation.metrics import Metrics
from service.settings import Settings
from service.streams.asked import Form
from service.streams.frames import Arrived
from service.streams.moments import Moments
from service.streams.tracked import Tracked
from tests.fakes import FakeClassifier, FakeEncoder


@pytest.fixture
def engine(library: Library, encoder: FakeEncoder) -> Any:
    made = Engine(encoder, FakeClassifier(), library, Settings.read({}).limits, Metrics())
    yield made
    made.close()


def frame(rng: np.random.Generator, people: int, dims: int, scale: float) -> Arrived:
    """Detections of anything: near and far bodies, single points, joints that are missing, twins."""
    poses = rng.normal(0, 1, (people, 17, dims + 1))
    poses[..., :-1] = poses[..., :-1] * scale * rng.choice([0, 0.01, 0.2, 1], (people, 1, 1))
    poses[..., :-1] += rng.choice([0, 300, 90_000], (people, 1, dims)) * min(scale, 1)
    poses[..., -1] = rng.choice([0, 0.05, 0.9, 1], (people, 17)) * rng.choice([0, 1, 1], (people, 1))
    if people > 1 and rng.random() < 0.3:
        poses[1] = poses[0]
    poses[poses[..., -1] == 0] = 0
    return Arrived(poses.astype(np.float32))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    seed=st.integers(0, 10_000),
    fps=st.sampled_from([1.0, 7.5, 25.0, 30.0, 120.0]),
    units=st.sampled_from([Units.PIXELS, Units.NORMALISED, Units.METRES]),
    scale=st.sampled_from([1e-3, 1.0, 200.0]),
    most=st.integers(0, 6),
    trust=st.booleans(),
    jump=st.sampled_from([1, 1, 3, 1000, 10**9]),
)
def test_it_is_followed_without_an_error(
    engine: Engine, seed: int, fps: float, units: Units, scale: float, most: int, trust: bool, jump: int
) -> None:
    rng = np.random.default_rng(seed)
    form = Form(
        COCO_17, fps, units, 1.5 if units is Units.NORMALISED else None, 3 if units is Units.METRES else 2, trust
    )
    moments = Moments(form, engine.encoding, engine.labelling)
    number, started, ended = 0, 0, 0
    longest = Tracked(None, form, engine.encoding, None)._windows.length  # type: ignore[arg-type]
    for _ in range(60):
        people = int(rng.integers(0, most + 1))
        sent = frame(rng, people, form.dims, scale)
        ids = tuple(map(str, rng.permutation(8)[:people])) if trust else None
        (moment,) = moments.advance([(number, Arrived(sent.poses, ids))], figures=True)
        started += len(moment.started)
        ended += sum(due.ended for due in moment.due)
        assert all(window.last - window.first < longest for due in moment.due for window in due.windows)
        number += int(rng.integers(1, jump + 1))
    ended += sum(due.ended for due in moments.finish(number).due)
    assert started == ended


def test_a_crowd_of_ghosts_is_forgotten_not_kept() -> None:
    rng = np.random.default_rng(1)
    follower = ByMotion(25.0)
    for number in range(40):
        follower.step(number, frame(rng, 32, 2, 200.0).poses)
        assert len(follower.tracks) <= PATHS
