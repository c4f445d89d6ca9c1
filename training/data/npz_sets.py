"""The recordings of `training.data.recordings` as data sets with a name: what each should hold, and its splits.

Exact copies of an earlier recording are left out. In NW-UCLA some recordings of different views share frames, so that
a cross-view test would test on what was trained on: such training recordings have the part "leaks" and are in no split.
"""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.errors import InvalidDataSet
from model.layout import Layout
from model.named_layouts import CMU_20, HDM05_27, KARD_15, KINECT_20, MEDIAPIPE_33, UCALGARY_18
from model.sequence import Units
from training.data.action_set import ActionSet
from training.data.arrays import SequenceSet, load_npz, read_arrays
from training.data.kind import Kind, Mask, no_splits
from training.data.recordings import CBKINGS_ASPECT, load_recordings
from training.data.sequences import from_sequences
from training.data.stream import Items, LeftOut, Noted, Progress, Taken

COPY = "an exact copy of another recording"
LEAKS = "leaks"
TEST_VIEW = "v03"
"""NW-UCLA trains on the first two views and tests on the third (Wang et al., CVPR 2014)."""


def files(path: Path) -> tuple[Path, ...]:
    return (path,)


def items(path: Path, progress: Progress | None = None, *, cross_view: bool = False) -> Items:
    """Sequences of one person each, without copies."""
    data = load_recordings(path)
    if progress:
        progress(path.stat().st_size)
    shared = shared_frames(data)
    copies = {j for (i, j), n in shared.items() if n == data.lengths[i] == data.lengths[j]}
    others = {pair: n for pair, n in shared.items() if not copies & set(pair)}
    leaking = _leaking(data, others) if cross_view else set()
    for i, item in enumerate(from_sequences(data, _names(path, len(data)))):
        assert isinstance(item, Taken)
        if i in copies:
            yield LeftOut(item.name, COPY)
        elif i in leaking:
            yield Taken(item.name, item.people, {**item.labels, "part": LEAKS}, item.class_label, item.fps)
        else:
            yield item
    if others:
        yield Noted("pairs of recordings share frames", len(others))


def _names(path: Path, count: int) -> list[str]:
    """The source's own names, or numbers where it has none or uses one twice."""
    names = read_arrays(path, only=("sequence",)).get("sequence", np.array([])).astype(np.str_).tolist()
    return names if len(set(names)) == count else [f"{i:05d}" for i in range(count)]


def shared_frames(data: SequenceSet) -> dict[tuple[int, int], int]:
    """Pairs of sequences (i < j) that have frames in common, and how many; frames without any joint do not count."""
    frames = np.ascontiguousarray(data.frames).reshape(len(data.frames), -1)
    whole = frames.view(np.dtype((np.void, frames.shape[1] * frames.itemsize))).ravel()
    _, inverse, counts = np.unique(whole, return_inverse=True, return_counts=True)
    seen = (data.frames[..., -1] > 0).any(axis=1)
    owner = np.repeat(np.arange(len(data)), data.lengths)
    again = np.flatnonzero((counts[inverse] > 1) & seen)
    again = again[np.argsort(inverse[again], kind="stable")]
    out: dict[tuple[int, int], int] = {}
    for group in np.split(owner[again], np.flatnonzero(np.diff(inverse[again])) + 1):
        members = np.unique(group).tolist()
        for place, i in enumerate(members):
            for j in members[place + 1 :]:
                out[i, j] = out.get((i, j), 0) + 1
    return out


def _leaking(data: SequenceSet, shared: Mapping[tuple[int, int], int]) -> set[int]:
    """Sequences of training views that share frames with one of the test view."""
    tested = data.view == TEST_VIEW
    return {a for i, j in shared for a, b in ((i, j), (j, i)) if tested[b] and not tested[a]}


def odd_even(data: ActionSet) -> dict[str, Mask]:
    """Odd subjects train, even ones test (Chen et al., ICIP 2015; Li et al., CVPRW 2010; and for KARD, ours)."""
    odd = np.isin(data.subject, [f"{number:03d}" for number in range(1, 100, 2)])
    return {"xsub_train": odd, "xsub_test": ~odd}


def hdm05_splits(data: ActionSet) -> dict[str, Mask]:
    """The folders of its source: actors bd, bk, dg train, mm and tr test."""
    train = np.isin(data.subject, ("001", "002", "003"))
    return {"xsub_train": train, "xsub_test": ~train}


def ucla_splits(data: ActionSet) -> dict[str, Mask]:
    test = data.view == TEST_VIEW
    return {"xview_train": ~test & (data.part != LEAKS), "xview_test": test}


def ucla_counts(data: ActionSet) -> dict[str, int]:
    return {"leaking into the test": int((data.part == LEAKS).sum())}


def cbkings_splits(data: ActionSet) -> dict[str, Mask]:
    return {name: data.part == name for name in ("gallery_set", "probe_set")}


def ucalgary_splits(data: ActionSet) -> dict[str, Mask]:
    return {name: data.condition == name for name in ("normal", "abnormal_left", "abnormal_right")}


def _kind(
    name: str,
    title: str,
    layout: Layout,
    expected: Mapping[str, int],
    splits: Callable[[ActionSet], Mapping[str, Mask]] = no_splits,
    fps: float = 30.0,
) -> Kind:
    return Kind(name, title, layout, fps, Units.METRES, files, items, splits=splits, expected=expected, version=2)


def _counts(recordings: int, subjects: int, classes: int, **more: int) -> dict[str, int]:
    return {"recordings": recordings, "subjects": subjects, "classes": classes, **more}


def _halves(split: str, train: int, test: int) -> dict[str, int]:
    return {f"{split}_train": train, f"{split}_test": test}


KINDS = (
    _kind("utd-mhad", "UTD-MHAD", KINECT_20, _counts(861, 8, 27) | _halves("xsub", 431, 430), odd_even),
    Kind(
        "nw-ucla", "NW-UCLA, without copies", KINECT_20, 30.0, Units.METRES, files, partial(items, cross_view=True),
        splits=ucla_splits, counts=ucla_counts, expected=_counts(1388, 10, 10, views=3) | _halves("xview", 1019, 369),
        version=2,
    ),
    _kind("msr-action3d", "MSR-Action3D", KINECT_20, _counts(566, 10, 20) | _halves("xsub", 291, 275), odd_even, 15.0),
    _kind("kard", "KARD", KARD_15, _counts(540, 10, 18) | _halves("xsub", 270, 270), odd_even),
    _kind("hdm05", "HDM05, 11 actions", HDM05_27, _counts(287, 5, 11) | _halves("xsub", 188, 99), hdm05_splits),
    _kind("ucalgary", "UCalgary gait, Kinect v2", UCALGARY_18, {"recordings": 164, "subjects": 27}, ucalgary_splits),
    Kind(
        "cbkings34", "cbkings34 gait, MediaPipe", MEDIAPIPE_33, 25.0, Units.NORMALISED, files, items, dims=2,
        splits=cbkings_splits, expected={"recordings": 789, "subjects": 34, "views": 4}, aspect=CBKINGS_ASPECT,
    ),
    _kind("cmu-mocap", "CMU motion capture", CMU_20, {"recordings": 191, "subjects": 24}),
)  # fmt: skip
"""Expected are the counts of the files we know, which are without their sources' empty and doubled recordings."""

_BY_SIGN = {KARD_15: "kard", HDM05_27: "hdm05", UCALGARY_18: "ucalgary", MEDIAPIPE_33: "cbkings34", CMU_20: "cmu-mocap"}
_SIGNS: tuple[tuple[str, str], ...] = (
    ("utd-mhad", "arm curl"), ("nw-ucla", "doffing"), ("msr-action3d", "golf swing"),
)  # fmt: skip
"""An action that only this one of the sets with 20 Kinect joints has."""


def recognised(path: Path) -> Kind:
    """The kind of an npz, by its joints and actions; raises `InvalidDataSet` for an unknown one."""
    if "format" in read_arrays(path, only=("format",)):
        return own_kind(load_npz(path))
    data = load_recordings(path)
    actions = set(np.unique(data.action).tolist())
    name = _BY_SIGN.get(data.layout) or next((name for name, sign in _SIGNS if sign in actions), None)
    if name is None:
        raise InvalidDataSet(str(path), f"its {len(actions)} actions in layout {data.layout.name} are of no known set")
    return next(kind for kind in KINDS if kind.name == name)


def own_items(path: Path, progress: Progress | None = None) -> Items:
    data = load_npz(path)
    if progress:
        progress(path.stat().st_size)
    yield from from_sequences(data, [f"{i:06d}" for i in range(len(data))])


def own_kind(data: SequenceSet) -> Kind:
    """A set of ours (`SequenceSet.save_npz`), of which nothing is expected; its parts are its splits."""
    return Kind(
        "sequences", "sequences in gaitkeeper's own format", data.layout, data.fps, data.units, files, own_items,
        dims=data.dims, splits=_parts, aspect=data.aspect,
    )  # fmt: skip


def _parts(data: ActionSet) -> dict[str, Mask]:
    parts: NDArray[np.str_] = np.unique(data.part[data.part != ""])
    return {str(part): data.part == part for part in parts}
