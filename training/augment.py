"""Random changes to a batch of clips, all at once in NumPy; the same random numbers give the same clips.

Inside, clips are (n, people, T, V, dims + 1). All people of a clip undergo the same change, so that who stands where
beside whom stays true; only noise falls on each by itself.
"""

import numpy as np
from numpy.typing import NDArray

from model.errors import InvalidRecipe
from model.layout import Layout
from model.sequence import Floats
from training.data.gaitgraph import GaitGraphAugment, augmented
from training.data.poses import flipped, part_dropped, rotated
from training.pool import Integers
from training.recipe import Recipe
from training.sections import AugmentConfig

LIMBS = ("left_arm", "right_arm", "left_leg", "right_leg")


def refuse(recipe: Recipe, layout: Layout) -> None:
    """Raises `InvalidRecipe` where the recipe asks for a change that its clips cannot undergo."""
    config, clip = recipe.augment, recipe.clip
    reasons = {
        "augment.speed needs windows: uniform clips have no frame rate": config.speed and clip.sampling == "uniform",
        "augment.turn needs three coordinates": config.turn and clip.dims != 3,
        "augment.point and augment.joint are for clips of one person": _gaitgraph(config) and clip.people > 1,
        f"augment: layout {layout.name} has no arms or no legs to lose": (config.drop_limb or config.part_drop)
        and not all(layout.parts[limb] for limb in LIMBS),
    }
    for reason, wrong in reasons.items():
        if wrong:
            raise InvalidRecipe(recipe.name, reason)


def augment(
    clips: Floats, layout: Layout, config: AugmentConfig, rng: np.random.Generator, widths: Integers | None = None
) -> Floats:
    """Changed clips, in a new array; missing joints stay 0 (unless `official` noise falls on them).

    clips: (n, T, V, dims + 1), or with several people (n, people, T, V, dims + 1): coordinates, then confidence.
    widths: (n,) of the images; where they are known, clips are mirrored inside the image.
    """
    people = clips if clips.ndim == 5 else clips[:, None]
    people = _first(people, layout, config, rng, widths)
    people = _moved(people, layout, config, rng)
    people = _last(people, layout, config, rng)
    return people if clips.ndim == 5 else people[:, 0]


def _gaitgraph(config: AugmentConfig) -> bool:
    return bool(config.point or config.joint)


def _first(
    people: Floats, layout: Layout, config: AugmentConfig, rng: np.random.Generator, widths: Integers | None
) -> Floats:
    """Mirror and time; with noise in the data's own units, as GaitGraph does all of that."""
    if _gaitgraph(config):
        asked = GaitGraphAugment(config.mirror, config.reverse, config.point, config.joint)
        return augmented(people[:, 0], layout, rng, asked, official=config.official)[:, None]
    people = flipped(people, layout, config.mirror, rng, widths=widths, official=config.official)
    backwards = (rng.random(len(people)) < config.reverse)[:, None, None, None, None]
    return np.where(backwards, people[:, :, ::-1], people)


def _moved(people: Floats, layout: Layout, config: AugmentConfig, rng: np.random.Generator) -> Floats:
    """Scale, rotation, noise and losses, about the middle of the clip."""
    if _left_alone(people.shape[1], config):
        return people
    joints, confidence = people[..., :-1], people[..., -1]
    centre, height = _place(joints, confidence > 0)
    joints = joints - centre
    joints = joints @ _linear(len(people), joints.shape[-1], config, rng)[:, None]
    joints += _noise(joints.shape, height, config, rng)
    n, _, *shape = confidence.shape
    lost = _lost((n, *shape), layout, config, rng)[:, None]
    confidence = np.where(lost, 0, confidence)
    joints = (joints + centre) * (confidence > 0)[..., None]
    return np.concatenate([joints, confidence[..., None]], axis=-1).astype(np.float32)


def _left_alone(people: int, config: AugmentConfig) -> bool:
    """Whether nothing is moved, so that joints stay as they are to the bit.

    Clips of one person and without a published change go about their middle and back even so: runs that began before
    there was anything else shall go on with the same numbers.
    """
    ours = config.scale or config.stretch or config.rotation or config.yaw or config.noise or config.offset
    published = config.turn or config.part_drop or config.official or _gaitgraph(config)
    return not (ours or config.drop_joint or config.drop_limb) and bool(published or people > 1)


def _last(people: Floats, layout: Layout, config: AugmentConfig, rng: np.random.Generator) -> Floats:
    """What ACLNet's published training does besides; drawn last, so that it leaves all else as it was without it."""
    if config.turn:
        people = rotated(people, np.deg2rad(config.turn), rng)
    if config.part_drop:
        people = part_dropped(people, layout, config.part_drop, rng)
    return people


def _place(joints: Floats, seen: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Centre (n, 1, 1, 1, dims) of the seen joints, and the bodies' mean height (n, 1, 1, 1, 1) over people and frames.

    joints: (n, people, T, V, dims).
    """
    count = np.maximum(seen.sum(axis=(1, 2, 3)), 1)[:, None]
    centre = (joints * seen[..., None]).sum(axis=(1, 2, 3)) / count
    y = joints[..., 1]
    extent = np.where(seen, y, -np.inf).max(axis=3) - np.where(seen, y, np.inf).min(axis=3)
    whole = seen.any(axis=3)
    height = np.where(whole, extent, 0).sum(axis=(1, 2)) / np.maximum(whole.sum(axis=(1, 2)), 1)
    return centre[:, None, None, None].astype(np.float32), height.reshape(-1, 1, 1, 1, 1).astype(np.float32)


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
    count, people, _, joints, dims = shape
    noise = np.zeros((1,) * 5, dtype=np.float32)
    if config.noise:
        level = height * rng.uniform(0, config.noise, height.shape).astype(np.float32)
        noise = noise + level * rng.standard_normal(shape, dtype=np.float32)
    if config.offset:
        level = height * rng.uniform(0, config.offset, height.shape).astype(np.float32)
        noise = noise + level * rng.standard_normal((count, people, 1, joints, dims), dtype=np.float32)
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
