"""CASIA-B as GaitGraph publishes it: two CSV files of COCO-17 keypoints, one row a frame.

Header `image_name,<joint>_x,<joint>_y,<joint>_conf` x17; image_name is `.../<sss>-<cc>-<nn>-<vvv>/<frame>.jpg`:
subject, condition nm | bg | cl, run, view in degrees. The simulated walkers are written in the same form.
"""

import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from model.errors import InvalidDataSet
from model.named_layouts import COCO_17
from model.sequence import COORDINATE_LIMIT, Floats
from training.data.arrays import SequenceSet, concatenate, load_npz

TRAIN_FILE = "casia-b_pose_train_valid.csv"
TEST_FILE = "casia-b_pose_test.csv"
WALKERS_FILE = "walkers.npz"
PEOPLE_FILE = "people.csv"  # who the walkers are; no poses
FPS = 25.0
LONGEST_GAP = 25
"""Frames where nobody was found, between frames where somebody was, are kept without confidence up to this many."""

_COLUMNS = ["image_name", *(f"{joint}_{axis}" for joint in COCO_17.joints for axis in ("x", "y", "conf"))]
_SEQUENCE = re.compile(r"\d{3,6}-(?:nm|bg|cl)-\d{2}-\d{3}")
_BLOCK = 20_000

Progress: TypeAlias = Callable[[int], object]
"""Called with the bytes read since the last call."""


class Split(StrEnum):
    """Subjects 1-74 train, 75 and above test (LT 74/50)."""

    TRAIN = "train"
    TEST = "test"
    ALL = "all"


def load(source: Path, split: Split = Split.ALL, *, progress: Progress | None = None) -> SequenceSet:
    """CASIA-B, or walkers in its form, from a directory or from one file (CSV or npz).

    A directory holds `walkers.npz` (preferred, as it loads faster) or the two CSV files. Raises `InvalidDataSet`.
    """
    files = _files(source, split)
    parts = [load_npz(file) if file.suffix == ".npz" else read_csv(file, progress=progress) for file in files]
    whole = parts[0] if len(parts) == 1 else concatenate(parts, name=str(source))
    if whole.layout != COCO_17:
        raise InvalidDataSet(str(source), f"is in layout {whole.layout.name}, not {COCO_17.name}")
    if split is Split.ALL:
        return whole
    chosen = whole.select((_numbers(whole, source) >= 75) == (split is Split.TEST))
    if not len(chosen):
        which = f"the {split.value} split (train 1-74, test 75-124); `--people all` takes everybody"
        raise InvalidDataSet(str(source), f"has no subjects of {which}")
    return chosen


def _files(source: Path, split: Split) -> list[Path]:
    if source.is_file():
        return [source]
    if (source / WALKERS_FILE).is_file():
        return [source / WALKERS_FILE]
    if not source.exists():
        raise InvalidDataSet(str(source), "there is no such file or directory")
    wanted = {Split.TRAIN: [TRAIN_FILE], Split.TEST: [TEST_FILE], Split.ALL: [TRAIN_FILE, TEST_FILE]}[split]
    if not source.is_dir() or not all((source / name).is_file() for name in wanted):
        raise InvalidDataSet(str(source), f"holds neither {WALKERS_FILE} nor {' and '.join(wanted)}")
    return [source / name for name in wanted]


def _numbers(data: SequenceSet, source: Path) -> NDArray[np.int64]:
    try:
        return data.subject.astype(np.int64)
    except ValueError as error:
        raise InvalidDataSet(str(source), "subjects are not CASIA-B's numbers") from error


def read_csv(path: Path, *, progress: Progress | None = None) -> SequenceSet:
    """The sequences of one GaitGraph CSV, frames in time order, subjects in the order of the file.

    Raises `InvalidDataSet` with the number of the line that is not as it should be.
    """
    keypoints, sequence, frame = [], [], []
    places: dict[str, int] = {}
    for line, rows in _blocks(path, progress):
        cells = [row.partition(",") for row in rows]
        names, values = [name for name, _, _ in cells], [rest for _, _, rest in cells]
        block = _parse_values(path, line, rows, values)
        for number, name in enumerate(names, start=line):
            folder, _, file = name.rpartition("/")
            key = folder.rpartition("/")[2]
            stem = file.partition(".")[0]
            if (key not in places and not _SEQUENCE.fullmatch(key)) or not (stem.isascii() and stem.isdigit()):
                raise InvalidDataSet(
                    str(path), f"line {number}: {name[:80]!r} is not <sss>-<cc>-<nn>-<vvv>/<frame>.jpg"
                )
            sequence.append(places.setdefault(key, len(places)))
            frame.append(int(stem[:12]))
        keypoints.append(block)
    if not keypoints:
        raise InvalidDataSet(str(path), "has a header and no rows")
    return _assemble(path, np.concatenate(keypoints), np.array(sequence), np.array(frame), list(places))


def _blocks(path: Path, progress: Progress | None) -> Iterator[tuple[int, list[str]]]:
    """(number of the first line, lines) of the file, after its header."""
    try:
        with path.open(encoding="utf-8") as file:
            header = file.readline(10_000).rstrip("\r\n")
            if header.split(",") != _COLUMNS:
                raise InvalidDataSet(str(path), f"line 1: the header is not {','.join(_COLUMNS[:4])},... of COCO-17")
            number = 2
            while rows := list(islice(file, _BLOCK)):
                if not rows[-1].strip():
                    rows.pop()
                if not rows:
                    return
                yield number, rows
                number += len(rows)
                if progress:
                    progress(sum(map(len, rows)))
    except FileNotFoundError:
        raise InvalidDataSet(str(path), "there is no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidDataSet(str(path), f"cannot be read ({error})") from error


def _parse_values(path: Path, line: int, rows: list[str], values: list[str]) -> Floats:
    """Keypoints (rows, 17, 3); on any fault the block is gone through line by line to name the first bad one."""
    width = len(_COLUMNS) - 1
    if not values[0].strip():  # numpy warns when all are empty
        values = ["?"]
    try:
        block = np.loadtxt(values, delimiter=",", dtype=np.float32, comments=None, ndmin=2)
        if block.shape == (len(rows), width) and _sound(block):
            return block.reshape(-1, COCO_17.count, 3)
    except ValueError:
        pass
    for number, row in enumerate(rows, start=line):
        cells = row.rstrip("\r\n").split(",")[1:]
        if len(cells) != width:
            raise InvalidDataSet(str(path), f"line {number}: {width + 1} columns are needed, got {len(cells) + 1}")
        try:
            sound = _sound(np.array([cells], dtype=np.float32))
        except ValueError:
            sound = False
        if not sound:
            raise InvalidDataSet(str(path), f"line {number}: keypoints must be finite numbers, confidence in [0, 1]")
    raise InvalidDataSet(str(path), f"lines {line}-{line + len(rows) - 1} are not rows of keypoints")


def _sound(block: Floats) -> bool:
    confidence = block[:, 2::3]
    small = bool((np.abs(block) < COORDINATE_LIMIT).all())  # False for NaN and infinities too
    return small and confidence.min() >= 0 and confidence.max() <= 1.0


def _assemble(
    path: Path, keypoints: Floats, sequence: NDArray[np.int64], frame: NDArray[np.int64], names: list[str]
) -> SequenceSet:
    """Rows in any order to sequences in time order, with short gaps as frames of confidence 0."""
    order = np.lexsort((frame, sequence))
    sequence, frame = sequence[order], frame[order]
    step = np.diff(frame, prepend=frame[0])
    begins = np.diff(sequence, prepend=-1) != 0
    if (step[~begins] == 0).any():
        at = int(np.flatnonzero(~begins & (step == 0))[0])
        raise InvalidDataSet(str(path), f"frame {frame[at]} of {names[sequence[at]]} is there twice")
    place = np.cumsum(np.where(begins, 1, np.minimum(step, LONGEST_GAP + 1))) - 1
    frames = np.zeros((int(place[-1]) + 1, COCO_17.count, 3), dtype=np.float32)
    frames[place] = keypoints[order]
    frames[..., :2][frames[..., 2] == 0] = 0
    offsets = np.append(place[begins], len(frames))
    subject, condition, run, view = np.array([name.split("-") for name in names]).T
    label = np.char.add(np.char.add(condition, "-"), run)
    return SequenceSet.of(
        frames, offsets, COCO_17, FPS,
        subject=subject, condition=condition, view=view, sequence=label,
        action=np.full(len(names), "walk"), name=str(path),
    )  # fmt: skip
