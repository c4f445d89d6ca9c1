"""Recordings of real people, as npz: what their joints are called in ours, their units and their faults.

The arrays are those of `training.data.arrays`, without a confidence channel but for MediaPipe's visibility;
`joints` names the joints in order, `run` and `fps_seq` are there for some. Order is never assumed: joints are
matched by name, since two data sets of the same sensor list them differently.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.errors import InvalidDataSet
from model.layout import Layout
from model.named_layouts import KARD_15, MEDIAPIPE_33
from model.readers.joint_names import layout_by_names
from model.sequence import Floats, Units
from training.data.arrays import LABELS, SequenceSet, read_arrays

CBKINGS_ASPECT = 16 / 9
"""Image width / height of the MediaPipe recordings; their source does not say, body proportions suggest it."""

NEAREST_M = 0.5
"""A depth camera sees nothing nearer: such joints are faults of the tracker and become missing."""


def load_recordings(path: Path) -> SequenceSet:
    """A recording in its own layout: metres (right-handed, y up), or for MediaPipe x, y divided by the image's size.

    Three-dimensional joints have confidence 1, or 0 where the source wrote a fault. Subjects are "001" and so on,
    "" where unknown; `sequence` is condition and run where there are runs. Raises `InvalidDataSet`.
    """
    arrays = read_arrays(path)
    missing = {"frames", "offsets", "joints", "fps", "subject"} - set(arrays)
    if missing:
        raise InvalidDataSet(str(path), f"lacks {', '.join(sorted(missing))}")
    names = [str(joint) for joint in arrays["joints"]]
    known = layout_by_names(names)
    if known is None:
        shown = ", ".join(names[:4])
        raise InvalidDataSet(str(path), f"its {len(names)} joints ({shown}, ...) are of no known recording")
    layout, order = known
    frames = np.asarray(arrays["frames"], dtype=np.float32)
    if frames.ndim != 3 or frames.shape[1] != len(order):
        raise InvalidDataSet(str(path), f"frames must be (total, {len(order)}, coordinates), got {frames.shape}")
    frames = frames[:, order]
    flat = layout == MEDIAPIPE_33
    if frames.shape[2] != (4 if flat else 3):
        raise InvalidDataSet(
            str(path), f"{layout.name} needs {4 if flat else 3} numbers a joint, got {frames.shape[2]}"
        )
    try:
        labels, fps = _labels(arrays), float(arrays["fps"])
    except (ValueError, TypeError) as error:
        raise InvalidDataSet(str(path), f"subject, run and fps must be numbers ({error})") from error
    return SequenceSet.of(
        _with_visibility(frames) if flat else _with_confidence(frames, layout, str(arrays.get("units", ""))),
        arrays["offsets"], layout, fps,
        units=Units.NORMALISED if flat else Units.METRES, aspect=CBKINGS_ASPECT if flat else None,
        fps_each=arrays.get("fps_seq"), name=str(path), **labels,
    )  # fmt: skip


def _with_visibility(frames: Floats) -> Floats:
    """MediaPipe's x, y, z, visibility to x, y, confidence; its z is a guess of another scale and is left out."""
    return np.concatenate([frames[..., :2], np.clip(frames[..., 3:4], 0, 1)], axis=-1)


def _with_confidence(frames: Floats, layout: Layout, units: str) -> Floats:
    seen = np.isfinite(frames).all(axis=-1, keepdims=True) & (frames != 0).any(axis=-1, keepdims=True)
    if "Kinect" in units:
        seen &= frames[..., 2:3] >= NEAREST_M
    # The tracker of KARD lets x run to the right of the image, which makes its space left-handed.
    joints = frames * np.array([-1 if layout == KARD_15 else 1, 1, 1], dtype=np.float32)
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
