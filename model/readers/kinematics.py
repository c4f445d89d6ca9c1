"""Forward kinematics: joint angles of motion capture to places in space; and what its numbers are in metres."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from model.errors import LimitExceeded, UnreadableFile
from model.layout import Layout
from model.sequence import Floats, SkeletonSequence, Units

Doubles = NDArray[np.float64]

LEG_OF_STATURE = 0.491
"""Thigh and shank together, as a share of stature (Drillis and Contini 1966: 0.245 and 0.246)."""
STATURE_M = 1.70
ASF_UNIT_M = 0.0254 / 0.45
"""An Acclaim unit at length scale 0.45, as CMU's are: 0.056444 m."""
UNITS_M: Mapping[str, float] = MappingProxyType(
    {"metres": 1.0, "feet": 0.3048, "decimetres": 0.1, "Acclaim units": ASF_UNIT_M}
    | {"inches": 0.0254, "centimetres": 0.01, "millimetres": 0.001}
)
TOLERANCE = 1.4
"""Statures from 1.21 to 2.38 m: the units lie further apart than that, but for a few pairs."""
MOST_PLACES = 20_000_000
"""Joints times frames; an hour of a full body at 60 frames a second is below."""
_AXES = {"x": 0, "y": 1, "z": 2}


def check_places(frames: int, joints: int, source: str) -> None:
    """Raises `LimitExceeded` where kinematics would take more memory than a recording is worth."""
    if frames * joints > MOST_PLACES:
        raise LimitExceeded(f"joints times frames of {source}", MOST_PLACES, frames * joints)


def rotation(axis: str, degrees: Doubles) -> Doubles:
    """Rotation matrices (..., 3, 3) about x, y or z.

    >>> (rotation("z", np.array(90.0)) @ [1, 0, 0]).round(6).tolist()
    [0.0, 1.0, 0.0]
    """
    angle = np.deg2rad(degrees)
    cos, sin = np.cos(angle), np.sin(angle)
    matrix = np.zeros((*np.shape(angle), 3, 3))
    i = _AXES[axis]
    j, k = (i + 1) % 3, (i + 2) % 3
    matrix[..., i, i] = 1
    matrix[..., j, j] = matrix[..., k, k] = cos
    matrix[..., k, j], matrix[..., j, k] = sin, -sin
    return matrix


def place(parents: Sequence[int], offsets: Doubles, turns: Doubles) -> tuple[Doubles, Doubles]:
    """Places (T, n, 3) and orientations (T, n, 3, 3) of joints, parents before children; a root's parent is itself.

    offsets: (T or 1, n, 3), each in its parent's frame; turns: (T, n, 3, 3), each relative to its parent.
    """
    frames, count = turns.shape[:2]
    places = np.empty((frames, count, 3))
    facing = np.empty((frames, count, 3, 3))
    for i, parent in enumerate(parents):
        if parent == i:
            places[:, i], facing[:, i] = offsets[:, i], turns[:, i]
        else:
            places[:, i] = places[:, parent] + np.einsum("tij,tj->ti", facing[:, parent], offsets[:, i])
            facing[:, i] = facing[:, parent] @ turns[:, i]
    return places, facing


def metres_a_unit(leg: float) -> tuple[float, str]:
    """Metres for one unit of a file in which thigh and shank measure `leg`, and a note of the guess.

    >>> metres_a_unit(83.5)
    (0.01, 'units_guessed: centimetres, from a stature of 1.70 m')
    """
    stature = leg / LEG_OF_STATURE
    name = min(UNITS_M, key=lambda unit: abs(np.log(stature * UNITS_M[unit] / STATURE_M)))
    if 1 / TOLERANCE <= stature * UNITS_M[name] / STATURE_M <= TOLERANCE:
        return UNITS_M[name], f"units_guessed: {name}, from a stature of {stature * UNITS_M[name]:.2f} m"
    return STATURE_M / stature, f"units_guessed: none gives a person, so that stature was set to {STATURE_M:.2f} m"


def leg_length(found: Mapping[str, Doubles]) -> float:
    """Median length of thigh and shank, over frames and sides; 0 where a leg is not there."""
    sides = []
    for side in ("left", "right"):
        hip, knee, ankle = (found.get(f"{side}_{joint}") for joint in ("hip", "knee", "ankle"))
        if hip is not None and knee is not None and ankle is not None:
            lengths = np.linalg.norm(knee - hip, axis=-1) + np.linalg.norm(ankle - knee, axis=-1)
            sides.append(float(np.median(lengths)))
    return float(np.mean(sides)) if sides else 0.0


def upright(found: Mapping[str, Doubles]) -> tuple[dict[str, Doubles], str | None]:
    """The same joints with y up, and a note if z was up before."""
    up = np.median(found["head"] - (found["left_ankle"] + found["right_ankle"]) / 2, axis=0)
    if int(np.argmax(np.abs(up))) != 2:
        return dict(found), None
    turned = {name: joint[:, [0, 2, 1]] * np.array([1.0, 1.0, -1.0]) for name, joint in found.items()}
    return turned, "turned: z was up"


def sequence_of(
    found: Mapping[str, Doubles], layout: Layout, fps: float, scale: float, source: str
) -> SkeletonSequence:
    """Named joints (T, 3), in units of `scale` metres, as a sequence; the layout's other joints are missing."""
    here = [joint for joint in layout.joints if joint in found]
    if 2 * len(here) < layout.count:
        raise UnreadableFile(source, f"only {len(here)} of its joints have names that I know")
    frames = len(next(iter(found.values())))
    joints = np.zeros((frames, layout.count, 3))
    confidence: Floats = np.zeros((frames, layout.count), np.float32)
    for i, joint in enumerate(layout.joints):
        if joint in found:
            joints[:, i] = found[joint] * scale
            confidence[:, i] = 1
    return SkeletonSequence(joints.astype(np.float32), confidence, layout, fps, Units.METRES)
