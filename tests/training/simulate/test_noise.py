"""The simulated pose estimator: errors where it cannot see, and a confidence that knows."""

from dataclasses import replace

import numpy as np
import pytest

from model.named_layouts import COCO_17
from training.simulate.cameras import Camera, casia_b_camera
from training.simulate.conditions import Appearance
from training.simulate.noise import NoiseModel, observe
from training.simulate.skeleton import Doubles
from training.simulate.walkers import Plan, walks_of

J = {name: i for i, name in enumerate(COCO_17.joints)}
STEADY = replace(NoiseModel(), fit=0.0, bias=0.0, view_bias=0.0, quantum=0.0, swap_rate=0.0, frame_drop_rate=0.0)


@pytest.fixture(scope="module")
def joints() -> Doubles:
    walk: Doubles = walks_of(1, Plan(7, walks=(("nm", 1),)))[0][0]
    return walk


@pytest.fixture(scope="module")
def side() -> Camera:
    return casia_b_camera(90, 7)


def errors(joints: Doubles, camera: Camera, noise: NoiseModel) -> tuple[Doubles, Doubles]:
    """Mean error in pixels and mean confidence of each joint, where seen, over several observations."""
    exact = camera.project(joints)[0]
    seen = np.stack([observe(joints, camera, noise, np.random.default_rng(seed)) for seed in range(20)])
    there = (seen[..., 2] > 0) & (seen[..., 0] > 0) & (seen[..., 0] < 319)
    away = np.linalg.norm(seen[..., :2] - exact, axis=-1)
    count = there.sum(axis=(0, 1))
    error: Doubles = (away * there).sum(axis=(0, 1)) / count
    confidence: Doubles = (seen[..., 2] * there).sum(axis=(0, 1)) / count
    return error, confidence


def test_without_noise_the_projection_is_exact(joints: Doubles, side: Camera) -> None:
    seen = observe(joints[30:60], side, NoiseModel.none(), np.random.default_rng(0), appearance=Appearance())
    exact = side.project(joints[30:60])[0]
    near = [J[j] for j in ("nose", "left_eye", "left_shoulder", "left_elbow", "left_wrist")]
    assert seen[:, near, :2] == pytest.approx(exact[:, near], abs=0.02)


def test_the_far_side_is_seen_worse_and_stated_with_less_confidence(joints: Doubles, side: Camera) -> None:
    error, confidence = errors(joints, side, STEADY)
    for joint in ("ear", "elbow", "wrist", "hip"):
        near, far = J[f"left_{joint}"], J[f"right_{joint}"]
        assert error[far] > 1.3 * error[near], joint
        assert confidence[far] < confidence[near] - 0.1, joint


def test_from_behind_the_face_is_doubtful(joints: Doubles) -> None:
    _, coming = errors(joints, casia_b_camera(0, 7), STEADY)
    _, going = errors(joints, casia_b_camera(180, 7), STEADY)
    assert (going[:3] < coming[:3] - 0.3).all()


def test_where_the_error_is_larger_the_confidence_is_lower(joints: Doubles, side: Camera) -> None:
    exact = side.project(joints)[0]
    seen = observe(joints, side, STEADY, np.random.default_rng(1))
    there = seen[..., 2] > 0
    away = np.linalg.norm(seen[..., :2] - exact, axis=-1)
    assert np.corrcoef(away[there], seen[..., 2][there])[0, 1] < -0.2


def test_errors_are_correlated_in_time(joints: Doubles) -> None:
    camera = casia_b_camera(0, 7)
    seen = observe(joints, camera, STEADY, np.random.default_rng(2), appearance=Appearance())
    off = (seen[..., :2] - camera.project(joints)[0])[:, J["left_shoulder"], 0]
    assert np.corrcoef(off[1:], off[:-1])[0, 1] > 0.2


def test_lost_joints_and_frames_have_no_coordinates(joints: Doubles, side: Camera) -> None:
    lossy = replace(NoiseModel(), drop_rate=2.0, frame_drop_rate=2.0)
    seen = observe(joints, side, lossy, np.random.default_rng(3))
    lost = seen[..., 2] == 0
    assert lost.any()
    assert lost.all(axis=1).any()
    assert (seen[lost][:, :2] == 0).all()


def test_left_and_right_swap_in_short_bursts(joints: Doubles, side: Camera) -> None:
    swapping = replace(NoiseModel.none(), swap_rate=8.0)
    exact = side.project(joints)[0]
    seen = observe(joints, side, swapping, np.random.default_rng(4), appearance=Appearance())
    left, right = J["left_ankle"], J["right_ankle"]
    own, other = (np.linalg.norm(seen[:, left, :2] - exact[:, j], axis=-1) for j in (left, right))
    swapped = other < own
    assert 0 < swapped.sum() < 0.5 * len(joints)
    assert (seen[swapped, left, 2] < seen[~swapped, left, 2].mean()).all()


def test_the_same_generator_gives_the_same_observation(joints: Doubles, side: Camera) -> None:
    once, again = (observe(joints, side, NoiseModel(), np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(once, again)
    assert once.dtype == np.float32
    assert once.shape == (*joints.shape[:2], 3)


def test_outside_of_the_picture_nothing_is_trusted(joints: Doubles, side: Camera) -> None:
    seen = observe(joints + np.array([0, 0, 50.0]), side, NoiseModel(), np.random.default_rng(6))
    assert seen[..., 2].max() <= 0.15
    assert (seen[..., :2] <= [319, 239]).all()
