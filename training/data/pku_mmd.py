"""PKU-MMD, phase 1 (Liu et al., 2017): actions cut out of long videos, Kinect v2, 51 classes, three views.

Raw: a skeleton file a video, `XXXX-V.txt` or `.skeleton`, one line a frame, 150 numbers = 2 bodies x 25 joints x
x, y, z, zeros where there is nobody; a label file of the same name in another folder, a line an action,
`label,start,end,confidence` with labels from 1; `cross-subject.txt` and `cross-view.txt`, whose second line names the
videos that train and whose fourth those that validate. Frames [start, end) are cut out. Or a pickle in pyskl's schema.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType

import numpy as np

from model.errors import InvalidDataSet
from model.named_layouts import NTU_25
from model.readers.source import printable
from model.sequence import Floats, Units
from training.data import pyskl
from training.data.action_set import ActionSet
from training.data.kind import Kind, Mask
from training.data.stream import Items, LeftOut, Noted, Progress, SplitOf, Taken, with_confidence

CLASSES, FPS, PEOPLE = 51, 30.0, 2
VIDEO = re.compile(r"(\d{4})-([LMR])", re.ASCII)
CLIP = re.compile(r"(\d{4})-([LMR])(?:[-_.].*)?", re.ASCII)
SPLIT_FILES: Mapping[str, str] = MappingProxyType({"cross-subject.txt": "xsub", "cross-view.txt": "xview"})
EXPECTED: Mapping[str, int] = MappingProxyType(
    {"recordings": 21_545, "classes": 51, "views": 3}
    | {"xsub_train": 18_841, "xsub_val": 2_704, "xview_train": 14_357, "xview_val": 7_188}
)
NOTE = "counts of the splits are those that papers give; its makers give only the total"
_SUFFIXES = (".txt", ".skeleton", ".label")
_NUMBERS = PEOPLE * NTU_25.count * 3


def files(path: Path) -> Sequence[Path]:
    """Skeletons, labels and splits below a directory, by path."""
    return sorted(
        file
        for file in path.rglob("*")
        if file.suffix in _SUFFIXES and (VIDEO.fullmatch(file.stem) or file.name in SPLIT_FILES)
    )


def items(path: Path, progress: Progress | None = None) -> Items:
    """Actions, video by video; raises `InvalidDataSet` naming file and line of what is not as the format says."""
    skeletons, labels, splits = _sorted_files(path)
    for video, file in skeletons.items():
        if progress:
            progress(file.stat().st_size)
        if video in labels:
            yield from _actions(video, _frames(file), labels[video])
        else:
            yield LeftOut(video, "video without labels")
    yield from (LeftOut(video, "labels without a video") for video in labels if video not in skeletons)
    for file in splits:
        yield from _video_splits(file, skeletons.keys() & labels.keys())


def _sorted_files(path: Path) -> tuple[dict[str, Path], dict[str, Path], list[Path]]:
    """Skeleton files and label files by video, told apart by their first line, and the files of the splits."""
    skeletons: dict[str, Path] = {}
    labels: dict[str, Path] = {}
    splits = []
    for file in files(path):
        if file.name in SPLIT_FILES:
            splits.append(file)
            continue
        kind = labels if file.suffix == ".label" or is_label_file(file) else skeletons
        if file.stem in kind:
            raise InvalidDataSet(str(file), f"video {file.stem} is there twice; the other is {kind[file.stem]}")
        kind[file.stem] = file
    return skeletons, labels, splits


def is_label_file(file: Path) -> bool:
    """Whether the first line holds four numbers between commas, and not a skeleton's."""
    with file.open(encoding="ascii", errors="replace") as opened:
        return opened.readline(200).count(",") == 3


def _frames(file: Path) -> Floats:
    """(2, T, 25, 4) of a video."""
    lines = file.read_text(encoding="ascii", errors="replace").splitlines()
    try:
        values = np.loadtxt(lines, dtype=np.float32, comments=None, ndmin=2)
        if values.shape == (len(lines), _NUMBERS) and np.isfinite(values).all():
            joints = values.reshape(-1, PEOPLE, NTU_25.count, 3).transpose(1, 0, 2, 3)
            return np.asarray(with_confidence(joints), dtype=np.float32)
    except ValueError:
        pass
    for number, line in enumerate(lines, 1):
        words = line.split()
        if len(words) != _NUMBERS:
            raise InvalidDataSet(str(file), f"line {number}: {len(words)} numbers where {_NUMBERS} are expected")
        try:
            sound = bool(np.isfinite(np.array(words, dtype=np.float32)).all())
        except ValueError:
            sound = False
        if not sound:
            raise InvalidDataSet(str(file), f"line {number}: coordinates must be finite numbers")
    raise InvalidDataSet(str(file), "line 1: has no frames")


def _labels(file: Path) -> Iterator[tuple[int, int, int]]:
    """(label, start, end) of each line; how sure its makers were is not used, as they advise."""
    for number, line in enumerate(file.read_text(encoding="ascii", errors="replace").splitlines(), 1):
        if not line.strip():
            continue
        words = [word.strip() for word in line.split(",")]
        if len(words) != 4 or not all(word.isdigit() and len(word) < 10 for word in words):
            raise InvalidDataSet(
                str(file), f"line {number}: {printable(line[:40])!r} is not label,start,end,confidence"
            )
        label, start, end = map(int, words[:3])
        if not 1 <= label <= CLASSES:
            raise InvalidDataSet(str(file), f"line {number}: label {label} is none of 1 to {CLASSES}")
        yield label, start, end


def _actions(video: str, frames: Floats, labels: Path) -> Items:
    view = video[-1]
    for label, start, end in _labels(labels):
        name = f"{video}_{start:05d}_{end:05d}_A{label:02d}"
        if start >= end:
            yield LeftOut(name, "it ends before it begins")
            continue
        if end > frames.shape[1]:
            yield Noted("actions that go on beyond their video's end are cut there")
        cut = frames[:, start:end]
        there = (cut[..., 3] > 0).any(axis=(1, 2))
        if not there.any():
            yield LeftOut(name, "nobody is in it")
            continue
        about = {"view": view, "condition": video, "action": f"{label - 1:03d}"}
        yield Taken(name, cut[there], about, label - 1)


def _video_splits(file: Path, known: set[str]) -> Items:
    """Videos of a split; a recording's video is its condition."""
    lines = file.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    if len(lines) < 4:
        raise InvalidDataSet(str(file), "line 4: the names of the videos that validate are expected there")
    for line, half in ((1, "train"), (3, "val")):
        videos = [name.strip() for name in lines[line].split(",") if name.strip()]
        if bad := next((name for name in videos if not VIDEO.fullmatch(name)), None):
            raise InvalidDataSet(str(file), f"line {line + 1}: {printable(bad[:40])!r} is no video, as 0001-L")
        if absent := len(set(videos) - known):
            yield Noted(f"{file.name} names videos that are not there", absent)
        yield SplitOf(
            f"{SPLIT_FILES[file.name]}_{half}", tuple(name for name in videos if name in known), by="condition"
        )


def labels_of(name: str) -> dict[str, str]:
    """Labels by the name of a pickle's clip; none where it does not begin with its video.

    >>> labels_of("0002-L_00012_00100")["view"]
    'L'
    """
    parts = CLIP.fullmatch(name)
    return {"view": parts[2], "condition": f"{parts[1]}-{parts[2]}"} if parts else {}


def splits(data: ActionSet) -> dict[str, Mask]:
    """X-View: the left view is tested on. X-Sub goes by lists of videos, which come with the data."""
    known = bool((data.view != "").all())
    return {"xview_train": data.view != "L", "xview_val": data.view == "L"} if known else {}


def pickle_items(path: Path, progress: Progress | None = None) -> Items:
    for item in pyskl.read(path, CLASSES, labels_of, joints=NTU_25.count, progress=progress):
        yield pyskl.with_class_name(item)


_kind = partial(Kind, layout=NTU_25, fps=FPS, units=Units.METRES, splits=splits, expected=EXPECTED, notes=(NOTE,))
KINDS = (
    _kind("pku-mmd-raw", "PKU-MMD phase 1, skeleton and label files", files=files, items=items),
    _kind("pku-mmd-pickle", "PKU-MMD phase 1, pickle in pyskl's schema", files=pyskl.one_file, items=pickle_items),
)
