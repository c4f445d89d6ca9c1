"""Recorded movement before simulated cameras: motion capture to COCO-17 in space, and its filming."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from model.errors import LayoutMismatch
from model.named_layouts import CMU_20, COCO_17
from model.sequence import Floats
from training.simulate.anthropometry import standard_body
from training.simulate.cameras import Camera, random_camera
from training.simulate.conditions import Appearance
from training.simulate.noise import NoiseModel, observe
from training.simulate.skeleton import Doubles

_SHARED = [CMU_20.index(joint) for joint in COCO_17.joints[5:]]
_AT = {name: CMU_20.index(name) for name in CMU_20.joints}


def cmu_to_coco17_3d(joints: ArrayLike) -> Doubles:
    """COCO-17 joints (T, 17, 3) of CMU's 20 (T, 20, 3), metres, y up.

    CMU has one joint for the head: nose, eyes and ears are put around it, of a size that fits the legs, upright along
    the neck and facing where the shoulders face. Raises `LayoutMismatch` for another shape.
    """
    given = np.asarray(joints, dtype=np.float64)
    if given.ndim != 3 or given.shape[1:] != (CMU_20.count, 3):
        raise LayoutMismatch(CMU_20.name, f"joints of shape {given.shape}")
    up = _unit(given[:, _AT["head"]] - given[:, _AT["neck"]])
    left = _unit(given[:, _AT["left_shoulder"]] - given[:, _AT["right_shoulder"]])
    forward = _unit(np.cross(left, up))
    left = np.cross(up, forward)
    bones = [("left_hip", "left_knee"), ("left_knee", "left_ankle")]
    leg = sum(np.linalg.norm(given[:, _AT[a]] - given[:, _AT[b]], axis=-1).mean() for a, b in bones)
    body = standard_body(float(leg) / 0.491)
    across = 0.5 * np.array([0.0, body.eye_spacing, -body.eye_spacing, body.ear_spacing, -body.ear_spacing])
    above = np.array([-body.nose_down, body.eye_up, body.eye_up, body.ear_up, body.ear_up])
    ahead = np.array([body.nose_forward, body.eye_forward, body.eye_forward, 0.0, 0.0])
    face = given[:, None, _AT["head"]] + sum(
        share[:, None] * axis[:, None] for share, axis in ((across, left), (above, up), (ahead, forward))
    )
    return np.concatenate([face, given[:, _SHARED]], axis=1)


def _unit(vectors: Doubles) -> Doubles:
    unit: Doubles = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return unit


def staged(joints: Doubles) -> tuple[Doubles, float]:
    """COCO-17 joints (T, 17, 3) moved to the middle of the scene with the feet on the floor, the way they go along z.

    Second: how far from the middle they get, in metres.
    """
    root = joints[:, 11:13].mean(axis=1)
    way = root[-1] - root[0]
    if np.hypot(way[0], way[2]) < 0.5:
        way = np.cross((joints[:, 11] - joints[:, 12]).mean(axis=0), [0.0, 1.0, 0.0])
    heading = np.array([way[0], 0.0, way[2]]) / max(float(np.hypot(way[0], way[2])), 1e-9)
    side = np.array([heading[2], 0.0, -heading[0]])
    floor = float(np.quantile(joints[:, 15:17, 1].min(axis=1), 0.05)) - 0.07
    middle = np.array([np.ptp(root[:, 0]) / 2 + root[:, 0].min(), floor, np.ptp(root[:, 2]) / 2 + root[:, 2].min()])
    moved = (joints - middle) @ np.stack([side, [0.0, 1.0, 0.0], heading], axis=1)
    centre = moved[:, 11:13].mean(axis=1)
    return moved, float(np.hypot(centre[:, 0], centre[:, 2]).max())


def film(
    joints: Doubles, rng: np.random.Generator, *, fps: float, camera: Camera | None = None,
    noise: NoiseModel | None = None, appearance: Appearance | None = None,
) -> tuple[Floats, Camera]:  # fmt: skip
    """What an estimator reports (T, 17, 3) of COCO-17 joints (T, 17, 3) seen by a camera, a random one by default."""
    moved, reach = staged(joints)
    chosen = camera or random_camera(rng, reach=float(np.clip(reach + 0.4, 1.0, 6.0)))
    return observe(moved, chosen, noise or NoiseModel(), rng, fps=fps, appearance=appearance), chosen


def film_all(
    sequences: Sequence[ArrayLike], rng: np.random.Generator, *, fps: float, noise: NoiseModel | None = None
) -> list[Floats]:
    """CMU sequences (T, 20, 3), each filmed once by a random camera."""
    return [film(cmu_to_coco17_3d(joints), rng, fps=fps, noise=noise)[0] for joints in sequences]
