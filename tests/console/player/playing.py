"""A page with a player and nothing else, and walks to put into it."""

from typing import Any

import msgspec
import numpy as np
from playwright.sync_api import Page

from model.named_layouts import NTU_25
from model.sequence import SkeletonSequence, Units
from model.writing import sequence_json
from tests.fakes import walking

# A page of its own with nothing but a player; what is loaded is handed in.
ALONE = """async (sequences) => {
  const { createPlayer } = await import('/console/js/player/player.js');
  window.player?.close();
  document.querySelector('main').replaceChildren();
  window.player = createPlayer();
  document.querySelector('main').append(player.element);
  await player.load(sequences);
}"""


# The policy forbids what `wait_for_function` does.
PASSED = """(time) => new Promise((passed) => {
  const look = () => (player.clock.time > time ? passed() : requestAnimationFrame(look));
  look();
})"""


def as_json(sequence: SkeletonSequence) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(sequence_json(sequence))
    return found


def picture(page: Page, place: int = 0) -> str:
    draw = "(place) => { const one = player.all[place]; one.surface.now(); return one.canvas.toDataURL(); }"
    found: str = page.evaluate(draw, place)
    return found


def solid_walk(frames: int = 60) -> SkeletonSequence:
    """In metres, y up, walking towards the viewer."""
    flat = walking(frames=frames, layout=NTU_25)
    height = float(flat.joints[..., 1].max() - flat.joints[..., 1].min())
    joints = np.zeros((frames, NTU_25.count, 3), np.float32)
    joints[..., 2] = 1.7 * (flat.joints[..., 0] - flat.joints[..., 0].mean()) / height
    joints[..., 1] = 1.7 * (flat.joints[..., 1].max() - flat.joints[..., 1]) / height
    side = np.array([0.15 if "left" in name else -0.15 if "right" in name else 0.0 for name in NTU_25.joints])
    joints[..., 0] = side
    joints[..., 2] += 1.2 * np.arange(frames)[:, None] / 30
    return SkeletonSequence(joints, np.ones(joints.shape[:2], np.float32), NTU_25, 30.0, Units.METRES)


def stepping(
    seconds: float, stride_s: float, late_s: float = 0.0, *, fps: float = 25.0, facing: int = 1
) -> SkeletonSequence:
    """A walk with lifted feet. late_s: how far into its first stride it begins. facing: -1 walks to the left."""
    body = walking(frames=1)
    stride = 2 * np.pi * (np.arange(round(seconds * fps)) / fps + late_s) / stride_s
    joints = np.repeat(body.joints, len(stride), axis=0)
    for sign, (hip, knee, ankle) in ((1, (11, 13, 15)), (-1, (12, 14, 16))):
        lifted = np.maximum(0, sign * np.cos(stride))
        joints[:, ankle, 0] = joints[:, hip, 0] + facing * sign * 30 * np.sin(stride)
        joints[:, knee, 0] = joints[:, hip, 0] + facing * (sign * 15 * np.sin(stride) + 14 * lifted)
        joints[:, ankle, 1] -= 14 * lifted
    confidence = np.ones(joints.shape[:2], np.float32)
    return SkeletonSequence(joints, confidence, body.layout, fps)
