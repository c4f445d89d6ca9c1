"""Bodies of any layout that act: actions that a tiny network tells apart in seconds, by people who differ in size."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from model.layout import Layout
from model.sequence import Floats
from tests.fakes import walking

MOVED = (
    ("left_arm",),
    ("right_arm",),
    ("left_leg",),
    ("right_leg",),
    ("left_arm", "right_arm"),
    ("left_leg", "right_leg"),
    ("head", "trunk"),
)
"""Which parts an action moves, by its number modulo 7; beyond that, actions are faster and start the other way."""


def body(layout: Layout, subject: int, frames: int = 1, *, seed: int = 0) -> Floats:
    """Somebody who walks on the spot: (frames, joints, 3) in metres, y up, the hips near the origin."""
    flat = (walking(subject, frames, layout=layout, seed=seed).joints - (160, 120)) / np.array([100, -100])
    depth = 0.3 * flat[..., :1]  # knees and elbows that swing are ahead of the body, too
    return np.concatenate([flat, depth], axis=-1).astype(np.float32)


def acted(layout: Layout, action: int, subject: int, frames: int, rng: np.random.Generator) -> Floats:
    """Somebody who does action number `action` once or more: (frames, joints, 3) as `body`."""
    moved, style = MOVED[action % len(MOVED)], action // len(MOVED)
    joints = [i for part in moved for i in layout.parts[part]]
    at = np.linspace(0, 1, frames) * (1 + style) * rng.uniform(0.9, 1.1)
    up = (0.35 if style % 2 == 0 else -0.35) * np.sin(np.pi * at) ** 2
    across = 0.2 * np.sin(2 * np.pi * at + rng.uniform(-0.2, 0.2))
    pose = np.repeat(body(layout, subject), frames, axis=0)
    pose[:, joints, 1] += up[:, None]
    pose[:, joints, 2] += across[:, None]
    return np.asarray(pose + rng.normal(0, 0.01, pose.shape), dtype=np.float32)


def before_kinect(joints: Floats, *, yaw: float = 0.0, right: float = 0.0) -> Floats:
    """The same three metres before a depth camera, turned by `yaw` degrees."""
    cos, sin = np.cos(np.radians(yaw)), np.sin(np.radians(yaw))
    turned = joints @ np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])
    return np.asarray(turned + np.array([right, 0.0, 3.0]), dtype=np.float32)


def in_image(joints: Floats, *, size: tuple[int, int] = (340, 256), right: float = 0.0) -> Floats:
    """The same in pixels of an image of that width and height, y down: (..., joints, 2)."""
    width, height = size
    scale = 0.45 * height
    flat = np.stack([width / 2 + scale * (joints[..., 0] + right), height / 2 - scale * joints[..., 1]], axis=-1)
    return np.asarray(flat, dtype=np.float32)


@dataclass(frozen=True)
class Recording:
    """One recording that is to be written. number: of its class among those written; label: the official one."""

    number: int
    label: int
    copy: int
    frames: int

    @property
    def view(self) -> int:
        """0, 1 or 2; each has recordings of people of both halves."""
        return (self.copy % 2 + self.copy // 2) % 3

    def people(self, layout: Layout, subject: int, count: int = 1) -> list[Floats]:
        """So many people who do it, each (frames, joints, 3) in metres; the second does another thing."""
        rng = np.random.default_rng((self.label, self.copy))
        return [acted(layout, self.number + 3 * i, subject + 50 * i, self.frames, rng) for i in range(count)]


def recordings(classes: int, official: int, per_class: int, frames: int) -> Iterator[Recording]:
    """Recordings of `classes` of the `official` classes; lengths vary by a few frames."""
    for number, label in enumerate(np.linspace(0, official - 1, classes).round().astype(int).tolist()):
        for copy in range(per_class):
            yield Recording(number, label, copy, frames + (3 * copy + number) % 5)
