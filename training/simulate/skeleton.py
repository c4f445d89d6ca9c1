"""Forward kinematics: a body and joint angles to the 17 COCO joints in space.

Axes of a person: x to their left, y up, z forward; metres, radians. The root is the middle of the hips.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from training.simulate.anthropometry import Body

Doubles: TypeAlias = NDArray[np.float64]

# +1 on the left, -1 on the right: the last axis of every angle that a limb has on either side.
SIDE = np.array([1.0, -1.0])


@dataclass(slots=True)
class Pose:
    """Angles of many frames; central ones (...,), sided ones (..., 2), left first.

    thigh, arm: forward of straight down. knee: flexion. lateral: metres of the ankle outward of its hip. bow: knee
    outward. foot: toes above the heel. arm_out: upper arm outward of straight down. forearm, forearm_out: the same
    for the forearm, not relative to the upper arm. Arms hang in the plane that the trunk faces, whatever its lean.
    """

    pelvis_turn: Doubles
    obliquity: Doubles
    lean: Doubles
    side_lean: Doubles
    trunk_turn: Doubles
    head_forward: Doubles
    head_pitch: Doubles
    head_turn: Doubles
    head_tilt: Doubles
    thigh: Doubles
    knee: Doubles
    lateral: Doubles
    bow: Doubles
    foot: Doubles
    shoulder_up: Doubles
    arm: Doubles
    arm_out: Doubles
    forearm: Doubles
    forearm_out: Doubles


CENTRAL: tuple[str, ...] = ("pelvis_turn", "obliquity", "lean", "side_lean", "trunk_turn")
CENTRAL += ("head_forward", "head_pitch", "head_turn", "head_tilt")
SIDED = ("thigh", "knee", "lateral", "bow", "foot", "shoulder_up", "arm", "arm_out", "forearm", "forearm_out")


@dataclass(slots=True)
class Placed:
    """joints: (..., 17, 3) in COCO order. feet: (..., 2 sides, heel and ball, 3). Root at the origin."""

    joints: Doubles
    feet: Doubles


def place(body: Body, pose: Pose) -> Placed:
    """Joints of every frame of `pose` on `body`, root at the origin, facing z."""
    hips = 0.5 * body.hip_width * SIDE[:, None] * _left(pose.pelvis_turn, pose.obliquity)[..., None, :]
    knees, ankles, feet = _legs(body, pose, hips)
    head, shoulders = _trunk(body, pose)
    elbows, wrists = _arms(body, pose, shoulders)
    pairs = np.stack([shoulders, elbows, wrists, hips, knees, ankles], axis=-3)
    pairs = pairs.reshape(*pairs.shape[:-3], 12, 3)
    return Placed(np.concatenate([head, pairs], axis=-2), feet)


def _left(turn: Doubles, raised: Doubles) -> Doubles:
    """The axis to the left after a turn to the left and with the left side raised."""
    return np.stack([np.cos(raised) * np.cos(turn), np.sin(raised), -np.cos(raised) * np.sin(turn)], axis=-1)


def _down(forward: Doubles, outward: Doubles) -> Doubles:
    """Directions (..., 2, 3) of limbs that hang, swung forward and outward."""
    level = np.cos(outward)
    return np.stack([SIDE * np.sin(outward), -level * np.cos(forward), level * np.sin(forward)], axis=-1)


def _legs(body: Body, pose: Pose, hips: Doubles) -> tuple[Doubles, Doubles, Doubles]:
    straight = np.arcsin(np.clip(pose.lateral / (body.thigh + body.shank), -0.6, 0.6))
    outward = straight + pose.bow
    # The shank leads back to the track of the foot, so that a bow moves the knee and not the ankle.
    inward = np.arcsin(np.clip((pose.lateral - body.thigh * np.sin(outward)) / body.shank, -0.7, 0.7))
    knees = hips + body.thigh * _down(pose.thigh, outward)
    ankles = knees + body.shank * _down(pose.thigh - pose.knee, inward)
    up, along = np.cos(pose.foot), np.sin(pose.foot)
    points = []
    for reach in (-0.22 * body.foot_length, 0.5 * body.foot_length):
        y = -body.foot_height * up + reach * along
        z = body.foot_height * along + reach * up
        points.append(ankles + np.stack([np.zeros_like(y), y, z], axis=-1))
    return knees, ankles, np.stack(points, axis=-2)


def _rotation(turn: Doubles, lean: Doubles, tilt: Doubles) -> Doubles:
    """Matrices (..., 3, 3): tilt (left side up), then lean (forward), then turn (to the left)."""
    ct, st, cl, sl, ca, sa = np.cos(turn), np.sin(turn), np.cos(lean), np.sin(lean), np.cos(tilt), np.sin(tilt)
    rows = [
        [ct * ca + st * sl * sa, -ct * sa + st * sl * ca, st * cl],
        [cl * sa, cl * ca, -sl],
        [-st * ca + ct * sl * sa, st * sa + ct * sl * ca, ct * cl],
    ]
    # Rows are those of Ry(turn) Rx(lean) Rz(tilt); Rx here turns up towards forward.
    return np.stack([np.stack(np.broadcast_arrays(*row), axis=-1) for row in rows], axis=-2)


def _trunk(body: Body, pose: Pose) -> tuple[Doubles, Doubles]:
    frame = _rotation(pose.trunk_turn, pose.lean, pose.side_lean)
    left, up = frame[..., :, 0], frame[..., :, 1]
    centre = body.trunk * up
    half = 0.5 * body.shoulder_width
    across, raised = half * np.cos(pose.shoulder_up), half * np.sin(pose.shoulder_up)
    shoulders = (
        centre[..., None, :] + (SIDE * across)[..., None] * left[..., None, :] + raised[..., None] * up[..., None, :]
    )
    neck = _rotation(pose.trunk_turn, pose.lean + pose.head_forward, pose.side_lean)[..., :, 1]
    return _face(body, pose, centre + body.neck * neck), shoulders


def _face(body: Body, pose: Pose, centre: Doubles) -> Doubles:
    """Nose, eyes, ears (..., 5, 3) around the centre of the head."""
    spots = np.array(
        [
            [0.0, -body.nose_down, body.nose_forward],
            [body.eye_spacing / 2, body.eye_up, body.eye_forward],
            [-body.eye_spacing / 2, body.eye_up, body.eye_forward],
            [body.ear_spacing / 2, body.ear_up, 0.0],
            [-body.ear_spacing / 2, body.ear_up, 0.0],
        ]
    )
    frame = _rotation(pose.head_turn, -pose.head_pitch, pose.head_tilt)
    return centre[..., None, :] + spots @ np.swapaxes(frame, -1, -2)


def _arms(body: Body, pose: Pose, shoulders: Doubles) -> tuple[Doubles, Doubles]:
    turn = np.asarray(pose.trunk_turn)[..., None]
    elbows = shoulders + body.upper_arm * _turned(_down(pose.arm, pose.arm_out), turn)
    return elbows, elbows + body.forearm * _turned(_down(pose.forearm, pose.forearm_out), turn)


def _turned(vectors: Doubles, turn: Doubles) -> Doubles:
    """Vectors (..., 3) turned to the left about the upward axis."""
    cosine, sine = np.cos(turn), np.sin(turn)
    x, y, z = vectors[..., 0], vectors[..., 1], vectors[..., 2]
    return np.stack([cosine * x + sine * z, y, -sine * x + cosine * z], axis=-1)


def turned(points: Doubles, turn: Doubles) -> Doubles:
    """Points (..., 3) turned to the left by `turn` (...,) about the upward axis through the origin."""
    return _turned(points, np.broadcast_to(turn, points.shape[:-1]))
