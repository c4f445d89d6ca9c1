"""What ACLNet's training does to clips of one or two people while it learns, in NumPy.

Where the published code does something else than its name says, `official` does it too; without, it is mended:
`flipped` exchanges left and right joints and leaves x as it is, which is no mirror image of anybody.
"""

import numpy as np
from numpy.typing import NDArray

from model.layout import Layout
from model.sequence import Floats
from training.data.action_set import Integers

LIMBS = ("left_arm", "left_leg", "right_arm", "right_leg")


def rotated(clips: Floats, theta: float, rng: np.random.Generator) -> Floats:
    """Clips (n, people, T, V, 4), each turned about x, y, z by angles within -theta..theta radians."""
    angle = rng.uniform(-theta, theta, (3, len(clips)))
    cos, sin = np.cos(angle), np.sin(angle)
    one, zero = np.ones(len(clips)), np.zeros(len(clips))
    about_x = _matrices([[one, zero, zero], [zero, cos[0], sin[0]], [zero, -sin[0], cos[0]]])
    about_y = _matrices([[cos[1], zero, -sin[1]], [zero, one, zero], [sin[1], zero, cos[1]]])
    about_z = _matrices([[cos[2], sin[2], zero], [-sin[2], cos[2], zero], [zero, zero, one]])
    turn = about_z @ about_y @ about_x
    turned = clips[..., :3].reshape(len(clips), -1, 3) @ turn.swapaxes(1, 2).astype(np.float32)
    out = clips.copy()
    out[..., :3] = turned.reshape(*clips.shape[:-1], 3)
    return out


def _matrices(rows: list[list[NDArray[np.float64]]]) -> NDArray[np.float64]:
    """(n, 3, 3) of rows of arrays (n,)."""
    return np.moveaxis(np.array(rows), -1, 0)


def flipped(
    clips: Floats,
    layout: Layout,
    share: float,
    rng: np.random.Generator,
    *,
    widths: Integers | None = None,
    official: bool = False,
) -> Floats:
    """A `share` of clips (n, people, T, V, dims + 1), mirrored.

    About x = 0 (Spatial_Flip), or, where the images' widths (n,) are given, in the image (Flip of 2-D keypoints, which
    is published as it should be); a width of 0 is unknown, and the clip is mirrored about its mean x.
    """
    swapped = clips[..., list(layout.mirror), :]
    if widths is not None:
        seen = swapped[..., -1] > 0
        count = np.maximum(seen.sum(axis=(1, 2, 3)), 1)
        about = np.where(widths > 0, widths, 2 * (swapped[..., 0] * seen).sum(axis=(1, 2, 3)) / count)
        across = about.astype(np.float32)[:, None, None, None] - swapped[..., 0]
        swapped[..., 0] = np.where(seen, across, swapped[..., 0])
    elif not official:
        swapped[..., 0] *= -1
    return _some(clips, swapped, share, rng)


def part_dropped(clips: Floats, layout: Layout, share: float, rng: np.random.Generator) -> Floats:
    """One arm or leg is missing, throughout, in a `share` of clips (n, people, T, V, dims + 1). (Part_Drop.)"""
    member = np.zeros((len(LIMBS), layout.count), dtype=bool)
    for row, limb in enumerate(LIMBS):
        member[row, list(layout.parts[limb])] = True
    lost = member[rng.integers(len(LIMBS), size=len(clips))][:, None, None, :, None]
    return _some(clips, np.where(lost, np.float32(0), clips), share, rng)


def _some(clips: Floats, changed: Floats, share: float, rng: np.random.Generator) -> Floats:
    chosen = (rng.random(len(clips)) < share).reshape(-1, *[1] * (clips.ndim - 1))
    return np.asarray(np.where(chosen, changed, clips), dtype=np.float32)
