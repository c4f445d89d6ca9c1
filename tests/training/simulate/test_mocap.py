"""Motion capture before simulated cameras."""

import numpy as np
import pytest

from model.errors import LayoutMismatch
from model.named_layouts import CMU_20, COCO_17
from tests.recordings import recording
from training.simulate.cameras import casia_b_camera
from training.simulate.mocap import cmu_to_coco17_3d, film, film_all, staged
from training.simulate.noise import NoiseModel

HEIGHTS = {"mid_hip": 0.95, "hip": 0.93, "knee": 0.5, "ankle": 0.08, "foot": 0.02, "spine": 1.05, "chest": 1.2}
HEIGHTS |= {"mid_shoulder": 1.42, "neck": 1.48, "head": 1.62, "shoulder": 1.42, "elbow": 1.15, "wrist": 0.9}


def upright(frames: int = 30) -> np.ndarray:
    """Somebody with CMU's joints who glides along z, left at +x."""
    one = np.zeros((CMU_20.count, 3))
    for i, name in enumerate(CMU_20.joints):
        side, _, part = name.partition("_")
        across = {"left": 0.15, "right": -0.15}.get(side, 0.0)
        one[i] = [across, HEIGHTS[part if across else name], 0.0]
    return one + np.linspace([0, 0, 0], [0, 0, 1.5], frames)[:, None]


def test_the_face_looks_where_the_shoulders_face() -> None:
    joints = cmu_to_coco17_3d(upright())
    face = dict(zip(COCO_17.joints[:5], joints[0, :5], strict=True))
    assert face["nose"][2] > 0.05
    assert face["left_ear"][0] > 0.05 > -0.05 > face["right_ear"][0]
    assert face["left_eye"][1] > face["nose"][1]
    assert 1.5 < face["nose"][1] < 1.7


def test_the_body_is_taken_over() -> None:
    given = upright()
    joints = cmu_to_coco17_3d(given)
    for i, name in enumerate(COCO_17.joints[5:], start=5):
        assert np.array_equal(joints[:, i], given[:, CMU_20.index(name)])


def test_another_layout_is_refused() -> None:
    with pytest.raises(LayoutMismatch):
        cmu_to_coco17_3d(np.zeros((5, 17, 3)))


def test_the_stage_puts_people_on_the_floor_on_their_way_along_z() -> None:
    joints = cmu_to_coco17_3d(upright()) @ np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]]) + [4.0, 0.3, -7.0]
    moved, reach = staged(joints)
    root = moved[:, 11:13].mean(axis=1)
    assert root[-1, 2] - root[0, 2] == pytest.approx(1.5)
    assert root[:, 0] == pytest.approx(0, abs=1e-9)
    assert reach == pytest.approx(0.75)
    assert moved[:, 15:17, 1].min() == pytest.approx(0.07)
    assert (moved[:, 11, 0] > moved[:, 12, 0]).all()


def test_filming_gives_keypoints_in_the_picture() -> None:
    camera = casia_b_camera(90, 7)
    seen, used = film(cmu_to_coco17_3d(upright()), np.random.default_rng(0), fps=30, camera=camera)
    assert used is camera
    assert seen.shape == (30, 17, 3)
    again = film_all([upright(), upright(12)], np.random.default_rng(0), fps=30, noise=NoiseModel())
    assert [len(s) for s in again] == [30, 12]


def test_recorded_walks_can_be_filmed() -> None:
    path = recording("cmu_mocap.npz")
    arrays = dict(np.load(path, allow_pickle=False))
    first = int(np.flatnonzero((arrays["action"] == "walk") & arrays["primary"])[0])
    start, stop = arrays["offsets"][first : first + 2]
    seen, _ = film(cmu_to_coco17_3d(arrays["frames"][start:stop]), np.random.default_rng(1), fps=30)
    assert seen[..., 2].mean() > 0.5
