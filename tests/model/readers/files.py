"""Keypoint files as each program writes them, made from the poses of simulated walkers."""

import json
from collections.abc import Sequence

import numpy as np

from model.named_layouts import BODY_25, COCO_17, MEDIAPIPE_33, OPENPOSE_18
from model.sequence import Floats
from tests.model.two_people import Walker

ALICE = Walker((60, 300), (120, 0), height=200)
BOB = Walker((700, 310), (-120, 0), height=220, phase=1.0)


def poses(frames: int = 30, walker: Walker = ALICE) -> Floats:
    """(frames, 17, 3) of COCO joints in pixels."""
    return walker.poses(frames)


def as_body_25(coco: Floats) -> Floats:
    """COCO joints in BODY-25's order; toes are missing."""
    return _in_order(coco, BODY_25.joints)


def as_openpose_18(coco: Floats) -> Floats:
    return _in_order(coco, OPENPOSE_18.joints)


def as_mediapipe(coco: Floats, width: float = 1000, height: float = 500) -> Floats:
    """(frames, 33, 3) divided by image width and height."""
    moved = _in_order(coco, MEDIAPIPE_33.joints)
    moved[..., :2] /= (width, height)
    return moved


def _in_order(coco: Floats, joints: Sequence[str]) -> Floats:
    moved = np.zeros((len(coco), len(joints), 3), dtype=np.float32)
    for i, joint in enumerate(joints):
        if joint in COCO_17:
            moved[:, i] = coco[:, COCO_17.index(joint)]
        elif joint in ("neck", "mid_hip"):
            side = "shoulder" if joint == "neck" else "hip"
            sides = [COCO_17.index(f"{letter}_{side}") for letter in ("left", "right")]
            moved[:, i] = coco[:, sides].mean(axis=1)
    return moved


def openpose_frame(people: Sequence[Floats]) -> bytes:
    """One frame's file as OpenPose 1.7 writes it."""
    empty: dict[str, list[float]] = {
        key: [] for key in ("face_keypoints_2d", "hand_left_keypoints_2d", "hand_right_keypoints_2d")
    }
    listed = [{"person_id": [-1], "pose_keypoints_2d": flat(pose), **empty, "pose_keypoints_3d": []} for pose in people]
    return json.dumps({"version": 1.3, "people": listed}).encode()


def flat(pose: Floats) -> list[float]:
    return [round(float(value), 4) for value in pose.ravel()]


def landmarks(pose: Floats) -> list[dict[str, float]]:
    return [{"x": float(x), "y": float(y), "z": -0.1, "visibility": float(c)} for x, y, c in pose]


def dumped(value: object) -> bytes:
    return json.dumps(value).encode()


def text(value: object) -> str:
    return f"{value:.6f}" if isinstance(value, float) else str(value)
