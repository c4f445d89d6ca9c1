"""Recordings of one or more people, from memory-mapped arrays: in memory are those of a batch, and a few megabytes
that were read before."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from model.clips import ClipSpec, to_frames
from model.errors import InvalidDataSet
from model.layout import Layout
from model.prepare import prepare_people
from model.sequence import Floats, SkeletonSequence
from model.uniform import fixed_clips, official_clips, random_clips
from training.data.action_set import ActionSet
from training.pool import Integers, Pool

REMEMBERED = 256_000_000
"""Bytes: a small set is prepared once; of a large one the first recordings that were read are."""


class Remembered:
    """Frames by number, made when they are first asked for and kept as long as there is room for them."""

    def __init__(self, room: int) -> None:
        self._room = room
        self._kept: dict[int, Floats] = {}

    def get(self, i: int, make: Callable[[int], Floats]) -> Floats:
        if (known := self._kept.get(i)) is not None:
            return known
        frames = make(i)
        if frames.nbytes <= self._room:
            self._room -= frames.nbytes
            self._kept[i] = np.ascontiguousarray(frames)
        return frames


@dataclass(frozen=True, eq=False)
class Streamed:
    """data: the recordings that are long enough; labels, kept: (n,), as `training.batches.ClipSource` has them.

    Each recording goes through `prepare_people` and `to_frames` as it is served. official: where the spine is the
    origin, frames without the main person are left out, as published (PreNormalize3D), and with them what the other
    does then; `fixed` uniform clips are the published test's, draw for draw.
    """

    data: ActionSet
    labels: Integers
    kept: Integers
    layout: Layout
    clip: ClipSpec
    official: bool = False
    read_before: Remembered = field(default_factory=lambda: Remembered(REMEMBERED))

    @classmethod
    def of(cls, data: ActionSet, labels: Integers, layout: Layout, clip: ClipSpec, *, official: bool = False) -> Self:
        """Raises `InvalidDataSet` if no recording is long enough, `LayoutMismatch` where the layout cannot be had."""
        kept = np.flatnonzero(_lengths(data, clip) >= clip.minimum)
        if len(kept) == 0:
            rate = f" at {clip.fps:g} fps" if clip.sampling == "windows" else ""
            raise InvalidDataSet(data.name, f"no recording has {clip.minimum} frames{rate}")
        found = cls(data.select(kept), labels[kept], kept, layout, clip, official)
        found.frames_of(0)
        return found

    def __len__(self) -> int:
        return len(self.labels)

    def frames_of(self, i: int) -> Floats:
        """What clips of recording i are cut from, (clip.people, T, joints, dims + 1), as `to_frames` has it."""
        people = [self.data.sequence(i, person) for person in range(int(self.data.people[i]))]
        each = prepare_people(people, self.layout, self.clip).sequences
        if self.official and self.clip.origin == "spine":
            each = _with_the_main_person(each)
        return to_frames(each, self.clip, self.layout)

    def draw(self, which: Integers, speed: float, rng: np.random.Generator) -> Floats:
        """Clips as `ClipSource.draw` has them; uniform ones have no speed."""
        pool = self._read(which)
        if self.clip.sampling == "windows":
            return self._people(pool.draw(np.arange(len(pool)), speed, rng))
        at = random_clips(pool.lengths, self.clip.frames, rng)
        return self._people(pool.frames[pool.starts[:, None] + at])

    def fixed(self, which: Integers, count: int = 1) -> Floats:
        """Clips as `ClipSource.fixed` has them; uniform ones, `clip.clips` of them, are those that are served."""
        pool = self._read(which)
        if self.clip.sampling == "windows":
            return self._people(pool.fixed(np.arange(len(pool)), count))
        at = [self._fixed_places(int(length), count) for length in pool.lengths]
        return self._people(pool.frames[np.concatenate([s + a for s, a in zip(pool.starts, at, strict=True)])])

    def _fixed_places(self, length: int, count: int) -> Integers:
        if self.official:
            return official_clips(length, self.clip.frames, count, flat=self.clip.dims == 2)
        return fixed_clips(length, self.clip.frames, count)

    def widths(self, which: Integers) -> Integers | None:
        return None if self.data.sizes is None else self.data.sizes[which, 0]

    def _read(self, which: Integers) -> Pool:
        """These recordings, people side by side: (total, people * joints, dims + 1)."""
        each = [self.read_before.get(int(i), lambda i: _side_by_side(self.frames_of(i))) for i in which]
        lengths = np.array([len(frames) for frames in each], dtype=np.int64)
        starts = np.cumsum(lengths) - lengths
        return Pool(np.concatenate(each), starts, lengths, self.labels[which], which, self.clip)

    def _people(self, clips: Floats) -> Floats:
        """(n, T, people * joints, C) to (n, people, T, joints, C), or of one person (n, T, joints, C)."""
        if self.clip.people == 1:
            return clips
        count, length, _, channels = clips.shape
        apart = clips.reshape(count, length, self.clip.people, self.layout.count, channels)
        return np.ascontiguousarray(apart.swapaxes(1, 2))


def _with_the_main_person(people: tuple[SkeletonSequence, ...]) -> tuple[SkeletonSequence, ...]:
    """Only the frames that hold whoever is in most of them."""
    seen = np.stack([(person.confidence > 0).any(axis=1) for person in people])
    kept = seen[int(np.argmax(seen.sum(axis=1)))]
    if kept.all() or not kept.any():
        return people
    return tuple(replace(one, joints=one.joints[kept], confidence=one.confidence[kept]) for one in people)


def _side_by_side(people: Floats) -> Floats:
    """(people, T, joints, C) to (T, people * joints, C)."""
    count, length, joints, channels = people.shape
    return people.swapaxes(0, 1).reshape(length, count * joints, channels)


def _lengths(data: ActionSet, clip: ClipSpec) -> Integers:
    """Frames (n,) that clips are cut from, by lengths and frame rates alone: at the clip's rate as `clips.resample`."""
    if clip.sampling == "uniform":
        return data.lengths
    rate = np.full(len(data), data.fps) if data.fps_each is None else data.fps_each
    resampled = np.floor((data.lengths - 1) * clip.fps / rate).astype(np.int64) + 1
    same = np.abs(rate - clip.fps) < 1e-6 * clip.fps
    lengths: Integers = np.where(same, data.lengths, resampled)
    return lengths
