"""The sequences of a run as arrays to cut clips from: one layout, one frame rate, all in memory."""

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from model.clips import ClipSpec, resample
from model.errors import InvalidDataSet
from model.layout import Layout
from model.prepare import prepare
from model.sequence import Floats, Units
from training.data.arrays import SequenceSet

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Pool:
    """frames: (total, joints, dims + 1) at the clip's frame rate; starts, lengths, labels: (n,).

    kept: (n,) index of each in the set it came from; sequences too short for a clip are left out.
    """

    frames: Floats
    starts: Integers
    lengths: Integers
    labels: Integers
    kept: Integers
    clip: ClipSpec

    @classmethod
    def of(cls, data: SequenceSet, labels: Integers, layout: Layout, clip: ClipSpec) -> Self:
        """Prepared exactly as serving prepares; raises `InvalidDataSet` if no sequence is long enough."""
        frames, lengths = _as_is(data) if _fits(data, layout, clip) else _prepared(data, layout, clip)
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        kept = np.flatnonzero(lengths >= clip.minimum)
        if len(kept) == 0:
            raise InvalidDataSet(data.name, f"no sequence has {clip.minimum} frames at {clip.fps:g} fps")
        return cls(frames, starts[kept], lengths[kept], labels[kept], kept, clip)

    def __len__(self) -> int:
        return len(self.starts)

    def cut(self, which: Integers, first: NDArray[np.float64], speed: NDArray[np.float64]) -> Floats:
        """Clips (n, T, joints, dims + 1) of sequences `which` (n,) from frame `first` (n,), `speed` frames a step.

        Walks back from either end where the sequence is too short, as serving pads.
        """
        last = (self.lengths[which] - 1)[:, None].astype(np.float64)
        at = (first[:, None] + np.arange(self.clip.frames) * speed[:, None]) % np.maximum(2 * last, 1)
        at = np.maximum(np.minimum(at, 2 * last - at), 0)
        begin = self.starts[which][:, None]
        if not (at % 1).any():
            return self.frames[begin + at.astype(np.int64)]
        end = last.astype(np.int64)
        low = np.maximum(np.minimum(at.astype(np.int64), end - 1), 0)
        high = np.minimum(low + 1, end)
        return _between(self.frames[begin + low], self.frames[begin + high], (at - low).astype(np.float32))

    def draw(self, which: Integers, speed: float, rng: np.random.Generator) -> Floats:
        """Random clips (n, T, joints, dims + 1) of `which` (n,); at most by the share `speed` faster or slower."""
        first, pace = random_windows(self.lengths[which], self.clip.frames, speed, rng)
        return self.cut(which, first, pace)

    def fixed(self, which: Integers, count: int = 1) -> Floats:
        """`count` clips of each of `which` (n,), one after the other, (n * count, T, joints, dims + 1).

        Always the same: one is from the middle, several are spread evenly from start to end.
        """
        first = spread_windows(self.lengths[which], self.clip.frames, count).ravel().astype(np.float64)
        return self.cut(np.repeat(which, count), first, np.ones(len(first)))

    def widths(self, which: Integers) -> Integers | None:
        """Of the images (n,) that `which` were seen in; a set of single people does not say."""
        del which
        return None


def random_windows(
    lengths: Integers, frames: int, speed: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """First frames and frames a step, each (n,), of windows anywhere in sequences of `lengths` (n,)."""
    pace = np.ones(len(lengths))
    if speed:
        pace = rng.uniform(1 - speed, 1 + speed, len(lengths))
    room = lengths - 1 - (frames - 1) * pace
    first = rng.random(len(lengths)) * np.maximum(room, 0)
    return first if speed else np.rint(first), pace


def spread_windows(lengths: Integers, frames: int, count: int) -> Integers:
    """First frames (n, count) of windows that are spread evenly over sequences of `lengths` (n,).

    >>> spread_windows(np.array([13, 5]), 4, 1).tolist(), spread_windows(np.array([13, 5]), 4, 4).tolist()
    ([[4], [0]], [[0, 3, 6, 9], [0, 0, 1, 1]])
    """
    room = np.maximum(0, lengths - frames)[:, None]
    if count == 1:
        return room // 2
    return np.rint(room * np.linspace(0, 1, count)).astype(np.int64)


def _between(before: Floats, after: Floats, part: Floats) -> Floats:
    """Linear between frames; a joint that is missing in one of them lends no coordinate (as `clips.resample`)."""
    part = part[:, :, None]
    weight_before = (1 - part) * (before[..., -1] > 0)
    weight_after = part * (after[..., -1] > 0)
    total = weight_before + weight_after
    safe = np.where(total > 0, total, 1)
    mixed = before * (weight_before / safe)[..., None] + after * (weight_after / safe)[..., None]
    mixed[..., -1] = np.where(total > 0, before[..., -1] * (1 - part) + after[..., -1] * part, 0)
    return mixed.astype(np.float32, copy=False)


def _fits(data: SequenceSet, layout: Layout, clip: ClipSpec) -> bool:
    same_rate = data.fps_each is None and abs(data.fps - clip.fps) < 1e-6 * clip.fps
    return data.layout == layout and data.dims == clip.dims and same_rate


def _as_is(data: SequenceSet) -> tuple[Floats, Integers]:
    frames = data.frames.astype(np.float32)
    if data.units is Units.NORMALISED:
        frames[..., 0] *= data.aspect or 1.0
    frames[frames[..., -1] == 0] = 0
    return frames, data.lengths


def _prepared(data: SequenceSet, layout: Layout, clip: ClipSpec) -> tuple[Floats, Integers]:
    each = []
    for sequence in data.sequences():
        ready = prepare(sequence, layout, clip).sequence
        frames = np.concatenate([ready.joints, ready.confidence[..., None]], axis=-1)
        if ready.units is Units.NORMALISED:
            frames[..., 0] *= ready.aspect or 1.0
        each.append(resample(frames, ready.fps, clip.fps))
    return np.concatenate(each), np.array([len(frames) for frames in each], dtype=np.int64)
