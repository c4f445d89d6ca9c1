"""Kinetics-Skeleton (Kinetics-400) as pyskl distributes it: an index pickle, and the keypoints in files beside it.

The index is in pyskl's schema without `keypoint`: an annotation has `raw_file`, the file of its keypoints;
`frame_inds` (skeletons,), the frame of each skeleton; `box_score` (skeletons,) and `valid`. A keypoint file is
{frame_dir: {"keypoint": (skeletons, 17, 3)}}, x, y and score. Skeletons of a frame stand in the detector's order; they
are no tracks, and the first two of each frame are taken, as published.

The published code drops frames without a skeleton, so that time jumps there; here they stay, without confidence, and
whoever wants the published clips leaves such frames out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.errors import InvalidDataSet
from model.named_layouts import COCO_17
from model.readers.pickle_arrays import Array
from model.sequence import Units
from training.data import pyskl
from training.data.arrays import Frames
from training.data.kind import Kind
from training.data.pickled import entries
from training.data.stream import Items, LeftOut, Noted, Progress, SplitOf

CLASSES = 400
FPS = 30.0
MOST_IN_A_FRAME = 10
"""Where some frame has more people than this, those of each frame are taken in the order of their scores."""
MOST_FRAMES = 100_000


def index_file(path: Path) -> Path:
    """The index: `path` itself, or the only pickle of the directory that is no keypoint file."""
    return pyskl.one_file(path)[0]


def files(path: Path) -> Sequence[Path]:
    index = index_file(path)
    return (index, *sorted(file for file in index.parent.rglob("*.pkl") if file != index))


def items(path: Path, progress: Progress | None = None) -> Items:
    """Recordings, one keypoint file after the other; raises `InvalidDataSet` naming file and place."""
    index = index_file(path)
    waiting: dict[Path, dict[str, pyskl.Annotation]] = {}
    for found in pyskl.annotations(index, CLASSES, progress=progress):
        if isinstance(found, SplitOf):
            yield found
        else:
            needed = {
                key: found.fields[key] for key in ("frame_inds", "total_frames", "img_shape") if key in found.fields
            }
            waiting.setdefault(_keypoint_file(index, found), {})[found.name] = replace(found, fields=needed)
    for file, asked in waiting.items():
        if not file.is_file():
            yield from (LeftOut(name, "its keypoint file is not there") for name in asked)
            continue
        for name, keypoint in _keypoints(file, progress):
            if name in asked:
                yield from _taken(asked.pop(name), file, keypoint)
        yield from (LeftOut(name, "its keypoint file does not hold it") for name in asked)


def _keypoint_file(index: Path, found: pyskl.Annotation) -> Path:
    """Where the annotation's keypoints are: `raw_file` below the index, by as many of its last parts as are there.

    The index says where its makers had the file, so that an absolute path, too, is looked for below the index only.
    """
    raw = found.fields.get("raw_file")
    if not isinstance(raw, str) or not raw:
        raise found.fail("has neither keypoint nor raw_file")
    parts = [part for part in PurePosixPath(raw).parts if part not in ("/", "..")]
    candidates = [index.parent.joinpath(*parts[-n:]) for n in range(len(parts), 0, -1)]
    candidates.append(index.parent / "kpfiles" / parts[-1] if parts else index)
    return next((file for file in candidates if file.is_file()), candidates[-1])


def _keypoints(file: Path, progress: Progress | None) -> Iterator[tuple[str, NDArray[Any]]]:
    for name, value in entries(file, progress=progress):
        keypoint = value.get("keypoint") if isinstance(value, Mapping) else None
        if name is None or not isinstance(keypoint, Array) or keypoint.values.dtype.kind not in "fiu":
            raise InvalidDataSet(str(file), f"{str(name)[:60]!r}: holds no keypoint, an array of numbers")
        yield name, keypoint.values


def _taken(found: pyskl.Annotation, file: Path, keypoint: NDArray[Any]) -> Items:
    if keypoint.ndim != 3 or keypoint.shape[1:] != (COCO_17.count, 3):
        raise InvalidDataSet(str(file), f"{found.name}: keypoint has shape {keypoint.shape}, not (skeletons, 17, 3)")
    frame, total = found.array("frame_inds").astype(np.int64), found.number("total_frames")
    if frame.shape != keypoint.shape[:1]:
        raise found.fail(f"frame_inds has shape {frame.shape}, and there are {len(keypoint)} skeletons")
    if not 0 < total <= MOST_FRAMES or (len(frame) and not 0 <= frame.min() <= frame.max() < total):
        raise found.fail(f"frame_inds must lie within the {total} frames, of at most {MOST_FRAMES}")
    if not len(frame):
        yield LeftOut(found.name, "nobody is in it")
        return
    empty = total - len(np.unique(frame))
    if empty:
        yield Noted("frames without a skeleton are kept as missing", empty)
    people = decompressed(frame, keypoint, total)
    label = {"action": f"{found.label:03d}"}
    yield from pyskl.people_of(found, people, label)


def decompressed(frame: NDArray[np.int64], keypoint: NDArray[Any], total: int) -> Frames:
    """Skeletons (n, 17, 3) in frames (n,) to (people, total, 17, 3), the first `pyskl.MOST_PEOPLE` of each frame.

    >>> one, two = np.full((1, 17, 3), 0.25, np.float16), np.full((1, 17, 3), 0.5, np.float16)
    >>> decompressed(np.array([0, 2, 2]), np.concatenate([one, one, two]), 3)[:, :, 0, 2].tolist()
    [[0.25, 0.0, 0.25], [0.0, 0.0, 0.5]]
    """
    order = np.argsort(frame, kind="stable")
    if np.bincount(frame).max() > MOST_IN_A_FRAME:
        order = np.lexsort((-keypoint[..., 2].astype(np.float32).sum(axis=1), frame))
    frame, keypoint = frame[order], keypoint[order]
    place = np.arange(len(frame)) - np.searchsorted(frame, frame)
    kept = place < pyskl.MOST_PEOPLE
    out = np.zeros((pyskl.MOST_PEOPLE, total, COCO_17.count, 3), dtype=np.float16)
    out[place[kept], frame[kept]] = keypoint[kept]
    out[..., 2] = np.clip(out[..., 2], 0, 1)
    return out


KINDS = (
    Kind(
        "kinetics-pickle",
        "Kinetics-Skeleton, pyskl's index and HRNet keypoint files",
        COCO_17,
        FPS,
        Units.PIXELS,
        files=files,
        items=items,
        dims=2,
        expected={"classes": CLASSES},
        notes=("no official count of its clips is known",),
    ),
)
