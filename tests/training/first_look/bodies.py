"""Batches that nothing is wrong with, for tests to spoil: walkers in an image, and people in space."""

import numpy as np

from model.named_layouts import COCO_17, NTU_25
from tests.fakes import walking
from tests.training.small import small_recipe
from training.first_look import Findings, look

FRAMES, CLASSES, EACH = 32, 4, 3
NAMES = ("001", "002", "003", "004")
LABELS = np.repeat(np.arange(CLASSES), EACH)


def in_image():
    """Clips (12, FRAMES, 17, 3) of walkers in pixels, y down."""
    walks = [walking(int(label), FRAMES, seed=i) for i, label in enumerate(LABELS)]
    return np.stack([np.concatenate([w.joints, w.confidence[..., None]], axis=-1) for w in walks])


def in_space():
    """Clips (12, FRAMES, 25, 4) in metres, y up; they look towards +z, so that their left is at +x."""
    walks = [walking(int(label), FRAMES, layout=NTU_25, seed=i).joints for i, label in enumerate(LABELS)]
    ahead = np.array([_ahead(joint) for joint in NTU_25.joints])
    clips = np.ones((len(walks), FRAMES, 25, 4), dtype=np.float32)
    for clip, joints in zip(clips, walks, strict=True):
        swing = joints[..., 0] - joints[..., :1, 0]
        side = np.array([_side(joint) for joint in NTU_25.joints])
        clip[..., 0] = side + 0.01 * np.sin(np.arange(FRAMES))[:, None]
        clip[..., 1] = (120 - joints[..., 1]) / 110
        clip[..., 2] = ahead + (swing - swing.mean(axis=0)) / 110
    return clips


def _side(joint):
    return {"left": 0.15, "right": -0.15}.get(joint.split("_")[0], 0.0)


def _ahead(joint):
    return 0.05 if "knee" in joint else 0.12 if "foot" in joint else 0.0


def recipe_for(clips, **sections):
    """A recipe that takes such clips, and leaves their size and place as they are."""
    space = clips.shape[-1] == 4
    network = {"layout": "ntu-25" if space else "coco-17", "dims": 3 if space else 2, "classes": CLASSES}
    network |= {"people": clips.shape[1] if clips.ndim == 5 else 1} | sections.pop("network", {})
    clip = {"frames": FRAMES, "dims": network["dims"], "people": network["people"], "minimum": 8}
    return small_recipe(network=network, clip=clip, loss={"inter": {"neighbours": 2}}, **sections)


def seen_in(clips, labels=LABELS, names=NAMES, *, counts=None, lengths=None, **sections) -> Findings:
    layout = NTU_25 if clips.shape[-1] == 4 else COCO_17
    return look(clips, labels, recipe_for(clips, **sections), layout, names, counts, lengths)


def refusal(clips, labels=LABELS, names=NAMES) -> str:
    refused = seen_in(clips, labels, names).refused
    assert refused is not None
    return refused
