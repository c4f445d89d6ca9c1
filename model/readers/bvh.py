"""BVH: a hierarchy of joints with offsets and channels, and a line of channel values a frame.

HIERARCHY, ROOT / JOINT / End Site { OFFSET x y z, CHANNELS n names }, then MOTION, `Frames: n`, `Frame Time: s`, and
n lines. Rotations apply in the order of the channels; positions of the root add to its offset, those of other joints
replace it. Joints of the usual naming schemes (CMU and MotionBuilder: LeftUpLeg; Biovision: LeftHip, LeftKnee; Poser:
lThigh, lShin; Acclaim: lfemur) become CMU-20. A BVH does not say its unit: it is guessed from the length of the legs,
and z up is turned to y up.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np

from model.errors import LimitExceeded
from model.limits import FILE_FRAMES
from model.named_layouts import CMU_20
from model.readers.kinematics import (
    Doubles,
    check_places,
    leg_length,
    metres_a_unit,
    place,
    rotation,
    sequence_of,
    upright,
)
from model.readers.recording import Hints, Recording, Track
from model.readers.source import Source

FORMAT = "bvh"
MOST_JOINTS = 512
CHUNK = 4096
_CHANNEL = re.compile(r"([XYZ])(position|rotation)$", re.IGNORECASE)

NAMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "mid_hip": ("hips", "hip", "root", "pelvis"),
        "spine": ("spine", "abdomen", "chest", "lowerback"),
        "chest": ("spine1", "chest2", "chest", "upperback", "spine2"),
        "mid_shoulder": ("neck", "thorax"),
        "neck": ("head", "upperneck"),
        "head": ("head/end", "headend", "headtop_end", "head_end"),
        **{
            f"{side}_{joint}": tuple(name.format(side, side[0]) for name in names)
            for side in ("left", "right")
            for joint, names in {
                "hip": ("{0}upleg", "{0}thigh", "{1}thigh", "{0}hip", "{1}femur", "{0}upperleg"),
                "knee": ("{0}leg", "{0}shin", "{1}shin", "{0}knee", "{0}lowleg", "{1}tibia", "{0}lowerleg", "{0}calf"),
                "ankle": ("{0}foot", "{0}ankle", "{1}foot"),
                "foot": ("{0}toebase", "{0}toe", "{1}toes", "{0}toes", "{0}foot/end", "{0}ankle/end", "{1}foot/end"),
                "shoulder": ("{0}arm", "{0}uparm", "{0}upperarm", "{1}shldr", "{1}humerus", "{0}shoulder"),
                "elbow": ("{0}forearm", "{0}lowarm", "{0}lowerarm", "{1}forearm", "{0}elbow", "{1}radius"),
                "wrist": ("{0}hand", "{0}wrist", "{1}hand", "{1}wrist"),
            }.items()
        },
    }
)
"""A joint of CMU-20 by the names it has elsewhere, lower case, best first; "head/end" is the end site below head."""


@dataclass(slots=True)
class _Joint:
    name: str
    parent: int
    offset: tuple[float, ...] = (0.0, 0.0, 0.0)
    channels: list[str] = field(default_factory=list)


def matches(text: str) -> bool:
    return text.lstrip()[:9].upper() == "HIERARCHY"


def read(source: Source, hints: Hints) -> Recording:
    """Raises `UnreadableFile` naming the joint or the frame that is wrong."""
    head, found, motion = source.text().partition("MOTION")
    if not found:
        source.fail("has no MOTION")
    joints = _hierarchy(source, head)
    values, fps = _motion(source, motion, sum(len(joint.channels) for joint in joints))
    check_places(len(values), len(joints), source.name)
    parts = [_places(joints, values[start : start + CHUNK]) for start in range(0, len(values), CHUNK)]
    places = np.concatenate(parts)
    named, turned = _named(source, joints, places)
    scale, guess = metres_a_unit(leg_length(named))
    rate, notes = hints.rate(fps)
    sequence = sequence_of(named, CMU_20, rate, scale, source.name)
    return Recording(FORMAT, (Track("1", sequence),), (*notes, guess, *turned), source.name)


def _hierarchy(source: Source, text: str) -> list[_Joint]:
    joints: list[_Joint] = []
    open_: list[int] = []
    words = iter(text.split())
    for word in words:
        match word.upper():
            case "ROOT" | "JOINT":
                joints.append(_Joint(_next(source, words), open_[-1] if open_ else len(joints)))
            case "END":
                if not open_:
                    source.fail("an End Site stands outside the hierarchy")
                _next(source, words)
                joints.append(_Joint(f"{joints[open_[-1]].name}/end", open_[-1]))
            case "{":
                open_.append(len(joints) - 1)
            case "}":
                if not open_:
                    source.fail("has a } too many in its hierarchy")
                open_.pop()
            case "OFFSET" if joints:
                joints[-1].offset = tuple(_number(source, words, joints[-1].name) for _ in range(3))
            case "CHANNELS" if joints:
                joints[-1].channels = _channels(source, words, joints[-1].name)
            case "HIERARCHY":
                pass
            case _:
                source.fail(f"{word[:20]!r} is not expected in its hierarchy")
        if len(joints) > MOST_JOINTS:
            raise LimitExceeded(f"joints of {source.name}", MOST_JOINTS, len(joints))
    if open_ or not joints:
        source.fail("its hierarchy ends early")
    return joints


def _next(source: Source, words: Iterator[str]) -> str:
    word = next(words, None)
    if word is None:
        source.fail("its hierarchy ends early")
    return word


def _number(source: Source, words: Iterator[str], name: str) -> float:
    word = _next(source, words)
    try:
        value = float(word)
    except ValueError:
        source.fail(f"joint {name}: {word[:20]!r} is no number")
    if not abs(value) < 1e9:
        source.fail(f"joint {name}: {word[:20]!r} is out of range")
    return value


def _channels(source: Source, words: Iterator[str], name: str) -> list[str]:
    count = _next(source, words)
    if count not in ("0", "1", "2", "3", "4", "5", "6"):
        source.fail(f"joint {name}: {count[:20]!r} channels")
    channels = [_next(source, words) for _ in range(int(count))]
    if unknown := next((channel for channel in channels if not _CHANNEL.match(channel)), None):
        source.fail(f"joint {name}: unknown channel {unknown[:20]!r}")
    return [channel.lower() for channel in channels]


def _motion(source: Source, text: str, channels: int) -> tuple[Doubles, float]:
    """Channel values (frames, channels) and frames a second."""
    head = re.match(r"\s*Frames:\s*(\d{1,9})\s+Frame Time:\s*([\d.eE+-]+)[^\S\n]*\n?", text, re.IGNORECASE | re.ASCII)
    if not head:
        source.fail("MOTION must begin with `Frames:` and `Frame Time:`")
    frames, seconds = int(head[1]), _seconds(source, head[2])
    if frames > FILE_FRAMES:
        raise LimitExceeded(f"frames of {source.name}", FILE_FRAMES, frames)
    words = text[head.end() :].split()
    if frames == 0 or channels == 0 or len(words) != frames * channels:
        expected = f"{frames} frames of {channels} channels"
        source.fail(f"MOTION has {len(words)} values where {expected} are expected")
    try:
        values = np.array(words, dtype=np.float64).reshape(frames, channels)
    except ValueError as error:
        source.fail(f"MOTION: {error}")
    if not (np.abs(values) < 1e9).all():
        source.fail(f"MOTION: frame {int(np.argmin((np.abs(values) < 1e9).all(axis=1)))} is not finite")
    return values, round(1 / seconds, 3)


def _seconds(source: Source, word: str) -> float:
    try:
        seconds = float(word)
    except ValueError:
        seconds = 0.0
    if not 0.001 <= seconds <= 10:
        source.fail(f"Frame Time {word[:20]!r} is not from 0.001 to 10 s")
    return seconds


def _places(joints: Sequence[_Joint], values: Doubles) -> Doubles:
    """Where each joint is, (frames, joints, 3)."""
    frames = len(values)
    offsets = np.repeat(np.array([joint.offset for joint in joints])[None], frames, axis=0)
    turns = np.repeat(np.eye(3)[None], frames * len(joints), axis=0).reshape(frames, len(joints), 3, 3)
    column = 0
    for i, joint in enumerate(joints):
        moved = np.zeros((frames, 3))
        for channel in joint.channels:
            if channel.endswith("position"):
                moved[:, "xyz".index(channel[0])] = values[:, column]
            else:
                turns[:, i] = turns[:, i] @ rotation(channel[0], values[:, column])
            column += 1
        if joint.parent == i:
            offsets[:, i] += moved
        elif any(channel.endswith("position") for channel in joint.channels):
            offsets[:, i] = moved
    return place([joint.parent for joint in joints], offsets, turns)[0]


def _plain(name: str) -> str:
    """A joint's name without its program's prefix and punctuation."""
    return re.sub(r"[_\s.-](?!end)", "", name.rpartition(":")[2]).lower()


def _named(source: Source, joints: Sequence[_Joint], places: Doubles) -> tuple[dict[str, Doubles], tuple[str, ...]]:
    by_name: dict[str, Doubles] = {}
    for i, joint in enumerate(joints):
        by_name.setdefault(_plain(joint.name), places[:, i])
    found: dict[str, Doubles] = {}
    used: set[str] = set()
    for ours, names in NAMES.items():
        name = next((name for name in names if name in by_name and name not in used), None)
        if name is not None:
            used.add(name)
            found[ours] = by_name[name]
    if "head" not in found and "neck" in found:  # no end site: the head joint is all there is of the head
        found["head"] = found.pop("neck")
    lacking = [joint for joint in ("head", "left_ankle", "right_ankle", "left_hip", "left_knee") if joint not in found]
    if lacking or leg_length(found) == 0:
        source.fail(f"its joints ({', '.join(list(by_name)[:5])}, ...) have names I do not know")
    turned, note = upright(found)
    return turned, (note,) if note else ()
