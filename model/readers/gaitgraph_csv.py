"""GaitGraph CSV: CASIA-B as 2-D joints, one row a frame, each sequence a track.

Header `image_name,<joint>_x,<joint>_y,<joint>_conf` for each joint; `image_name` is
`<folder>/<subject>-<condition>-<run>-<view>/<frame>.jpg` ("001-nm-01-090/000012.jpg"), condition nm, bg or cl.
Joints are COCO's 17 in pixels of 320 x 240 frames at 25 a second; another known set of named joints is read by its
names, in any order. Frames that are not there stay missing.
"""

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from types import MappingProxyType

import numpy as np

from model.errors import LimitExceeded
from model.layout import Layout
from model.limits import FILE_FRAMES, FILE_TRACKS
from model.named_layouts import LAYOUTS
from model.readers.arrays import floats
from model.readers.assemble import clean, dense, units_of
from model.readers.recording import ASSUMED_FPS, Hints, Recording, Track
from model.readers.source import Source, numbered
from model.sequence import Floats, SkeletonSequence, Units

FORMAT = "gaitgraph-csv"
CHANNELS = ("x", "y", "conf")
_SEQUENCE = re.compile(r"(?P<subject>[^-]+)-(?P<condition>[a-z]+)-(?P<run>\d+)-(?P<view>\d+)$")


def matches(text: str) -> bool:
    first = text.split("\n", 1)[0]
    return first.startswith("image_name,") or bool(re.match(r"[\w ]+,\w+_x,\w+_y,", first))


def read(source: Source, hints: Hints) -> Recording:
    """Raises `UnreadableFile` naming the line that is wrong, `LimitExceeded` above 200 000 frames."""
    rows = csv.reader(io.StringIO(source.text()))
    layout, order = _layout(next(_lines(source, rows), []), source)
    names: defaultdict[str, list[tuple[int, list[str]]]] = defaultdict(list)
    for i, row in enumerate(_lines(source, rows)):
        if i >= FILE_FRAMES:
            raise LimitExceeded(f"rows of {source.name}", FILE_FRAMES, i + 1)
        if len(row) != 1 + 3 * layout.count:
            source.fail(f"line {i + 2}: {len(row)} values where {1 + 3 * layout.count} are expected")
        name, frame = numbered(row[0])
        if frame is None:
            source.fail(f"line {i + 2}: {row[0][:60]!r} ends in no frame number")
        names[name.rstrip("/")].append((frame, row[1:]))
        if len(names) > FILE_TRACKS:
            raise LimitExceeded(f"sequences of {source.name}", FILE_TRACKS, len(names))
    fps, notes = hints.rate(None, ASSUMED_FPS)
    poses = {name: _poses(source, name, found, order) for name, found in names.items()}
    units = units_of([array for _, array in poses.values()])
    aspect = hints.ratio if units is Units.NORMALISED else None
    tracks = []
    left = FILE_FRAMES
    for name, (frames, array) in poses.items():
        left -= int(frames[-1] - frames[0]) + 1
        if left < 0:
            raise LimitExceeded(f"frames of all tracks of {source.name}", FILE_FRAMES, FILE_FRAMES - left)
        full = dense(frames, array, name)
        sequence = SkeletonSequence(full[..., :-1], full[..., -1], layout, fps, units, aspect)
        tracks.append(Track(name.rsplit("/", 1)[-1] or "1", sequence, int(frames[0]), _labels(name)))
    return Recording(FORMAT, tuple(tracks), notes, source.name)


def _lines(source: Source, rows: Iterator[list[str]]) -> Iterator[list[str]]:
    try:
        yield from (row for row in rows if row)
    except csv.Error as error:
        source.fail(f"is no CSV: {error}")


def _layout(header: Sequence[str], source: Source) -> tuple[Layout, list[int]]:
    """The layout whose joints the header names, and at which place of the header each joint stands."""
    columns = [name.strip() for name in header[1:]]
    joints = [name.rsplit("_", 1)[0] for name in columns[::3]]
    if columns != [f"{joint}_{channel}" for joint in joints for channel in CHANNELS]:
        source.fail("line 1: columns must be <joint>_x, <joint>_y, <joint>_conf for each joint")
    layout = next((known for known in LAYOUTS.values() if sorted(known.joints) == sorted(joints)), None)
    if layout is None:
        source.fail(f"line 1: the {len(joints)} joints it names are no known layout's")
    return layout, [joints.index(joint) for joint in layout.joints]


def _poses(
    source: Source, name: str, found: list[tuple[int, list[str]]], order: Sequence[int]
) -> tuple[np.ndarray, Floats]:
    found.sort(key=lambda row: row[0])
    if again := next((later[0] for earlier, later in pairwise(found) if earlier[0] == later[0]), None):
        source.fail(f"{name}: frame {again} is there twice")
    try:
        values = floats(np.array([row for _, row in found], dtype=np.float64))
    except ValueError as error:
        source.fail(f"{name}: {error}")
    poses = values.reshape(len(found), -1, 3)[:, order]
    return np.array([frame for frame, _ in found], dtype=np.int64), clean(poses)


def _labels(name: str) -> MappingProxyType[str, str]:
    parts = _SEQUENCE.match(name.rsplit("/", 1)[-1])
    if not parts:
        return MappingProxyType({})
    labels = parts.groupdict()
    run = labels.pop("run")
    return MappingProxyType({**labels, "sequence": f"{labels['condition']}-{run}"})
