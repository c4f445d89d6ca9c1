"""A style and a body to a walk in space: phase, joint angles, and the motion that the stance foot allows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from training.simulate import skeleton
from training.simulate.anthropometry import Body
from training.simulate.skeleton import Doubles, Placed, Pose
from training.simulate.style import COLUMNS, SIDES, Style, basis

# Kinematics run finer than a camera sees, so that foot contact is resolved.
OVERSAMPLING = 2
# How much a walk wanders within itself, as standard deviations: stride time and amplitude (relative), angle offsets
# (degrees). Stride-time variability of healthy walking is 1 to 3 %.
_STRIDE_TIME, _STRIDE_AMPLITUDE, _STRIDE_OFFSET = 0.018, 0.04, 0.8
_STANCE_END = 0.61  # of the stride, toe-off
_FOOT_IN_AIR = 0.25  # metres that a foot out of stance counts as higher, so that it carries nothing


@dataclass(slots=True)
class Walk:
    """joints: (T, 17, 3), feet: (T, 2, 2, 3) in metres, y up, floor at 0. phase: (T,) of the left stride, radians."""

    joints: Doubles
    feet: Doubles
    phase: Doubles


def wander(rng: np.random.Generator, frames: int, count: int, period: float) -> Doubles:
    """Smooth noise (frames, count) of unit variance that changes over about `period` frames."""
    knots = rng.standard_normal((int(np.ceil(frames / period)) + 3, count))
    at = rng.random() + np.arange(frames) / period
    low = at.astype(np.intp)
    part = (0.5 - 0.5 * np.cos(np.pi * (at - low)))[:, None]
    mixed = knots[low] * (1 - part) + knots[low + 1] * part
    blended: Doubles = mixed / np.sqrt(part**2 + (1 - part) ** 2)
    return blended


def walk_all(body: Body, styles: Sequence[Style], rngs: Sequence[np.random.Generator], frames: int, fps: float) -> Walk:
    """Walks (walks, frames, ...) of one body in several styles, each with a generator of its own.

    All begin at the origin and go along z; the caller cuts and places them.
    """
    fine = frames * OVERSAMPLING
    period = fps * OVERSAMPLING / np.array([style.cadence / 2 for style in styles])
    noise = np.stack([wander(r, fine, 2 + len(COLUMNS), p) for r, p in zip(rngs, period, strict=True)])
    start = np.array([rng.random() for rng in rngs])
    rate = 2 * np.pi / period[:, None] * (1 + _STRIDE_TIME * noise[..., 0])
    phase = 2 * np.pi * start[:, None] + np.cumsum(rate, axis=1)
    functions = basis(phase)
    curves = np.stack([style.curves for style in styles])
    values = functions @ curves
    values += _STRIDE_AMPLITUDE * noise[..., 2:] * (values - curves[:, :1, :]) + _OFFSETS * noise[..., 1:2]
    width = np.array([style.step_width for style in styles])[:, None]
    pose, sway = pose_of(values, width, body)
    placed = skeleton.place(body, pose)
    forward = _carry(placed, phase, body)
    placed.joints[..., 0] += sway[..., None]
    placed.feet[..., 0] += sway[..., None, None]
    placed.joints[..., 2] += forward[..., None]
    placed.feet[..., 2] += forward[..., None, None]
    keep = slice(None, None, OVERSAMPLING)
    return Walk(placed.joints[:, keep], placed.feet[:, keep], phase[:, keep])


def _sided(values: Doubles, name: str) -> Doubles:
    return np.radians(values[..., [COLUMNS[f"{side}_{name}"] for side in SIDES]])


def pose_of(values: Doubles, step_width: Doubles, body: Body) -> tuple[Pose, Doubles]:
    """Pose of curve values (walks, T, columns), and the sway (walks, T) of the pelvis in metres."""
    central = {name: np.radians(values[..., COLUMNS[name]]) for name in skeleton.CENTRAL}
    sway = values[..., COLUMNS["sway"]]
    # Feet keep to their tracks whatever the pelvis does, so they do not slide sideways.
    half_hip = 0.5 * body.hip_width * np.cos(central["pelvis_turn"]) * np.cos(central["obliquity"])
    lateral = step_width[..., None] / 2 - half_hip[..., None] - skeleton.SIDE * sway[..., None]
    thigh, arm, out = _sided(values, "thigh"), _sided(values, "arm"), _sided(values, "arm_out")
    knee = np.logaddexp(0.0, (_sided(values, "knee") - 0.05) * 30) / 30 + 0.03  # never bends backwards
    elbow = np.maximum(_sided(values, "elbow"), 0.05)
    pose = Pose(
        **central,
        thigh=thigh,
        knee=knee,
        lateral=lateral,
        bow=_sided(values, "bow"),
        foot=_sided(values, "foot"),
        shoulder_up=_sided(values, "shoulder_up"),
        arm=arm,
        arm_out=out,
        forearm=arm + elbow,
        forearm_out=out - _sided(values, "arm_in") * np.sin(elbow),
    )
    return pose, sway


def stance(phase: Doubles) -> Doubles:
    """How much each foot (..., 2) is in stance, 0 to 1, at a phase of the left stride."""
    own = np.stack([phase, phase + np.pi], axis=-1) / (2 * np.pi)
    place = (own + 0.1) % 1.0 - 0.1
    ramp = 0.04
    rise = np.clip((place + 0.02) / ramp + 0.5, 0, 1)
    fall = np.clip((_STANCE_END - place) / ramp + 0.5, 0, 1)
    return np.minimum(rise, fall)


def _carry(placed: Placed, phase: Doubles, body: Body) -> Doubles:
    """Put the stance foot on the floor (in place) and return how far the root has come forward, (walks, T)."""
    bearing = stance(phase)[..., None]
    y = placed.feet[..., 1]
    height = y + _FOOT_IN_AIR * (1 - bearing)
    weight = np.exp(-(height - height.min(axis=(-1, -2), keepdims=True)) / 0.012)
    weight /= weight.sum(axis=(-1, -2), keepdims=True)
    root = _smooth(-(weight * y).sum(axis=(-1, -2)), 3)
    lowest = (placed.joints[..., 15:17, 1] + root[..., None]).min(axis=-1)
    root += np.maximum(0.75 * body.foot_height - lowest, 0)
    placed.joints[..., 1] += root[..., None]
    placed.feet[..., 1] = np.maximum(placed.feet[..., 1] + root[..., None, None], 0.0)
    step = np.diff(placed.feet[..., 2], axis=1)
    pair = 0.5 * (weight[:, 1:] + weight[:, :-1])
    forward = -(pair * step).sum(axis=(-1, -2))
    forward = np.maximum(_smooth(forward, 3), 0.0)
    return np.concatenate([np.zeros((len(forward), 1)), np.cumsum(forward, axis=1)], axis=1)


def _smooth(values: Doubles, width: int) -> Doubles:
    """Moving average over time (axis 1) with a triangular window of 2 width - 1 frames."""
    window = np.bartlett(2 * width + 1)[1:-1]
    padded = np.pad(values, ((0, 0), (width - 1, width - 1)), mode="edge")
    stacked = np.lib.stride_tricks.sliding_window_view(padded, len(window), axis=1)
    smooth: Doubles = stacked @ (window / window.sum())
    return smooth


_OFFSETS = np.array([0.0 if name == "sway" or name.endswith("foot") else _STRIDE_OFFSET for name in COLUMNS])
