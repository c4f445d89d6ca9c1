"""Which frames make a clip, as pyskl samples them: one at random from each of as many equal bins as a clip has frames.

A recording shorter than a clip is run through again from its start; one shorter than two clips gives a rising choice
of its frames. The published test seeds numpy's global generator with 255 for each recording, so that all else that is
random starts again too; here each recording has a generator of its own.
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Integers: TypeAlias = NDArray[np.int64]

TEST_SEED, TEST_CLIPS = 255, 10


def random_clips(lengths: Integers, frames: int, rng: np.random.Generator) -> Integers:
    """Frame numbers (n, frames) of one random clip of each recording of `lengths` (n,) frames.

    >>> random_clips(np.array([4]), 4, np.random.default_rng(0)).tolist()
    [[0, 1, 2, 3]]
    """
    length = lengths[:, None]
    step = np.arange(frames)
    again = (rng.integers(0, length) + step) % length
    chosen = step + _gaps(np.clip(lengths - frames, 0, frames), frames, rng)
    bins = np.arange(frames + 1) * length // frames
    binned = rng.integers(bins[:, :-1], np.maximum(bins[:, 1:], bins[:, :-1] + 1))
    out: Integers = np.where(length < frames, again, np.where(length < 2 * frames, chosen, binned))
    return out


def _gaps(extra: Integers, frames: int, rng: np.random.Generator) -> Integers:
    """How many of `extra` (n,) frames to leave out have been left out before each of `frames`: (n, frames), rising."""
    rank = rng.random((len(extra), frames + 1)).argsort(axis=1).argsort(axis=1)
    return np.cumsum(rank < extra[:, None], axis=1, dtype=np.int64)[:, :-1]


def fixed_clips(length: int, frames: int, clips: int = TEST_CLIPS, *, seed: int = TEST_SEED) -> Integers:
    """Frame numbers (clips, frames) for testing: the same whenever asked.

    Clips of a short recording begin at equal distances, as pyskl does for 2-D keypoints.
    """
    if length < frames:
        starts = np.arange(clips) * length // clips if length >= clips else np.arange(clips)
        return (starts[:, None] + np.arange(frames)) % length
    return random_clips(np.full(clips, length, dtype=np.int64), frames, np.random.default_rng(seed))


def official_clips(
    length: int, frames: int, clips: int = TEST_CLIPS, *, flat: bool = False, seed: int = TEST_SEED
) -> Integers:
    """The published test's frame numbers (clips, frames), draw for draw.

    flat: of 2-D keypoints, where the clips of short recordings begin at equal distances.
    """
    rng = np.random.RandomState(seed)
    return np.stack([_official(length, frames, i, clips, flat, rng) for i in range(clips)])


def _official(
    length: int,
    frames: int,
    clip: int,
    clips: int,
    flat: bool,
    rng: np.random.RandomState,
) -> NDArray[np.int64]:
    rng.rand(), rng.randint(1)  # of a share of the recording, which is always all of it
    if length < frames:
        spread = clip if length < clips else clip * length // clips
        start = spread if flat else rng.randint(0, length)
        return np.asarray((start + np.arange(frames)) % length, dtype=np.int64)
    if length < 2 * frames:
        left_out = np.zeros(frames + 1, dtype=np.int64)
        left_out[rng.choice(frames + 1, length - frames, replace=False)] = 1
        return np.arange(frames) + np.cumsum(left_out)[:-1]
    bins = np.arange(frames + 1) * length // frames
    return np.asarray(bins[:-1] + rng.randint(np.diff(bins)), dtype=np.int64)
