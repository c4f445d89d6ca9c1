"""Acclaim skeleton files (ASF): bones with direction, length, axis and degrees of freedom, and who hangs on whom.

Sections begin with a colon: `:units` (length, angle deg or rad), `:root` (order, axis, position, orientation),
`:bonedata` (begin ... end for each bone) and `:hierarchy` (a parent and its children on each line).
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from model.errors import LimitExceeded
from model.readers.kinematics import Doubles, rotation
from model.readers.source import Source

MOST_BONES = 256
CHANNELS = ("tx", "ty", "tz", "rx", "ry", "rz")


@dataclass(frozen=True, slots=True, eq=False)
class Bone:
    """span: from its near to its far end at rest, file units. axis: (3, 3) its own frame. channels: what moves it."""

    name: str
    parent: int
    span: Doubles
    axis: Doubles
    channels: tuple[str, ...]

    def turn(self, values: Doubles) -> Doubles:
        """Rotation (frames, 3, 3) in the skeleton's frame, from channel values (frames, channels) in degrees.

        The first channel turns first: M = Rz Ry Rx for rx ry rz; then C M C⁻¹ with the bone's own axes C.
        """
        own = np.repeat(np.eye(3)[None], len(values), axis=0)
        for i, channel in enumerate(self.channels):
            if channel[0] == "r":
                own = rotation(channel[1], values[:, i]) @ own
        turned: Doubles = self.axis @ own @ self.axis.T
        return turned

    def shift(self, values: Doubles) -> Doubles:
        """Translation (frames, 3), file units."""
        moved = np.zeros((len(values), 3))
        for i, channel in enumerate(self.channels):
            if channel[0] == "t":
                moved[:, "xyz".index(channel[1])] = values[:, i]
        return moved


@dataclass(frozen=True, slots=True)
class Skeleton:
    """Bones, parents before children, the root first (its own parent)."""

    bones: tuple[Bone, ...]
    length: float
    degrees: bool


def parse_asf(source: Source) -> Skeleton:
    """Raises `UnreadableFile` naming the bone that is wrong."""
    sections = _sections(source)
    units = {line[0].lower(): line[1] for line in sections.get("units", ()) if len(line) > 1}
    degrees = not units.get("angle", "deg").lower().startswith("rad")
    length = _numbers(source, [units.get("length", "1.0")], "units")[0]
    if not 1e-4 < length < 1e4:
        source.fail(f"units: length {length:g} is not from 0.0001 to 10 000")
    blocks = _blocks(source, sections.get("bonedata", ()))
    blocks["root"] = {line[0].lower(): line[1:] for line in sections.get("root", ())}
    if len(blocks) > MOST_BONES:
        raise LimitExceeded(f"bones of {source.name}", MOST_BONES, len(blocks))
    parents = _parents(source, sections.get("hierarchy", ()), set(blocks))
    place = {name: i for i, name in enumerate(parents)}
    bones = tuple(_bone(source, name, place[parent], blocks[name], degrees) for name, parent in parents.items())
    return Skeleton(bones, length, degrees)


def _sections(source: Source) -> dict[str, list[list[str]]]:
    sections: dict[str, list[list[str]]] = {}
    current: list[list[str]] = []
    for line in source.text().splitlines():
        words = line.partition("#")[0].split()
        if words and words[0].startswith(":"):
            current = sections.setdefault(words[0][1:].lower(), [])
        elif words:
            current.append(words)
    if "bonedata" not in sections or "hierarchy" not in sections:
        source.fail("has no :bonedata or no :hierarchy, so that it is no skeleton")
    return sections


def _blocks(source: Source, lines: Sequence[Sequence[str]]) -> dict[str, dict[str, Sequence[str]]]:
    """The lines between begin and end, by the bone's name."""
    found: dict[str, dict[str, Sequence[str]]] = {}
    block: dict[str, Sequence[str]] = {}
    for line in lines:
        match line[0].lower():
            case "begin":
                block = {}
            case "end":
                name = next(iter(block.get("name", ())), "")
                if not name or name in found or name == "root":
                    source.fail(f"bonedata: a bone has no name of its own ({name[:20]!r})")
                found[name] = block
            case key:
                block.setdefault(key, line[1:])
    return found


def _parents(source: Source, lines: Sequence[Sequence[str]], bones: set[str]) -> dict[str, str]:
    """Parent of each bone that hangs on the root, parents before children."""
    children: dict[str, list[str]] = {}
    for line in lines:
        if line[0] not in ("begin", "end"):
            children.setdefault(line[0], []).extend(line[1:])
    named = {*children, *(child for several in children.values() for child in several)}
    if unknown := sorted(named - bones):
        source.fail(f"hierarchy: bone {unknown[0][:20]!r} is not in :bonedata")
    parents = {"root": "root"}
    waiting = deque(["root"])
    while waiting:
        parent = waiting.popleft()
        for child in children.get(parent, ()):
            if child in parents:
                source.fail(f"hierarchy: bone {child!r} hangs on two bones")
            parents[child] = parent
            waiting.append(child)
    return parents


def _bone(source: Source, name: str, parent: int, block: Mapping[str, Sequence[str]], degrees: bool) -> Bone:
    root = name == "root"
    axis_words = [*block.get("orientation", ("0", "0", "0")), "XYZ"] if root else block.get("axis", ())
    angles = np.array(_numbers(source, axis_words[:3], name, 3))
    order = (axis_words[3] if len(axis_words) > 3 else "XYZ").lower()
    if sorted(order) != ["x", "y", "z"]:
        source.fail(f"bone {name}: axis order {order[:10]!r}")
    channels = tuple(word.lower() for word in block.get("order" if root else "dof", ()))
    if unknown := next((channel for channel in channels if channel not in CHANNELS), None):
        source.fail(f"bone {name}: unknown degree of freedom {unknown[:10]!r}")
    span = np.zeros(3)
    if not root:
        direction = np.array(_numbers(source, block.get("direction", ()), name, 3))
        span = direction * _numbers(source, block.get("length", ()), name, 1)[0]
    angles = angles if degrees else np.rad2deg(angles)
    frame = np.eye(3)
    for letter, angle in zip(order, angles, strict=True):
        frame = rotation(letter, np.array(angle)) @ frame
    return Bone(name, parent, span, frame, channels)


def _numbers(source: Source, words: Sequence[str], name: str, count: int = 1) -> list[float]:
    try:
        numbers = [float(word) for word in words[:count]]
    except ValueError as error:
        source.fail(f"{name}: {error}")
    if len(numbers) < count or not all(abs(number) < 1e6 for number in numbers):
        source.fail(f"{name}: {' '.join(words)[:40]!r} is not {count} numbers")
    return numbers
