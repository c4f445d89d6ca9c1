"""Named stand-ins for the seams of the code, so that no test needs to patch anything."""

import hashlib
from collections.abc import Sequence

import numpy as np

from model.clips import ClipSpec, unit_length
from model.layout import Layout
from model.named_layouts import COCO_17
from model.sequence import Floats, SkeletonSequence

_HEIGHTS: dict[str, float] = {
    **{"nose": -90, "eye": -93, "ear": -91, "head": -92, "mouth": -86, "neck": -75, "upper_neck": -80},
    **{"shoulder": -70, "elbow": -40, "wrist": -15, "hand": -10, "thumb": -11, "index": -9, "pinky": -10},
    **{"hip": 0, "knee": 45, "ankle": 90, "heel": 93, "foot": 94, "toe": 95},
    **{"spine": -35, "chest": -55, "mid_shoulder": -70, "mid_hip": 0},
}


def walking(
    subject: int = 0, frames: int = 60, *, fps: float = 25.0, layout: Layout = COCO_17, seed: int = 0
) -> SkeletonSequence:
    """A usable, walking-like sequence in pixels: legs and arms swing, body shape depends on the subject."""
    body = np.random.default_rng(subject)
    noise = np.random.default_rng((subject, seed))
    base = np.array([_place(joint) for joint in layout.joints]) * body.uniform(0.85, 1.15, (layout.count, 1))
    phase = 2 * np.pi * np.arange(frames) / fps * body.uniform(0.8, 1.1) + noise.uniform(0, 2 * np.pi)
    swing = np.array([_swing(joint) for joint in layout.joints]) * body.uniform(0.8, 1.2)
    joints = np.repeat(base[None].astype(np.float32), frames, axis=0)
    joints[:, :, 0] += np.sin(phase)[:, None] * swing + 160
    joints[:, :, 1] += np.abs(np.cos(phase))[:, None] * 3 + 120
    joints += noise.normal(0, 0.3, joints.shape)
    return SkeletonSequence(joints, np.full(joints.shape[:2], 0.9, np.float32), layout, fps)


def _place(joint: str) -> tuple[float, float]:
    side = {"left": 10.0, "right": -10.0}.get(joint.split("_")[0], 0.0)
    name = next(key for key in sorted(_HEIGHTS, key=len, reverse=True) if key in joint)
    return side, _HEIGHTS[name]


def _swing(joint: str) -> float:
    side = {"left": 1.0, "right": -1.0}.get(joint.split("_")[0], 0.0)
    reach = {"ankle": 30.0, "knee": 15.0, "foot": 32.0, "toe": 33.0, "heel": 30.0, "wrist": -20.0, "elbow": -10.0}
    return side * next((value for key, value in reach.items() if key in joint), 0.0)


class FakeEncoder:
    """Embeds a clip as a fixed random projection of its mean pose: equal bodies lie near each other."""

    def __init__(
        self, dim: int = 16, layout: Layout = COCO_17, clip: ClipSpec | None = None, name: str = "fake"
    ) -> None:
        self.dim, self.layout, self.clip = dim, layout, clip or ClipSpec()
        self.fingerprint = hashlib.sha256(name.encode()).hexdigest()
        self._weights = np.random.default_rng(7).normal(size=(layout.count * self.clip.channels, dim))
        self.calls: list[int] = []

    def embed_clips(self, clips: Floats) -> Floats:
        self.calls.append(len(clips))
        pose = clips.mean(axis=1)
        pose[..., :-1] -= pose[..., :-1].mean(axis=1, keepdims=True)
        return unit_length((pose.reshape(len(clips), -1) @ self._weights).astype(np.float32))


class FakeClassifier:
    """Gives every clip the same probabilities. shapes: of the clips of each call."""

    def __init__(
        self, labels: Sequence[str] = ("walk", "run"), layout: Layout = COCO_17, clip: ClipSpec | None = None
    ) -> None:
        self.labels, self.layout, self.clip = tuple(labels), layout, clip or ClipSpec()
        self.shapes: list[tuple[int, ...]] = []
        self.fingerprint = hashlib.sha256(b"fake classifier").hexdigest()

    def probabilities(self, clips: Floats) -> Floats:
        self.shapes.append(clips.shape)
        row = np.arange(len(self.labels), 0, -1, dtype=np.float32)
        return np.repeat((row / row.sum())[None], len(clips), axis=0)
