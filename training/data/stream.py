"""What a loader gives while it goes through its source once: recordings, what it leaves out, and splits."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from model.errors import InvalidDataSet
from model.sequence import COORDINATE_LIMIT
from training.data.arrays import LABELS, Frames

Progress: TypeAlias = Callable[[int], object]
"""Called with the bytes of the source that were read since the last call."""


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """One recording. people: (people, T, joints, dims + 1), float16 or float32; labels: some of `LABELS`.

    class_label: the source's number for the action, from 0; -1 where there is none. size: width and height of the
    image; zeros where unknown.
    """

    name: str
    people: Frames
    labels: Mapping[str, str] = field(default_factory=dict)
    class_label: int = -1
    fps: float | None = None
    size: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        assert set(self.labels) <= set(LABELS), f"labels are {LABELS}"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A recording that is not taken. reason: one of few words, so that they can be counted."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class SplitOf:
    """A split that the source brings along: the names of its recordings, or the values of their label `by`."""

    name: str
    members: tuple[str, ...]
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Noted:
    """Something about the source that is worth a line of the report; those of the same text are counted together."""

    text: str
    times: int = 1


Item: TypeAlias = Taken | LeftOut | SplitOf | Noted
Items: TypeAlias = Iterator[Item]


def checked(path: str, where: str, frames: Frames) -> Frames:
    """Frames (..., dims + 1) that are a recording's: finite, not absurd, confidence in [0, 1]; raises `InvalidDataSet`.

    `where` is the place in the file, for the message.
    """
    if not np.isfinite(frames).all():
        raise InvalidDataSet(path, f"{where}: coordinates must be finite (no NaN, no infinity)")
    if (np.abs(frames[..., :-1].astype(np.float32)) >= COORDINATE_LIMIT).any():
        raise InvalidDataSet(path, f"{where}: coordinates must be below {COORDINATE_LIMIT:g}")
    confidence = frames[..., -1]
    if confidence.size and (confidence.min() < 0 or confidence.max() > 1):
        raise InvalidDataSet(path, f"{where}: confidence must lie in [0, 1]")
    return frames


def with_confidence(joints: Frames) -> Frames:
    """Joints (..., dims) of a source without confidence: 1, and 0 for joints that are all zeros."""
    seen = (joints != 0).any(axis=-1, keepdims=True)
    out: Frames = np.concatenate([joints, seen.astype(joints.dtype)], axis=-1)
    return out
