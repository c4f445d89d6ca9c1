"""What GaitGraph's training does to walks (n, T, 17, 3) of x, y, confidence in pixels, in NumPy.

The published faults, which `official` keeps: a mirrored walker keeps left and right joints in their places; noise
falls on the confidence too, which then leaves [0, 1]; and the strength of the noise of joints is 0.25 whatever is
asked for.
"""

from dataclasses import dataclass

import numpy as np

from model.layout import Layout
from model.sequence import Floats


@dataclass(frozen=True, slots=True)
class GaitGraphAugment:
    """mirror, reverse: shares of walks. point: noise of each joint in each frame; joint: of each joint throughout;
    both in pixels."""

    mirror: float = 0.5
    reverse: float = 0.5
    point: float = 0.05
    joint: float = 0.25


PUBLISHED = GaitGraphAugment()


def augmented(
    walks: Floats,
    layout: Layout,
    rng: np.random.Generator,
    config: GaitGraphAugment = PUBLISHED,
    *,
    official: bool = False,
) -> Floats:
    """Changed walks, in a new array; in the order published: mirror, time, noise of points, noise of joints.

    Without `official`, missing joints stay missing.
    """
    count = len(walks)
    walks = np.where(_chance(count, config.mirror, rng), _mirrored(walks, layout, official), walks)
    walks = np.where(_chance(count, config.reverse, rng), walks[:, ::-1], walks)
    strength = PUBLISHED.joint if official else config.joint
    noise = config.point * rng.standard_normal(walks.shape)
    noise = noise + strength * rng.standard_normal((count, 1, *walks.shape[2:]))
    if not official:
        noise[..., -1] = 0
        noise *= walks[..., -1:] > 0
    return np.asarray(walks + noise, dtype=np.float32)


def _chance(count: int, share: float, rng: np.random.Generator) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return (rng.random(count) < share)[:, None, None, None]


def _mirrored(walks: Floats, layout: Layout, official: bool) -> Floats:
    """About the mean x of each frame; of the joints that are seen, unless `official`."""
    seen = np.ones(walks.shape[:3], bool) if official else walks[..., -1] > 0
    count = np.maximum(seen.sum(axis=2, keepdims=True), 1)
    centre = (walks[..., 0] * seen).sum(axis=2, keepdims=True) / count
    out = walks.copy()
    out[..., 0] = np.where(seen, 2 * centre - walks[..., 0], walks[..., 0])
    return out if official else out[:, :, list(layout.mirror)]
