"""Acclaim motion capture: an AMC moves a skeleton (ASF) and is nothing without it.

The ASF is looked for beside the AMC: same name, then the part of the name before `_` (CMU: 07_01.amc, 07.asf), then
the only ASF of the folder. An ASF, or a folder that holds both, is read with each AMC as a track. A joint is the far
end of its bone. Joints become CMU-20, or HDM05-27 where that is hinted at. The unit follows from the ASF's `length`
(0.45: 0.056444 m). There is no frame rate: CMU and HDM05 record 120 a second.
"""

from collections import defaultdict
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from model.errors import LimitExceeded, UnreadableFile
from model.limits import FILE_BYTES, FILE_FRAMES, FILE_TRACKS
from model.named_layouts import CMU_20, HDM05_27
from model.readers.asf import Skeleton, parse_asf
from model.readers.assemble import dense
from model.readers.joint_names import CMU_FROM_ENDS, ENDS_OF_BONES
from model.readers.kinematics import (
    TOLERANCE,
    UNITS_M,
    Doubles,
    check_places,
    leg_length,
    metres_a_unit,
    sequence_of,
)
from model.readers.recording import Hints, Recording, Track
from model.readers.source import Source, open_source

FORMAT = "asf-amc"
FPS = 120.0


def matches(text: str) -> bool:
    """An ASF or an AMC: comments, then a keyword that begins with a colon."""
    first = next((line for line in text.splitlines()[:50] if line.strip() and not line.startswith("#")), "")
    return first.strip().lower().startswith((":version", ":name", ":units", ":fully-specified", ":degrees", ":radians"))


def is_folder(path: Path) -> bool:
    return any(path.glob("*.amc"))


def read(source: Source, hints: Hints) -> Recording:
    """An AMC with its ASF beside it, or an ASF with its AMCs. Raises `UnreadableFile` where one is missing."""
    if source.path is None:
        source.fail("motion and skeleton are two files; `gaitkeeper convert` makes one of them, which can be sent")
    if ":bonedata" in source.text().lower():
        files = [file for file in _motions(source.path.parent) if _skeleton_of(file) == source.path]
        if not files:
            source.fail("is a skeleton without motion: there is no AMC beside it")
        return _recording(files, source.name, hints)
    return _recording([source.path], source.name, hints)


def read_folder(path: Path, hints: Hints) -> Recording:
    """Every AMC of a folder, each a track."""
    return _recording(_motions(path), str(path), hints)


def _motions(path: Path) -> list[Path]:
    return sorted(file for file in path.iterdir() if file.suffix.lower() == ".amc")


def _skeleton_of(amc: Path) -> Path | None:
    beside = {file.stem.lower(): file for file in sorted(amc.parent.iterdir()) if file.suffix.lower() == ".asf"}
    for name in (amc.stem, amc.stem.partition("_")[0]):
        if name.lower() in beside:
            return beside[name.lower()]
    return next(iter(beside.values())) if len(beside) == 1 else None


def _recording(files: list[Path], name: str, hints: Hints) -> Recording:
    if len(files) > FILE_TRACKS:
        raise LimitExceeded(f"files in {name}", FILE_TRACKS, len(files))
    left, frames, tracks, notes = FILE_BYTES, 0, [], dict[str, None]()
    for file in files:
        skeleton = _skeleton_of(file)
        if skeleton is None:
            raise UnreadableFile(str(file), "an AMC needs its ASF beside it, and there is none of its name")
        source = open_source(file, left)
        left -= len(source.data)
        track, said = _track(source, parse_asf(open_source(skeleton)), hints)
        frames += track.sequence.frames
        if frames > FILE_FRAMES:
            raise LimitExceeded(f"frames of all tracks of {name}", FILE_FRAMES, frames)
        tracks.append(replace(track, name=file.stem, labels=MappingProxyType({"skeleton": skeleton.name})))
        notes |= dict.fromkeys(said)
    return Recording(FORMAT, tuple(tracks), tuple(notes), name)


def _track(source: Source, skeleton: Skeleton, hints: Hints) -> tuple[Track, tuple[str, ...]]:
    numbers, values = _motion(source, skeleton)
    check_places(len(numbers), len(skeleton.bones), source.name)
    ends = _ends(skeleton, values)
    layout = HDM05_27 if hints.layout == HDM05_27.name else CMU_20
    names = ENDS_OF_BONES if layout is HDM05_27 else CMU_FROM_ENDS
    found = {names[bone]: places for bone, places in ends.items() if bone in names}
    leg = leg_length(found)
    if leg == 0:
        source.fail(f"its bones ({', '.join(list(ends)[:5])}, ...) have names I do not know")
    metres = UNITS_M["inches"] / skeleton.length
    guess, said = metres_a_unit(leg)
    fps, notes = hints.rate(None, FPS)
    if not 1 / TOLERANCE <= metres / guess <= TOLERANCE:  # the ASF says something that gives no person
        metres, notes = guess, (*notes, said)
    sequence = sequence_of(found, layout, fps, metres, source.name)
    full = dense(numbers, np.concatenate([sequence.joints, sequence.confidence[..., None]], axis=-1), source.name)
    sequence = replace(sequence, joints=full[..., :-1], confidence=full[..., -1])
    return Track("1", sequence, int(numbers[0])), notes


def _motion(source: Source, skeleton: Skeleton) -> tuple[NDArray[np.int64], dict[str, Doubles]]:
    """Frame numbers, and channel values (frames, channels) of each bone; angles in degrees."""
    numbers: list[int] = []
    rows: defaultdict[str, list[list[str]]] = defaultdict(list)
    channels = {bone.name: len(bone.channels) for bone in skeleton.bones}
    degrees = skeleton.degrees
    for line in source.text().splitlines():
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0].startswith(":"):
            degrees = {":degrees": True, ":radians": False}.get(words[0].lower(), degrees)
        elif len(words) == 1 and words[0].isdecimal() and words[0].isascii():
            _count(source, numbers, words[0])
        elif not numbers or channels.get(words[0]) != len(words) - 1:
            where = f"frame {numbers[-1]}" if numbers else "its beginning"
            source.fail(f"{where}: {line.strip()[:40]!r} does not fit the skeleton")
        else:
            rows[words[0]].append(words[1:])
    if not numbers or len(rows["root"]) != len(numbers):
        source.fail("holds no frames, or some without a root")
    for bone, found in rows.items():
        if len(found) != len(numbers):
            source.fail(f"bone {bone} moves in {len(found)} of {len(numbers)} frames")
    return np.array(numbers, dtype=np.int64), {
        bone.name: _values(source, bone.name, rows[bone.name], bone.channels, degrees)
        if bone.name in rows
        else np.zeros((len(numbers), len(bone.channels)))
        for bone in skeleton.bones
    }


def _count(source: Source, numbers: list[int], word: str) -> None:
    number = int(word[:18])
    if numbers and number <= numbers[-1]:
        source.fail(f"frame {number} comes after frame {numbers[-1]}")
    numbers.append(number)
    if number - numbers[0] >= FILE_FRAMES:
        raise LimitExceeded(f"frames of {source.name}", FILE_FRAMES, number - numbers[0] + 1)


def _values(source: Source, bone: str, rows: list[list[str]], channels: tuple[str, ...], degrees: bool) -> Doubles:
    try:
        values = np.array(rows, dtype=np.float64).reshape(len(rows), len(channels))
    except ValueError as error:
        source.fail(f"bone {bone}: {error}")
    if not (np.abs(values) < 1e6).all():
        source.fail(f"bone {bone}: values must be finite and below 1e6")
    if not degrees:
        turning = [i for i, channel in enumerate(channels) if channel[0] == "r"]
        values[:, turning] = np.rad2deg(values[:, turning])
    return values


def _ends(skeleton: Skeleton, values: dict[str, Doubles]) -> dict[str, Doubles]:
    """The far end of each bone, (frames, 3), in the file's units: a bone's own turn carries its own end."""
    facing: list[Doubles] = []
    ends: list[Doubles] = []
    for i, bone in enumerate(skeleton.bones):
        turn, shift = bone.turn(values[bone.name]), bone.shift(values[bone.name])
        if bone.parent == i:
            facing.append(turn)
            ends.append(shift)
        else:
            facing.append(facing[bone.parent] @ turn)
            ends.append(ends[bone.parent] + facing[i] @ bone.span)
    return {bone.name: places for bone, places in zip(skeleton.bones, ends, strict=True)}
