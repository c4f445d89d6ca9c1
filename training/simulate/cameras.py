"""Perspective cameras around the walk: the ring of CASIA-B, and random ones for variety in training.

World: y up, the walk along +z through the origin, floor at 0. A view of 0 degrees sees the walker coming, 90 from
their left side, 180 from behind. Images: x to the right, y down, pixels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from training.simulate.seeds import Purpose, generator
from training.simulate.skeleton import Doubles

CASIA_B_VIEWS = tuple(range(0, 181, 18))
CASIA_B_SIZE = (320, 240)
CASIA_B_FPS = 25.0
_SIZES = ((320, 240), (640, 480), (1280, 720), (1920, 1080))


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """One camera, or several with a leading axis.

    position: (..., 3) metres. axes: (..., 3, 3), rows right, down and forward. focal: (...) pixels.
    size: (..., 2) width and height in pixels; the principal point is their middle. view: (...) degrees.
    """

    position: Doubles
    axes: Doubles
    focal: Doubles
    size: Doubles
    view: Doubles

    def project(self, points: Doubles) -> tuple[Doubles, Doubles]:
        """Pixels (..., 2) and depth in metres (...) of points (cameras..., frames, joints, 3)."""
        seen = (points - self.position[..., None, None, :]) @ np.swapaxes(self.axes, -1, -2)[..., None, :, :]
        depth = np.maximum(seen[..., 2], 0.1)
        scale = self.focal[..., None, None] / depth
        return seen[..., :2] * scale[..., None] + self.size[..., None, None, :] / 2, depth

    def __getitem__(self, index: int | slice | Sequence[int]) -> "Camera":
        at = np.asarray(index) if isinstance(index, list | tuple) else index
        return Camera(self.position[at], self.axes[at], self.focal[at], self.size[at], self.view[at])


def looking(
    position: ArrayLike, target: ArrayLike, focal: float, size: tuple[int, int], *, roll: float = 0.0, view: float = 0.0
) -> Camera:
    """A camera at `position` that looks at `target`, turned by `roll` radians about its axis."""
    at = np.asarray(position, dtype=np.float64)
    forward = np.asarray(target, dtype=np.float64) - at
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0.0, 1.0, 0.0])
    right /= np.linalg.norm(right)
    down = np.cross(forward, right)
    turn = np.array([[np.cos(roll), np.sin(roll)], [-np.sin(roll), np.cos(roll)]])
    axes = np.concatenate([turn @ np.stack([right, down]), forward[None]])
    return Camera(at, axes, np.asarray(float(focal)), np.asarray(size, dtype=np.float64), np.asarray(float(view)))


def stacked(cameras: Sequence[Camera]) -> Camera:
    """Several cameras as one, along a new first axis."""
    return Camera(
        np.stack([c.position for c in cameras]),
        np.stack([c.axes for c in cameras]),
        np.stack([c.focal for c in cameras]),
        np.stack([c.size for c in cameras]),
        np.stack([c.view for c in cameras]),
    )


def around(view: float, distance: float, height: float) -> Doubles:
    """Position of a camera at an angle (degrees) and distance from the origin."""
    angle = np.radians(view)
    return np.array([distance * np.sin(angle), height, distance * np.cos(angle)])


def casia_b_camera(view: int, seed: int) -> Camera:
    """The installed camera of one view: 320 x 240, about 7 m away; its small deviations belong to the seed."""
    rng = generator(seed, Purpose.CAMERA, view)
    position = around(view + rng.normal(0, 0.7), 7.0 + rng.normal(0, 0.15), rng.uniform(1.2, 1.7))
    target = np.array([0.0, 0.92, 0.0]) + rng.normal(0, 0.04, 3)
    return looking(
        position, target, 430 * (1 + rng.normal(0, 0.02)), CASIA_B_SIZE, roll=rng.normal(0, 0.008), view=view
    )


def random_camera(rng: np.random.Generator, *, reach: float = 2.4) -> Camera:
    """Any camera that sees a person within `reach` metres of the origin, along z, for most of the way."""
    view = rng.uniform(0, 360)
    distance, height = rng.uniform(max(4.0, reach + 1.6), 12.0), rng.uniform(0.7, 3.2)
    width, tall = _SIZES[rng.integers(len(_SIZES))]
    focal = rng.uniform(0.3, 0.7) * tall * distance / 1.7
    nearest = distance - reach * abs(np.cos(np.radians(view)))
    focal = min(focal, 0.46 * width * distance / (reach * abs(np.sin(np.radians(view))) + 0.35), 0.44 * tall * nearest)
    target = np.array([0.0, 0.9, 0.0]) + rng.normal(0, 0.06, 3)
    position = around(view, distance, height)
    return looking(position, target, focal, (width, tall), roll=rng.normal(0, 0.03), view=view)
