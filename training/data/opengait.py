"""CASIA-B's poses in the tree of OpenGait and FastPoseGait (CASIA-B-Pose among them).

`<root>/<subject>/<type>/<view>/<any>.pkl`, type as "nm-01": one array (T, 17, 3) of x, y, confidence in pixels, or a
list of one array a frame. A JSON file in the root, {"TRAIN_SET": [...], "TEST_SET": [...]}, divides the people; where
there is none, 74 train and 50 test.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.errors import InvalidDataSet
from model.named_layouts import COCO_17
from model.readers.pickle_arrays import Array
from model.readers.source import printable
from model.sequence import Units
from training.data.arrays import Frames
from training.data.casia_b import FPS
from training.data.casia_b_counts import EXPECTED, NOTE, counts, splits
from training.data.kind import Kind
from training.data.pickled import entries
from training.data.stream import Items, LeftOut, Noted, Progress, SplitOf, Taken

TYPE = re.compile(r"(nm|bg|cl)-(\d{2})", re.ASCII)
_HALVES = (("TRAIN_SET", "train"), ("TEST_SET", "test"))


def sequences(root: Path) -> Sequence[Path]:
    """The pickles at the depth of sequences, in order."""
    return sorted(root.glob("*/*/*/*.pkl"))


def partitions(root: Path) -> Sequence[Path]:
    return sorted(root.glob("*.json"))


def files(root: Path) -> Sequence[Path]:
    return [*partitions(root), *sequences(root)]


def items(root: Path, progress: Progress | None = None) -> Items:
    """Sequences of one person each; raises `InvalidDataSet` naming the file that is not as the format says."""
    people = set()
    for file in sequences(root):
        if progress:
            progress(file.stat().st_size)
        subject, kind, view = file.parts[-4:-1]
        name = f"{subject}-{kind}-{view}"
        if not TYPE.fullmatch(kind):
            yield LeftOut(name, "its type is not nm-01, bg-01, cl-01 or so")
            continue
        labels = {"subject": subject, "condition": kind[:2], "sequence": kind, "view": view, "action": "walk"}
        poses = _poses(file)
        if not len(poses):
            yield LeftOut(name, "it has no frames")
            continue
        if (poses[..., 2] > 1).any():
            yield Noted("sequences with confidence above 1 are cut to 1")
            poses[..., 2] = np.minimum(poses[..., 2], 1)
        people.add(subject)
        yield Taken(name, poses[None], labels)
    for file in partitions(root):
        yield from _partition(file, people)


def _poses(file: Path) -> Frames:
    """(T, 17, 3), which may be written to."""
    found = [value for _, value in entries(file)]
    if not all(isinstance(value, Array) for value in found):
        raise InvalidDataSet(str(file), "holds something else than an array of poses")
    arrays: list[NDArray[Any]] = [value.values for value in found]
    if len(arrays) > 1 and len({array.shape for array in arrays}) > 1:
        raise InvalidDataSet(str(file), "is a list of arrays of different shapes")
    poses = arrays[0] if len(arrays) == 1 and arrays[0].ndim == 3 else np.array(arrays)
    if not poses.size:
        return np.empty((0, COCO_17.count, 3), np.float32)
    if poses.ndim != 3 or poses.shape[1:] != (COCO_17.count, 3) or poses.dtype.kind not in "fiu":
        raise InvalidDataSet(
            str(file), f"holds an array {poses.shape} of {poses.dtype}, not (frames, 17, 3) of numbers"
        )
    return np.array(poses, dtype=np.float32)


def _partition(file: Path, people: set[str]) -> Items:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise InvalidDataSet(str(file), f"is no JSON ({printable(str(error))})") from error
    if not isinstance(found, dict) or not {"TRAIN_SET", "TEST_SET"} <= set(found):
        raise InvalidDataSet(str(file), "has no TRAIN_SET and TEST_SET, lists of people")
    for key, half in _HALVES:
        members = found[key]
        if not isinstance(members, list) or not all(isinstance(member, str) for member in members):
            raise InvalidDataSet(str(file), f"{key} is no list of people's names")
        if absent := len(set(members) - people):
            yield Noted(f"{file.name} names people in {key} who are not there", absent)
        yield SplitOf(half, tuple(member for member in members if member in people), by="subject")


KINDS = (
    Kind(
        "casia-b-opengait",
        "CASIA-B poses, OpenGait's and FastPoseGait's tree of pickles",
        COCO_17,
        FPS,
        Units.PIXELS,
        files=files,
        items=items,
        dims=2,
        splits=splits,
        counts=counts,
        expected=EXPECTED,
        notes=(NOTE,),
    ),
)
