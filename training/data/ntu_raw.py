"""NTU RGB+D as its makers distribute it: a folder of `.skeleton` files, one a recording.

Text: number of frames; for each frame the number of bodies; for each body a line of ten values that begins with its
id, the number of joints (25), and for each joint a line of twelve, x y z first and the tracking state last. States 2
(tracked), 1 (inferred) and 0 become confidence 1, 0.5 and 0; coordinates are kept for all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.errors import InvalidDataSet
from model.limits import FILE_FRAMES
from model.named_layouts import NTU_25
from model.readers.ntu import BODY_VALUES, CONFIDENCE, JOINT_VALUES, STATE
from model.sequence import Floats
from training.data.action_set import Integers

MOST_BODIES = 100


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """What the sensor took for one body. frames: (k,) rising numbers of the frames it is in; joints: (k, 25, 4)."""

    name: str
    frames: Integers
    joints: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Skeletons:
    """All bodies of a file, in the order they appear. twins: bodies that had the id of another in the same frame."""

    frames: int
    bodies: tuple[Body, ...]
    twins: int


def read_skeletons(path: Path) -> Skeletons:
    """The bodies of one `.skeleton` file; raises `InvalidDataSet` with the number of the line that is wrong."""
    try:
        lines = path.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError as error:
        raise InvalidDataSet(str(path), f"cannot be read ({error.strerror})") from error
    walk = _Walk(path, lines)
    count = walk.whole("number of frames", FILE_FRAMES)
    for frame in range(count):
        for _ in range(walk.whole(f"frame {frame}: number of bodies", MOST_BODIES)):
            walk.body(frame)
    if walk.at < len(lines) and any(line.strip() for line in lines[walk.at :]):
        walk.fail("there is more after the last frame", walk.at)
    return Skeletons(count, walk.bodies(), walk.twins)


class _Walk:
    """The lines of the file, taken from front to back; joints are turned into numbers together at the end."""

    def __init__(self, path: Path, lines: Sequence[str]) -> None:
        self._path, self._lines = path, lines
        self.at = self.twins = 0
        self._places: dict[str, list[tuple[int, int]]] = {}
        self._joints: list[str] = []
        self._numbers: list[int] = []

    def fail(self, reason: str, at: int) -> InvalidDataSet:
        raise InvalidDataSet(str(self._path), f"line {at + 1}: {reason}")

    def _line(self, what: str) -> str:
        if self.at >= len(self._lines):
            self.fail(f"the file ends where the {what} should be", self.at)
        self.at += 1
        return self._lines[self.at - 1]

    def whole(self, what: str, limit: int) -> int:
        word = self._line(what).strip()
        if not (word.isascii() and word.isdigit()) or len(word) > 9 or int(word) > limit:
            self.fail(f"{word[:20]!r} is no {what}, a whole number up to {limit}", self.at - 1)
        return int(word)

    def body(self, frame: int) -> None:
        values = self._line("body").split()
        if len(values) != BODY_VALUES:
            self.fail(f"{len(values)} values of a body where {BODY_VALUES} are expected", self.at - 1)
        if self.whole("number of joints", 1000) != NTU_25.count:
            self.fail(f"{NTU_25.count} joints are expected", self.at - 1)
        end = self.at + NTU_25.count
        if end > len(self._lines):
            self.fail("the file ends within a body", len(self._lines))
        places = self._places.setdefault(values[0], [])
        if places and places[-1][0] == frame:
            self.twins += 1
        else:
            places.append((frame, len(self._numbers)))
            self._numbers.append(self.at)
            self._joints += self._lines[self.at : end]
        self.at = end

    def bodies(self) -> tuple[Body, ...]:
        if not self._joints:
            return ()
        values = self._values().reshape(-1, NTU_25.count, 4)
        found = []
        for name, places in self._places.items():
            frames, rows = np.array(places, dtype=np.int64).T
            found.append(Body(name, frames, values[rows]))
        return tuple(found)

    def _values(self) -> Floats:
        """x, y, z and confidence of all joints, (rows, 4)."""
        try:
            values = np.loadtxt(self._joints, dtype=np.float64, usecols=(0, 1, 2, STATE), comments=None, ndmin=2)
        except (ValueError, IndexError):
            self._find_bad_line()
            raise InvalidDataSet(str(self._path), "holds joints that are not numbers") from None
        states = values[:, 3]
        bad = ~np.isin(states, (0, 1, 2)) | ~np.isfinite(values).all(axis=1)
        if len(values) != len(self._joints) or bad.any():
            at = int(np.argmax(bad))
            self.fail(
                "a joint needs finite x, y, z and a tracking state of 0, 1 or 2",
                self._numbers[at // NTU_25.count] + at % NTU_25.count,
            )
        values[:, 3] = CONFIDENCE[states.astype(np.intp)]
        return values.astype(np.float32)

    def _find_bad_line(self) -> None:
        for i, line in enumerate(self._joints):
            at = self._numbers[i // NTU_25.count] + i % NTU_25.count
            words = line.split()
            if len(words) != JOINT_VALUES:
                self.fail(f"{len(words)} values of a joint where {JOINT_VALUES} are expected", at)
            try:
                np.array([words[j] for j in (0, 1, 2, STATE)], dtype=np.float64)
            except ValueError:
                self.fail("x, y, z and tracking state of a joint must be numbers", at)
