"""Random changes to a batch of clips, all at once in NumPy; the same random numbers give the same clips."""

import numpy as np
from numpy.typing import NDArray

from model.layout import Layout
from model.sequence import Floats
from training.sections import AugmentConfig

LIMBS = ("left_arm", "right_arm", "left_leg", "right_leg")


def augment(clips: Floats, layout: Layout, config: AugmentConfig, rng: np.random.Generator) -> Floats:
    """Changed clips (n, T, V, dims + 1), coordinates then confidence, in a new array; missing joints stay 0."""
    clips = _mirrored(clips, layout, config.mirror, rng)
    clips = np.where(_chance(len(clips), config.reverse, rng), clips[:, ::-1], clips)
    joints, confidence = clips[..., :-1], clips[..., -1]
    seen = confidence > 0
    centre, height = _place(joints, seen)
    joints = joints - centre
    joints = joints @ _linear(len(clips), joints.shape[-1], config, rng)
    joints += _noise(joints.shape, height, config, rng)
    lost = _lost(seen.shape, layout, config, rng)
    confidence = np.where(lost, 0, confidence)
    joints = (joints + centre) * (confidence > 0)[..., None]
    return np.concatenate([joints, confidence[..., None]], axis=-1).astype(np.float32)


def _chance(count: int, share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    return (rng.random(count) < share)[:, None, None, None]


def _mirrored(clips: Floats, layout: Layout, share: float, rng: np.random.Generator) -> Floats:
    """Left becomes right: x changes its sign, and each joint takes its mirror image's place."""
    swapped = clips[:, :, list(layout.mirror)]
    swapped[..., 0] *= -1
    return np.where(_chance(len(clips), share, rng), swapped, clips)


def _place(joints: Floats, seen: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Centre (n, 1, 1, dims) of the seen joints, and the body's mean height (n, 1, 1, 1) over frames."""
    count = np.maximum(seen.sum(axis=(1, 2)), 1)[:, None]
    centre = (joints * seen[..., None]).sum(axis=(1, 2)) / count
    y = joints[..., 1]
    extent = np.where(seen, y, -np.inf).max(axis=2) - np.where(seen, y, np.inf).min(axis=2)
    whole = seen.any(axis=2)
    height = np.where(whole, extent, 0).sum(axis=1) / np.maximum(whole.sum(axis=1), 1)
    return centre[:, None, None].astype(np.float32), height[:, None, None, None].astype(np.float32)


def _linear(count: int, dims: int, config: AugmentConfig, rng: np.random.Generator) -> Floats:
    """Scale, stretch and rotation of each clip as one matrix (n, 1, dims, dims), applied from the right."""
    scale = rng.uniform(1 - config.scale, 1 + config.scale, (count, 1)) * np.ones(dims)
    scale[:, 0] *= rng.uniform(1 - config.stretch, 1 + config.stretch, count)
    matrix = scale[:, :, None] * np.eye(dims)
    matrix = matrix @ _rotation(count, dims, (0, 1), config.rotation, rng)
    if dims == 3:
        matrix = matrix @ _rotation(count, dims, (0, 2), config.yaw, rng)
    return matrix[:, None].astype(np.float32)


def _rotation(
    count: int, dims: int, axes: tuple[int, int], degrees: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    angle = np.deg2rad(rng.uniform(-degrees, degrees, count))
    matrix = np.repeat(np.eye(dims)[None], count, axis=0)
    a, b = axes
    matrix[:, a, a] = matrix[:, b, b] = np.cos(angle)
    matrix[:, a, b], matrix[:, b, a] = np.sin(angle), -np.sin(angle)
    return matrix


def _noise(shape: tuple[int, ...], height: Floats, config: AugmentConfig, rng: np.random.Generator) -> Floats:
    """Noise of a strength that differs from clip to clip, up to the recipe's, in units of the body's height."""
    count, _, joints, dims = shape
    noise = np.zeros((1, 1, 1, 1), dtype=np.float32)
    if config.noise:
        level = height * rng.uniform(0, config.noise, (count, 1, 1, 1)).astype(np.float32)
        noise = noise + level * rng.standard_normal(shape, dtype=np.float32)
    if config.offset:
        level = height * rng.uniform(0, config.offset, (count, 1, 1, 1)).astype(np.float32)
        noise = noise + level * rng.standard_normal((count, 1, joints, dims), dtype=np.float32)
    return noise


def _lost(shape: tuple[int, ...], layout: Layout, config: AugmentConfig, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Which joints (n, T, V) are lost: single ones, or an arm or a leg, over a span of frames."""
    count, frames, joints = shape
    lost = np.zeros(shape, dtype=bool)
    if config.drop_joint:
        hit = rng.random((count, joints)) < config.drop_joint
        lost |= hit[:, None] & _spans((count, joints), frames, rng).transpose(0, 2, 1)
    if config.drop_limb:
        member = np.zeros((len(LIMBS), joints), dtype=bool)
        for row, limb in enumerate(LIMBS):
            member[row, list(layout.parts[limb])] = True
        limb_of = member[rng.integers(len(LIMBS), size=count)] & (rng.random(count) < config.drop_limb)[:, None]
        lost |= limb_of[:, None] & _spans((count, 1), frames, rng).transpose(0, 2, 1)
    return lost


def _spans(shape: tuple[int, int], frames: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Random spans of frames, (*shape, frames), bool: of any length, anywhere."""
    ends = np.sort(rng.integers(0, frames + 1, (*shape, 2)), axis=-1)
    time = np.arange(frames)
    return (ends[..., :1] <= time) & (time < ends[..., 1:])
