"""People who walk past a camera: COCO-17 in pixels, from a simple kinematic model, for tests of tracks and quality."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.sequence import Floats


@dataclass(frozen=True)
class Walker:
    """start, velocity: pixels, pixels a second (x, y); height in pixels; stride frequency in Hz; phase in radians."""

    start: tuple[float, float]
    velocity: tuple[float, float]
    height: float = 200.0
    stride_hz: float = 0.9
    phase: float = 0.0
    depth_swing: float = 1.0

    def poses(self, frames: int, fps: float = 25.0, noise: float = 0.008, seed: int = 0) -> Floats:
        """(frames, 17, x y confidence). noise: standard deviation, in body heights."""
        rng = np.random.default_rng(seed)
        time = np.arange(frames) / fps
        phase = 2 * np.pi * self.stride_hz * time + self.phase
        facing = np.sign(self.velocity[0]) or 1.0
        body = np.zeros((frames, 17, 2))
        for side, shift in (("left", 0.0), ("right", np.pi)):
            self._limbs(body, phase + shift, 0 if side == "left" else 1, facing)
        body[:, :5, 1] = -0.42
        body[:, :5, 0] = np.array([0.05, 0.04, 0.04, 0.0, 0.0]) * facing
        body[:, :, 1] += (0.01 * np.cos(2 * phase))[:, None]
        body += rng.normal(0, noise, body.shape)
        place = np.array(self.start) + time[:, None] * np.array(self.velocity)
        xy = body * self.height + place[:, None]
        return np.concatenate([xy, np.full((frames, 17, 1), 0.9)], axis=-1).astype(np.float32)

    def _limbs(self, body: NDArray[np.float64], phase: NDArray[np.float64], side: int, facing: float) -> None:
        hip = 0.44 * np.sin(phase) * self.depth_swing
        bend = 0.15 + 0.5 * np.clip(np.sin(phase + 0.9), 0, None)
        arm = -0.35 * np.sin(phase) * self.depth_swing
        across = (-1, 1)[side] * (0.015 + 0.1 * (1 - self.depth_swing))
        shoulder, hip_joint = np.array([across, -0.32]), np.array([across * 0.7, 0.02])
        body[:, 5 + side] = shoulder
        body[:, 11 + side] = hip_joint
        knee = body[:, 11 + side] + 0.245 * _down(hip, facing)
        body[:, 13 + side] = knee
        body[:, 15 + side] = knee + 0.246 * _down(hip - bend, facing)
        elbow = body[:, 5 + side] + 0.186 * _down(arm, facing)
        body[:, 7 + side] = elbow
        body[:, 9 + side] = elbow + 0.146 * _down(arm + 0.3, facing)


def _down(angle: NDArray[np.float64], facing: float) -> NDArray[np.float64]:
    return np.stack([facing * np.sin(angle), np.cos(angle)], axis=-1)
