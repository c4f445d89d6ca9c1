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
        at = (first[:, None] + np.arange(self.clip.frames) * speed[:, None]) % (2 * last)
        at = np.minimum(at, 2 * last - at)
        begin = self.starts[which][:, None]
        if not (at % 1).any():
            return self.frames[begin + at.astype(np.int64)]
        low = np.minimum(at.astype(np.int64), last.astype(np.int64) - 1)
        return _between(self.frames[begin + low], self.frames[begin + low + 1], (at - low).astype(np.float32))

    def centred(self, which: Integers) -> Floats:
        """The clip from the middle of each sequence, (n, T, joints, dims + 1)."""
        first = np.maximum(0, (self.lengths[which] - self.clip.frames) // 2)
        return self.cut(which, first.astype(np.float64), np.ones(len(which)))


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
