"""Recordings of real people, as npz: what their joints are called in ours, their units and their faults.

The arrays are those of `training.data.arrays`, without a confidence channel but for MediaPipe's visibility;
`joints` names the joints in order, `run` and `fps_seq` are there for some. Order is never assumed: joints are
matched by name, since two data sets of the same sensor list them differently.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.errors import InvalidDataSet
from model.layout import Layout
from model.named_layouts import CMU_20, HDM05_27, KARD_15, KINECT_20, MEDIAPIPE_33, UCALGARY_18
from model.sequence import Floats, Units
from training.data.arrays import LABELS, SequenceSet, read_arrays

CBKINGS_ASPECT = 16 / 9
"""Image width / height of the MediaPipe recordings; their source does not say, body proportions suggest it."""

NEAREST_M = 0.5
"""A depth camera sees nothing nearer: such joints are faults of the tracker and become missing."""

_BONES_OF_HDM05 = (
    "root lhipjoint lfemur ltibia lfoot ltoes rhipjoint rfemur rtibia rfoot rtoes lowerback upperback thorax "
    "lowerneck upperneck head lclavicle lhumerus lradius lwrist lhand rclavicle rhumerus rradius rwrist rhand"
)
_RENAMED: Mapping[str, str] = MappingProxyType(
    {
        **{"mouth_left": "left_mouth", "mouth_right": "right_mouth"},
        **{"left_foot_index": "left_foot", "right_foot_index": "right_foot"},
        **{"HipCenter": "mid_hip", "SpineBase": "mid_hip", "pelvis": "mid_hip"},
        **{"ShoulderCenter": "mid_shoulder", "thorax": "mid_shoulder", "SpineMid": "spine"},
    }
)
_OF_KARD: Mapping[str, str] = MappingProxyType(
    {
        **{"Torso": "spine", "HandLeft": "left_wrist", "HandRight": "right_wrist"},
        **{"FootLeft": "left_ankle", "FootRight": "right_ankle"},
    }
)
_OF_HDM05: Mapping[str, str] = MappingProxyType(dict(zip(_BONES_OF_HDM05.split(), HDM05_27.joints, strict=True)))


@dataclass(frozen=True, slots=True)
class _Source:
    """How one kind of recording is to be read. flipped: x runs the other way than in a right-handed space."""

    layout: Layout
    names: Mapping[str, str]
    camera_space: bool = False
    flipped: bool = False


_SOURCES = (
    _Source(MEDIAPIPE_33, _RENAMED),
    _Source(KINECT_20, _RENAMED, camera_space=True),
    _Source(UCALGARY_18, _RENAMED, camera_space=True),
    _Source(KARD_15, _OF_KARD, camera_space=True, flipped=True),
    _Source(CMU_20, _RENAMED),
    _Source(HDM05_27, _OF_HDM05),
)


def load_recordings(path: Path) -> SequenceSet:
    """A recording in its own layout: metres (right-handed, y up), or for MediaPipe x, y divided by the image's size.

    Three-dimensional joints have confidence 1, or 0 where the source wrote a fault. Subjects are "001" and so on,
    "" where unknown; `sequence` is condition and run where there are runs. Raises `InvalidDataSet`.
    """
    arrays = read_arrays(path)
    missing = {"frames", "offsets", "joints", "fps", "subject"} - set(arrays)
    if missing:
        raise InvalidDataSet(str(path), f"lacks {', '.join(sorted(missing))}")
    source, order = _source_of(path, [str(joint) for joint in arrays["joints"]])
    frames = np.asarray(arrays["frames"], dtype=np.float32)
    if frames.ndim != 3 or frames.shape[1] != len(order):
        raise InvalidDataSet(str(path), f"frames must be (total, {len(order)}, coordinates), got {frames.shape}")
    frames = frames[:, order]
    flat = source.layout == MEDIAPIPE_33
    return SequenceSet.of(
        _with_visibility(frames) if flat else _with_confidence(frames, source),
        arrays["offsets"], source.layout, float(arrays["fps"]),
        units=Units.NORMALISED if flat else Units.METRES, aspect=CBKINGS_ASPECT if flat else None,
        fps_each=arrays.get("fps_seq"), name=str(path), **_labels(arrays),
    )  # fmt: skip


def _source_of(path: Path, joints: list[str]) -> tuple[_Source, list[int]]:
    """The kind of recording, and the place in the file of each joint of its layout."""
    for source in _SOURCES:
        ours = [source.names.get(joint) or _snake(joint) for joint in joints]
        if sorted(ours) == sorted(source.layout.joints):
            return source, [ours.index(joint) for joint in source.layout.joints]
    raise InvalidDataSet(
        str(path), f"its {len(joints)} joints ({', '.join(joints[:4])}, ...) are of no known recording"
    )


def _snake(joint: str) -> str:
    """The tracker's name in our words.

    >>> _snake("ShoulderLeft"), _snake("Head"), _snake("left_knee")
    ('left_shoulder', 'head', 'left_knee')
    """
    found = re.fullmatch(r"([A-Z][a-z]+)(Left|Right)", joint)
    return f"{found[2]}_{found[1]}".lower() if found else joint.lower()


def _with_visibility(frames: Floats) -> Floats:
    """MediaPipe's x, y, z, visibility to x, y, confidence; its z is a guess of another scale and is left out."""
    return np.concatenate([frames[..., :2], np.clip(frames[..., 3:4], 0, 1)], axis=-1)


def _with_confidence(frames: Floats, source: _Source) -> Floats:
    seen = np.isfinite(frames).all(axis=-1, keepdims=True) & (frames != 0).any(axis=-1, keepdims=True)
    if source.camera_space:
        seen &= frames[..., 2:3] >= NEAREST_M
    joints = frames * np.array([-1 if source.flipped else 1, 1, 1], dtype=np.float32)
    return np.concatenate([np.where(seen, joints, 0), seen], axis=-1).astype(np.float32)


def _labels(arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    labels = {label: arrays[label] for label in LABELS if label in arrays}
    labels["subject"] = np.array([f"{number:03d}" if number >= 0 else "" for number in arrays["subject"].astype(int)])
    if "run" in arrays:
        pairs = zip(labels["condition"], arrays["run"].astype(int), strict=True)
        labels["sequence"] = np.array([f"{condition}-{run:02d}" for condition, run in pairs])
    return labels


def seen_by_its_camera(data: SequenceSet) -> SequenceSet:
    """Joints in a depth camera's space as the camera beside it sees them: pixels, x to the right, y down.

    The space is right-handed with z away from the camera and y up, so x points to the left of the image. The
    focal length is that of the Kinect 2's colour camera, about 1081 pixels. Raises `InvalidDataSet` for others.
    """
    if data.units is not Units.METRES:
        raise InvalidDataSet(data.name, f"only metres can be projected, not {data.units}")
    joints, seen = data.frames[..., :3].astype(np.float64), data.frames[..., 3:] > 0
    if (joints[seen[..., 0], 2] < NEAREST_M).any():
        raise InvalidDataSet(data.name, "is not in front of a camera")
    image = -joints[..., :2] * (1081.0 / np.where(seen, joints[..., 2:], 1.0))
    frames = np.concatenate([np.where(seen, image, 0), data.frames[..., 3:]], axis=-1).astype(np.float32)
    return replace(data, frames=frames, units=Units.PIXELS)
