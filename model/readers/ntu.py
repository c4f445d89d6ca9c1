"""NTU RGB+D `.skeleton`: Kinect v2 bodies as text; 25 joints in metres, y up, 30 frames a second.

Number of frames; then for each frame the number of bodies; for each body a line of ten values that begins with the
body's id, the number of joints (25), and for each joint a line of twelve: x y z, depth x y, colour x y,
orientation w x y z, tracking state. States 2 (tracked), 1 (inferred) and 0 (not tracked) become confidence 1, 0.5
and 0. Frames without bodies keep their time. The sensor gives a new id to a body that it lost. A name
SsssCcccPpppRrrrAaaa gives labels.
"""

import re
from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from model.errors import LimitExceeded
from model.limits import FILE_FRAMES
from model.named_layouts import NTU_25
from model.readers.arrays import floats
from model.readers.assemble import recording_of
from model.readers.recording import KINECT_FPS, Hints, Recording
from model.readers.source import Source
from model.sequence import Floats, Units
from model.tracks import PEOPLE_PER_FRAME, People

FORMAT = "ntu-skeleton"
BODY_VALUES, JOINT_VALUES, STATE = 10, 12, 11
CONFIDENCE = np.array([0.0, 0.5, 1.0], dtype=np.float32)
_NAME = re.compile(r"S(\d{3})C(\d{3})P(\d{3})R(\d{3})A(\d{3})")
_LABELS = ("setup", "camera", "subject", "replication", "action")


def matches(text: str) -> bool:
    """Two lines of one whole number, and one of ten values or, where the first frame is empty, one more number."""
    lines = [line.split() for line in text.splitlines()[:3]]
    return (
        len(lines) >= 2
        and all(len(line) == 1 and line[0].isdecimal() for line in lines[:2])
        and (len(lines) < 3 or len(lines[2]) in (1, BODY_VALUES))
    )


def read(source: Source, hints: Hints) -> Recording:
    """Raises `UnreadableFile` naming the frame in which the file ends early or the joints are not 25."""
    tokens = _Tokens(source)
    count = tokens.count("number of frames", FILE_FRAMES)
    found: list[tuple[int, list[tuple[str, Floats]]]] = []
    for frame in range(count):
        bodies = tokens.count(f"frame {frame}: number of bodies", PEOPLE_PER_FRAME)
        found.append((frame, [_body(tokens, f"frame {frame}, body {i}") for i in range(bodies)]))
    recording = recording_of(
        FORMAT, source, _people(found), NTU_25, hints,
        fps=KINECT_FPS, units=Units.METRES, notes=_notes(found), trust_ids=True,
    )  # fmt: skip
    return _labelled(recording, source.name)


def _body(tokens: "_Tokens", where: str) -> tuple[str, Floats]:
    name = tokens.take(BODY_VALUES, where)[0]
    joints = tokens.count(f"{where}: number of joints", 1000)
    if joints != NTU_25.count:
        tokens.source.fail(f"{where}: {joints} joints where {NTU_25.count} are expected")
    values = tokens.numbers(joints * JOINT_VALUES, where).reshape(joints, JOINT_VALUES)
    states = values[:, STATE]
    if not np.isin(states, (0, 1, 2)).all():
        tokens.source.fail(f"{where}: tracking states must be 0, 1 or 2")
    confidence = CONFIDENCE[states.astype(np.intp)]
    return name, np.concatenate([values[:, :3], confidence[:, None]], axis=1).astype(np.float32)


def _people(found: list[tuple[int, list[tuple[str, Floats]]]]) -> list[People]:
    people = []
    for frame, bodies in found:
        once = dict(reversed(bodies))  # the first of two bodies with one id
        poses = np.stack(list(once.values())) if once else np.empty((0, NTU_25.count, 4), np.float32)
        people.append(People(frame, poses, tuple(once)))
    return people


def _notes(found: list[tuple[int, list[tuple[str, Floats]]]]) -> tuple[str, ...]:
    seen: defaultdict[str, int] = defaultdict(int)
    for _, bodies in found:
        for name in {name for name, _ in bodies}:
            seen[name] += sum(other == name for other, _ in bodies) - 1
    twice = sum(seen.values())
    return (f"twins: {twice} bodies had the id of another in the same frame and were dropped",) if twice else ()


def _labelled(recording: Recording, name: str) -> Recording:
    parts = _NAME.search(Path(name).name)
    if not parts:
        return recording
    labels = dict(zip(_LABELS, parts.groups(), strict=True))
    tracks = tuple(replace(t, labels=MappingProxyType({**labels, **t.labels})) for t in recording.tracks)
    return replace(recording, tracks=tracks)


class _Tokens:
    """The words of the file, taken from front to back."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._words = source.text().split()
        self._at = 0

    def take(self, count: int, where: str) -> list[str]:
        if self._at + count > len(self._words):
            self.source.fail(f"{where}: the file ends early")
        self._at += count
        return self._words[self._at - count : self._at]

    def count(self, where: str, limit: int) -> int:
        word = self.take(1, where)[0]
        if not word.isdecimal() or not word.isascii() or len(word) > 18:
            self.source.fail(f"{where}: {word[:20]!r} is no whole number")
        if int(word) > limit:
            raise LimitExceeded(f"{where} in {self.source.name}", limit, int(word))
        return int(word)

    def numbers(self, count: int, where: str) -> Floats:
        words = self.take(count, where)
        try:
            return floats(np.array(words, dtype=np.float64))
        except ValueError as error:
            self.source.fail(f"{where}: {error}")
