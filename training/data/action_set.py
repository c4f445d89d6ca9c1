"""Recordings of one or more people each, in a few arrays that may lie on disk: what action data sets become.

`SequenceSet` is of single people, in memory; here nothing is copied when a part is chosen, so that a hundred thousand
recordings cost no more than their labels.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from model.errors import InvalidDataSet
from model.layout import Layout
from model.sequence import SkeletonSequence, Units
from training.data.arrays import LABELS, Frames, SequenceSet, Strings

Integers = NDArray[np.int64]

COLUMNS = ("starts", "lengths", "people", "class_labels")


@dataclass(frozen=True, eq=False)
class ActionSet:
    """Recordings of one layout.

    frames: (rows, joints, dims + 1), float16 or float32, memory-mapped or not; the last channel is confidence in
    [0, 1], and coordinates of confidence 0 mean nothing. starts, lengths, people: (n,); recording i is
    `frames[starts[i]:][:people[i] * lengths[i]]`, person after person, each of `lengths[i]` frames.
    subject, condition, view, sequence (the recording's own name), action, part: (n,) strings; "" where unknown.
    class_labels: (n,) numbers from 0 as the source counts its classes; -1 where unknown.
    fps_each: (n,) where frame rates differ. sizes: (n, 2) width and height of the image, where pixels are of several
    sizes; 0 where unknown.

    Raises `InvalidDataSet` for arrays that do not fit together; the values are checked where they are written.
    """

    frames: Frames
    starts: Integers
    lengths: Integers
    people: Integers
    class_labels: Integers
    subject: Strings
    condition: Strings
    view: Strings
    sequence_name: Strings
    action: Strings
    part: Strings
    layout: Layout
    fps: float
    units: Units
    aspect: float | None = None
    fps_each: NDArray[np.float64] | None = None
    sizes: Integers | None = None
    name: str = "recordings"

    def __post_init__(self) -> None:
        if self.frames.ndim != 3 or self.frames.shape[1:] not in ((self.layout.count, 3), (self.layout.count, 4)):
            self._refuse(f"frames must be (rows, {self.layout.count}, 3 or 4), got {self.frames.shape}")
        if self.frames.dtype not in (np.float32, np.float16):
            self._refuse(f"frames must be float16 or float32, got {self.frames.dtype}")
        count = len(self.starts)
        for label in COLUMNS:
            if getattr(self, label).shape != (count,):
                self._refuse(f"{label}: {count} numbers are needed, got {getattr(self, label).shape}")
        for label in LABELS:
            if self.labels(label).shape != (count,):
                self._refuse(f"{label}: {count} labels are needed, got {self.labels(label).shape}")
        if self.fps_each is not None and self.fps_each.shape != (count,):
            self._refuse(f"fps_each: {count} values are needed, got {self.fps_each.shape}")
        if self.sizes is not None and self.sizes.shape != (count, 2):
            self._refuse(f"sizes: {count} pairs are needed, got {self.sizes.shape}")
        ends = self.starts + self.lengths * self.people
        empty = (self.lengths <= 0) | (self.people <= 0) | (self.starts < 0) | (ends > len(self.frames))
        if empty.any():
            self._refuse(f"recording {int(np.argmax(empty))} has no frames, or more than there are")

    def _refuse(self, reason: str) -> None:
        raise InvalidDataSet(self.name, reason)

    @classmethod
    def of_sequences(cls, data: SequenceSet) -> Self:
        """Single people, as recordings of one person each; classes are numbered in the order of their names."""
        names = np.unique(data.action[data.action != ""])
        classes = np.where(data.action == "", -1, np.searchsorted(names, data.action)).astype(np.int64)
        labels: dict[str, Any] = {field_of(label): data.labels(label) for label in LABELS}
        return cls(
            data.frames, data.offsets[:-1], data.lengths, np.ones(len(data), np.int64), classes, layout=data.layout,
            fps=data.fps, units=data.units, aspect=data.aspect, fps_each=data.fps_each, name=data.name, **labels,
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def dims(self) -> int:
        return int(self.frames.shape[2]) - 1

    def labels(self, label: str) -> Strings:
        """The label array of that name (one of `LABELS`)."""
        value: Strings = getattr(self, field_of(label))
        return value

    def fps_of(self, i: int) -> float:
        return self.fps if self.fps_each is None else float(self.fps_each[i])

    def clip_frames(self, i: int) -> Frames:
        """Recording i, (people, T, joints, dims + 1); a view, nothing is copied."""
        people, length, start = int(self.people[i]), int(self.lengths[i]), int(self.starts[i])
        rows = self.frames[start : start + people * length]
        return rows.reshape(people, length, *rows.shape[1:])

    def sequence(self, i: int, person: int = 0) -> SkeletonSequence:
        """One person of recording i; raises `InvalidSequence` where the values are not a skeleton's."""
        frames = self.clip_frames(i)[person].astype(np.float32)
        return SkeletonSequence(frames[..., :-1], frames[..., -1], self.layout, self.fps_of(i), self.units, self.aspect)

    def select(self, which: ArrayLike) -> Self:
        """The recordings of a boolean mask (n,), or of indices, in that order; the frames stay where they are."""
        mask = np.asarray(which)
        assert mask.dtype != bool or len(mask) == len(self), "a mask has one value for each recording"
        index = np.flatnonzero(mask) if mask.dtype == bool else mask.astype(np.int64)
        taken: dict[str, Any] = {field_of(label): self.labels(label)[index] for label in LABELS}
        taken |= {key: getattr(self, key)[index] for key in COLUMNS}
        taken["fps_each"] = None if self.fps_each is None else self.fps_each[index]
        taken["sizes"] = None if self.sizes is None else self.sizes[index]
        return replace(self, **taken)

    def first_people(self) -> SequenceSet:
        """The first person of each recording, in memory: for whatever takes one person at a time."""
        offsets = np.concatenate([[0], np.cumsum(self.lengths)]).astype(np.int64)
        frames = np.empty((int(offsets[-1]), *self.frames.shape[1:]), dtype=self.frames.dtype)
        for i in range(len(self)):
            frames[offsets[i] : offsets[i + 1]] = self.clip_frames(i)[0]
        labels: Mapping[str, Any] = {label: self.labels(label) for label in LABELS}
        return SequenceSet.of(
            frames, offsets, self.layout, self.fps, units=self.units, aspect=self.aspect, fps_each=self.fps_each,
            name=self.name, **labels,
        )  # fmt: skip


def field_of(label: str) -> str:
    """The attribute that holds a label: the set's own name is `name`, and `sequence` is a method."""
    return "sequence_name" if label == "sequence" else label
