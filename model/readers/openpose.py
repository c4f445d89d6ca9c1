"""OpenPose JSON: a folder of one file a frame, one such file, or many frames in one file.

`<video>_%012d_keypoints.json`, each {"version": 1.3, "people": [{"person_id": [-1], "pose_keypoints_2d":
[x, y, c, x, y, c, ...], ...}]}: 25 joints are BODY-25, 18 are COCO-18. Pixels, or normalised with
`--keypoint_scale 3`. A joint that was not found is 0, 0, 0. No frame rate; `person_id` is -1 unless tracking
ran. Hands, face and `pose_keypoints_3d` are not read.

AlphaPose with `--format open` or `cmu` writes {image name: frame}, with `people` or `bodies` and `joints`.
Files of several videos in one folder become tracks whose names begin with the video's.
"""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import msgspec
import numpy as np

from model.errors import LimitExceeded
from model.limits import FILE_BYTES, FILE_FRAMES
from model.readers.arrays import joints_of, layout_of, triples
from model.readers.document import Document, decode
from model.readers.recording import Hints, Recording
from model.readers.shots import Shot, recording_of_shots
from model.readers.source import Source, numbered, open_source
from model.tracks import People

FORMAT = "openpose"


class Person(msgspec.Struct):
    """One person; either key may be there, by the program that wrote it."""

    pose_keypoints_2d: list[float] | None = None
    joints: list[float] | None = None
    person_id: list[int] | int | None = None


class Frame(msgspec.Struct):
    """One frame."""

    people: list[Person] | None = None
    bodies: list[Person] | None = None


def matches(document: Document) -> bool:
    keys = set(document.members) | document.keys_of_first()
    return bool(keys & {"people", "bodies"})


def read(document: Document, hints: Hints) -> Recording:
    """One JSON file: a frame, a list of frames, or frames by image name. Raises `UnreadableFile`."""
    source = document.source
    if set(document.members) & {"people", "bodies"}:
        frame: Frame = decode(source, source.data.removeprefix(b"\xef\xbb\xbf"), Frame)
        _, number = numbered(Path(source.name).name)
        return _recording(source, [("", number or 0, frame)], hints)
    if document.items:
        return _recording(source, (("", i, _frame(source, raw, str(i))) for i, raw in enumerate(document.items)), hints)
    named = enumerate(document.members.items())
    return _recording(source, ((*_place(name, i), _frame(source, raw, name)) for i, (name, raw) in named), hints)


def _frame(source: Source, raw: msgspec.Raw, name: str) -> Frame:
    frame: Frame = decode(source, raw, Frame, f"frame {name}")
    return frame


def is_folder(path: Path) -> bool:
    return any(path.glob("*_keypoints.json")) or any(path.glob("*.json"))


def read_folder(path: Path, hints: Hints) -> Recording:
    """A folder of one file a frame. Raises `UnreadableFile` naming the file that is none."""
    files = sorted(path.glob("*_keypoints.json")) or sorted(path.glob("*.json"))
    if len(files) > FILE_FRAMES:
        raise LimitExceeded(f"files in {path}", FILE_FRAMES, len(files))
    folder = Source(str(path), b"", path)
    return _recording(folder, _frames_of(files), hints)


def _frames_of(files: list[Path]) -> Iterable[tuple[str, int, Frame]]:
    left = FILE_BYTES
    for i, file in enumerate(files):
        source = open_source(file, left)
        left -= len(source.data)
        frame: Frame = decode(source, source.data.removeprefix(b"\xef\xbb\xbf"), Frame)
        if frame.people is None and frame.bodies is None:
            source.fail("is no OpenPose frame: it has no `people`")
        yield *_place(file.name, i), frame


def _place(name: str, order: int) -> tuple[str, int]:
    shot, number = numbered(name)
    return (shot.rstrip("_-. /"), number) if number is not None else ("", order)


def _recording(source: Source, frames: Iterable[tuple[str, int, Frame]], hints: Hints) -> Recording:
    shots: defaultdict[str, list[tuple[int, list[Person]]]] = defaultdict(list)
    counts: set[int] = set()
    for shot, number, frame in frames:
        people = [p for p in (frame.people or frame.bodies or []) if p.pose_keypoints_2d or p.joints]
        shots[shot].append((number, people))
        counts |= {len(p.pose_keypoints_2d or p.joints or ()) for p in people}
    layout = layout_of(joints_of(counts, source.name), 2, hints, source.name)
    made = [Shot(name, [_people(i, who) for i, who in found]) for name, found in shots.items()]
    return recording_of_shots(FORMAT, source, made, layout, hints)


def _people(number: int, persons: list[Person]) -> People:
    poses = [triples(person.pose_keypoints_2d or person.joints or ()) for person in persons]
    ids = [_id(person) for person in persons]
    known = tuple(name for name in ids if name is not None)
    stacked = np.stack(poses) if poses else np.empty((0, 0, 3), np.float32)
    return People(number, stacked, known if len(known) == len(ids) else None)


def _id(person: Person) -> str | None:
    given = person.person_id[0] if isinstance(person.person_id, list) and person.person_id else person.person_id
    return str(given) if isinstance(given, int) and given >= 0 else None
