"""Pickles in pyskl's schema, as the action data sets of skeleton papers are passed around.

{"split": {name: [id, ...]}, "annotations": [{"frame_dir": id, "label": int, "total_frames": int,
"keypoint": (M, T, V, 2 or 3), and for 2-D "keypoint_score": (M, T, V), "img_shape": (h, w)}]}. Old files say `annos`
and `filename`. 3-D joints are the Kinect's in metres and have no confidence; joints that are all zeros are missing.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.errors import InvalidDataSet
from model.readers.pickle_arrays import Array
from model.readers.source import printable
from training.data.arrays import Frames
from training.data.pickled import Entry, entries
from training.data.stream import Item, Items, LeftOut, Noted, Progress, SplitOf, Taken, with_confidence

MOST_PEOPLE = 2
"""So many people of a recording are taken, as the published training does; a data set of pairs has no third."""

Labelled = Callable[[str], Mapping[str, str]]
"""Labels of a recording by its name."""


@dataclass(frozen=True)
class Annotation:
    """One entry, its common fields checked. where: its place in the file, for messages."""

    path: Path
    where: str
    name: str
    label: int
    fields: Mapping[Any, Any]

    def fail(self, reason: str) -> "InvalidDataSet":
        return InvalidDataSet(str(self.path), f"{self.where}: {reason}")

    def array(self, key: str) -> NDArray[Any]:
        """The array of numbers under `key`; raises `InvalidDataSet`."""
        value = self.fields.get(key)
        if not isinstance(value, Array) or value.values.dtype.kind not in "fiu":
            raise self.fail(f"{key} is no array of numbers")
        return value.values

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the image by `img_shape`, which is height and width; zeros without it."""
        shape = self.fields.get("img_shape")
        if shape is None:
            return 0, 0
        if not isinstance(shape, list | tuple) or len(shape) != 2 or not all(isinstance(n, int) for n in shape):
            raise self.fail("img_shape is no pair of height and width")
        return int(shape[1]), int(shape[0])

    def number(self, key: str) -> int:
        value = self.fields.get(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.fail(f"{key} is no whole number")
        return value


def one_file(path: Path) -> tuple[Path, ...]:
    """The pickle: `path` itself, or the only one in the directory. Raises `InvalidDataSet`."""
    if path.is_file():
        return (path,)
    found = sorted(path.glob("*.pkl")) if path.is_dir() else []
    if len(found) != 1:
        raise InvalidDataSet(str(path), f"holds {len(found)} pickles where one is expected; name the file")
    return (found[0],)


def read(path: Path, classes: int, labelled: Labelled, *, joints: int, progress: Progress | None = None) -> Items:
    """Recordings and splits of the pickle. joints: 25 of the Kinect or 17 of COCO; other people are padding or crowd.

    Raises `InvalidDataSet` naming the annotation that is wrong.
    """
    for found in annotations(one_file(path)[0], classes, progress=progress):
        if isinstance(found, SplitOf):
            yield found
        else:
            yield from _taken(found, labelled(found.name), joints)


def annotations(path: Path, classes: int, *, progress: Progress | None = None) -> Iterator[Annotation | SplitOf]:
    """Annotations and splits in the order of the file, without what each kind of data set holds beside them."""
    number = 0
    for key, value in entries(path, progress=progress):
        if key is None:
            yield _annotation(path, number, value, classes)
            number += 1
        elif key == "split":
            yield from _splits(path, value)
    if not number:
        raise InvalidDataSet(str(path), "is a pickle without annotations, which is not pyskl's schema")


def first_entries(path: Path, most: int = 200) -> list[Entry]:
    """What a file begins with, to tell what it is: until the first annotation, or `most` entries."""
    found: list[Entry] = []
    for entry in entries(path, start=True):
        found.append(entry)
        if entry[0] is None or len(found) >= most:
            break
    return found


def _annotation(path: Path, number: int, value: Any, classes: int) -> Annotation:
    where = f"annotations[{number}]"
    if not isinstance(value, dict):
        raise InvalidDataSet(str(path), f"{where}: is a {type(value).__name__}, not an annotation")
    name = value.get("frame_dir", value.get("filename"))
    if not isinstance(name, str) or not name:
        raise InvalidDataSet(str(path), f"{where}: has no frame_dir")
    name = printable(name)[:200]
    found = Annotation(path, f"{where} ({name[:60]})", name, -1, value)
    label = found.number("label")
    if not 0 <= label < classes:
        raise found.fail(f"label {label} is none of the {classes} classes")
    return Annotation(path, found.where, name, label, value)


def _splits(path: Path, value: Any) -> Iterator[SplitOf]:
    if not isinstance(value, dict):
        raise InvalidDataSet(str(path), "split is no dict of lists of names")
    for name, members in value.items():
        if not isinstance(members, list | tuple) or not all(isinstance(member, str) for member in members):
            raise InvalidDataSet(str(path), f"split {str(name)[:40]!r} is no list of names")
        yield SplitOf(printable(str(name)), tuple(printable(member)[:200] for member in members))


def _taken(found: Annotation, labels: Mapping[str, str], joints: int) -> Items:
    keypoint = found.array("keypoint")
    dims = 3 if joints == 25 else 2
    if keypoint.ndim != 4 or keypoint.shape[2:] != (joints, dims):
        raise found.fail(f"keypoint has shape {keypoint.shape}, and (people, frames, {joints}, {dims}) is expected")
    if "total_frames" in found.fields and found.number("total_frames") != keypoint.shape[1]:
        raise found.fail(f"total_frames is {found.number('total_frames')}, keypoint has {keypoint.shape[1]} frames")
    kept: Frames = keypoint if keypoint.dtype == np.float16 else keypoint.astype(np.float32)
    frames = with_confidence(kept) if dims == 3 else _scored(found, kept)
    yield from people_of(found, frames, labels)


def _scored(found: Annotation, keypoint: Frames) -> Frames:
    score = found.array("keypoint_score")
    if score.shape != keypoint.shape[:3]:
        raise found.fail(f"keypoint_score has shape {score.shape}, keypoint {keypoint.shape}")
    frames: Frames = np.concatenate([keypoint, np.clip(score, 0, 1)[..., None].astype(keypoint.dtype)], axis=-1)
    return frames


def people_of(found: Annotation, frames: Frames, labels: Mapping[str, str]) -> Items:
    """A recording without the people who are not there (all zeros), at most `MOST_PEOPLE`, the first ones."""
    there = (frames[..., -1] > 0).any(axis=(1, 2))
    if not there.any():
        yield LeftOut(found.name, "nobody is in it")
        return
    if there.sum() > MOST_PEOPLE:
        yield Noted(f"of more than {MOST_PEOPLE} people the first {MOST_PEOPLE} are taken")
    yield Taken(found.name, frames[there][:MOST_PEOPLE], labels, found.label, size=found.size)


def with_class_name(item: Item) -> Item:
    """A recording whose action is only a number gets it as its name, "007"."""
    if isinstance(item, Taken) and "action" not in item.labels:
        return replace(item, labels={**item.labels, "action": f"{item.class_label:03d}"})
    return item
