"""One pass over a source: its recordings into arrays, or only counted, and the report."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from model.errors import InvalidDataSet
from training.data.action_set import COLUMNS, ActionSet, Integers, field_of
from training.data.arrays import LABELS, Frames
from training.data.kind import Kind
from training.data.report import LeftOutCounter, Report, counts_of
from training.data.stream import Item, LeftOut, Noted, Progress, SplitOf, Taken, checked

TWICE = "another recording has the same name"
NOBODY = "recordings of nobody: confidence 0 throughout"


@dataclass(frozen=True, eq=False)
class Loaded:
    """A data set, its splits as indices into it, and what was found and left out."""

    data: ActionSet
    splits: Mapping[str, Integers]
    report: Report

    def split(self, name: str) -> ActionSet:
        """The recordings of a split; raises `InvalidDataSet` with the splits there are."""
        if name not in self.splits:
            known = ", ".join(self.splits) or "none"
            raise InvalidDataSet(self.data.name, f"has no split {name!r}; there are: {known}")
        return self.data.select(self.splits[name])


class Collector:
    """Takes items one by one. into: a file that receives the frames as .npy; None where they are only counted."""

    def __init__(self, kind: Kind, path: Path, into: BinaryIO | None = None) -> None:
        self._kind, self._path, self._into = kind, path, into
        self._numbers: list[tuple[int, int, int, int]] = []
        self._labels: dict[str, list[str]] = {label: [] for label in LABELS}
        self._fps: list[float] = []
        self._sizes: list[tuple[int, int]] = []
        self._names: dict[str, int] = {}
        self._splits: dict[str, SplitOf] = {}
        self._left_out = LeftOutCounter()
        self._notes: Counter[str] = Counter()
        self._rows = 0
        self._dtype: np.dtype[Any] | None = None

    def run(self, progress: Progress | None = None) -> None:
        """The whole source; raises `InvalidDataSet` at the first thing that is not what the format says.

        A source of which nothing can be taken is a set without recordings where frames are only counted, and refused
        where they are kept.
        """
        item = None
        for item in self._kind.items(self._path, progress):
            self.add(item)
        if item is None or (self._into and not self._numbers):
            raise InvalidDataSet(str(self._path), f"holds no recording of {self._kind.title}")

    def add(self, item: Item) -> None:
        match item:
            case Taken():
                self._take(item)
            case LeftOut():
                self._left_out.add(item.name, item.reason)
            case SplitOf():
                self._splits[item.name] = item
            case Noted():
                self._notes[item.text] += item.times

    def _take(self, item: Taken) -> None:
        if item.name in self._names:
            self._left_out.add(item.name, TWICE)
            return
        frames = checked(str(self._path), item.name, item.people)
        people, length, *shape = frames.shape
        if shape != [self._kind.layout.count, self._kind.dims + 1] or not people * length:
            raise InvalidDataSet(
                str(self._path), f"{item.name}: frames have shape {frames.shape}, which is not {self._kind.layout.name}"
            )
        self._write(item.name, frames)
        if not frames[..., -1].any():
            self._notes[NOBODY] += 1
        self._names[item.name] = len(self._numbers)
        self._numbers.append((self._rows, length, people, item.class_label))
        for label in LABELS:
            self._labels[label].append(item.labels.get(label, item.name if label == "sequence" else ""))
        self._fps.append(item.fps or self._kind.fps)
        self._sizes.append(item.size)
        self._rows += people * length

    def _write(self, name: str, frames: Frames) -> None:
        if self._dtype is None:
            self._dtype = frames.dtype
            if self._into:
                _write_header(self._into, self._dtype, (0, *frames.shape[2:]))
        if frames.dtype != self._dtype:  # the first recording decides
            with np.errstate(over="ignore"):
                frames = checked(str(self._path), f"{name}, as {self._dtype}", frames.astype(self._dtype))
        if self._into:
            self._into.write(np.ascontiguousarray(frames).data)

    def close_frames(self) -> None:
        """The header again, with the number of rows that there are now."""
        if self._into and self._dtype is not None:
            self._into.seek(0)
            _write_header(self._into, self._dtype, self._shape())

    def _shape(self) -> tuple[int, int, int]:
        return (self._rows, self._kind.layout.count, self._kind.dims + 1)

    def result(self) -> Loaded:
        """What was taken, counting right, though its frames are zeros: the true ones are in the file, if anywhere."""
        frames = np.broadcast_to(np.zeros((1, 1, 1), self._dtype or np.float32), self._shape())
        kind, fps = self._kind, np.array(self._fps)
        sizes = np.array(self._sizes, dtype=np.int64).reshape(-1, 2)
        numbers = np.array(self._numbers, dtype=np.int64).reshape(-1, len(COLUMNS)).T.copy()
        columns: dict[str, Any] = dict(zip(COLUMNS, numbers, strict=True))
        columns |= {field_of(label): np.array(values, dtype=np.str_) for label, values in self._labels.items()}
        data = ActionSet(
            frames, layout=kind.layout, fps=kind.fps, units=kind.units, aspect=kind.aspect,
            fps_each=fps if (fps != kind.fps).any() else None, sizes=sizes if sizes.any() else None,
            name=str(self._path), **columns,
        )  # fmt: skip
        splits, problems = self._all_splits(data)
        if len(data) and self._notes[NOBODY] == len(data):
            problems.append("nobody is seen in any recording: confidence is 0 throughout")
        return Loaded(data, splits, self._report(data, splits, problems))

    def _all_splits(self, data: ActionSet) -> tuple[dict[str, Integers], list[str]]:
        """Splits by the official rule, and those that came along; where both are, the source's, and any difference."""
        ruled = {name: np.flatnonzero(mask) for name, mask in self._kind.splits(data).items()}
        splits, problems = dict(ruled), []
        for name, split in self._splits.items():
            splits[name], absent = self._members(data, split)
            if absent:
                what = "recordings" if split.by is None else f"values of {split.by}"
                problems.append(f"split {name} names {absent:,} {what} that are not there")
            if name in ruled and (other := len(np.setxor1d(ruled[name], splits[name]))):
                problems.append(f"split {name} differs from the official rule in {other:,} recordings")
        return splits, problems

    def _members(self, data: ActionSet, split: SplitOf) -> tuple[Integers, int]:
        """Recordings of a split that came along, and how many of its members are not there."""
        wanted = set(split.members)
        if split.by is not None:
            labels = data.labels(split.by)
            return np.flatnonzero(np.isin(labels, list(wanted))), len(wanted - set(labels.tolist()))
        places = [self._names[member] for member in wanted if member in self._names]
        return np.sort(np.array(places, dtype=np.int64)), len(wanted) - len(places)

    def _report(self, data: ActionSet, splits: Mapping[str, NDArray[np.int64]], problems: list[str]) -> Report:
        notes = [f"{text}: {times:,}" for text, times in self._notes.items()]
        return Report(
            kind=self._kind.name, title=self._kind.title, source=str(self._path),
            counts=counts_of(data) | dict(self._kind.counts(data)),
            splits={name: len(members) for name, members in splits.items()}, left_out=self._left_out.result(),
            expected=self._kind.expected, notes=(*self._kind.notes, *notes), problems=tuple(problems),
        )  # fmt: skip


def _write_header(file: BinaryIO, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    # numpy pads the header so that a first axis which grows still fits.
    npy.write_array_header_1_0(file, {"descr": npy.dtype_to_descr(dtype), "fortran_order": False, "shape": shape})
