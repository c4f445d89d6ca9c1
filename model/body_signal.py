"""The body's course over time, in body heights: where it is, whether it moves, whether left and right stay so."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from model.layout import Layout
from model.linking import heights
from model.sequence import Floats, SkeletonSequence, Units

CORE = ("shoulder", "hip", "knee", "ankle")
"""What gait is read from, left and right; arms may be hidden, and many layouts have no face or toes."""
PRESENT = 0.5
"""A frame holds the body if this share of its core joints is seen."""
STILL = 1e-4
"""Body heights; a fifth of a millimetre. Whoever stands still still moves more, and so does noise."""
JUMP = 0.3
JUMP_PER_S = 8.0
"""Body heights, and body heights a second: a sprinter covers six."""
GROWTH = 1.5
"""A body that is suddenly larger by this factor is another one."""
FARTHEST = 1.0
"""Beyond a body height it is elsewhere, however long the gap."""
COURSES = 16
"""So many courses are kept in mind; a file of jumps only is to cost no more than another."""
SWAP = 0.08
"""Body heights that exchanging left and right must save on the mean of the core joints, beside half of the error."""


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """Core joints of the frames that hold a body.

    joints: (frames, pairs, 2 sides, dims). seen: (frames, pairs, 2). at: (frames,) seconds. tall: (frames,) body
    height, in the joints' unit; smooth: the same without the sway of the stride.
    legs_apart: (all frames, n, dims) left less right of knees and ankles; legs_seen: (all frames,).
    confidence, missing, empty: mean confidence where seen; share of core joints, and of frames, not there.
    """

    joints: NDArray[np.float64]
    seen: NDArray[np.bool_]
    at: NDArray[np.float64]
    tall: NDArray[np.float64]
    smooth: NDArray[np.float64]
    legs_apart: NDArray[np.float64]
    legs_seen: NDArray[np.bool_]
    confidence: float
    missing: float
    empty: float

    def still_share(self) -> float:
        """Share of frames in which nothing moved since the one before."""
        if len(self.at) < 2:
            return 0.0
        both = self.seen[1:] & self.seen[:-1]
        moved = np.abs(self.joints[1:] - self.joints[:-1]).max(axis=-1) * both
        return float(np.count_nonzero(moved.max(axis=(1, 2)) < STILL * self.smooth[1:]) / len(moved))

    def elsewhere_share(self) -> float:
        """Share of frames that lie off the body's course: suddenly at another place, or of another size.

        The course is the longest of those that frames form who follow on each other without a jump; a wrong pose of a
        few frames is off it and does not break it.
        """
        there = self.seen.astype(np.float64)
        centre = np.einsum("tpsc,tps->tc", self.joints, there) / there.sum(axis=(1, 2))[:, None]
        breaks = np.flatnonzero(_jumped(centre[:-1], centre[1:], self.tall[:-1], self.tall[1:], np.diff(self.at))) + 1
        if not len(breaks):
            return 0.0
        starts, stops = np.concatenate([[0], breaks]), np.concatenate([breaks, [len(self.at)]])
        lengths: list[int] = []
        lasts: list[int] = []
        for start, stop in zip(starts, stops, strict=True):
            recent = np.array(lasts[-COURSES:], dtype=np.intp)
            gap = self.at[start] - self.at[recent]
            free = ~_jumped(centre[recent], centre[start], self.tall[recent], self.tall[start], gap)
            if free.any():
                course = len(lasts) - len(recent) + int(np.flatnonzero(free)[-1])
                lengths[course] += int(stop - start)
                lasts[course] = int(stop - 1)
            else:
                lengths.append(int(stop - start))
                lasts.append(int(stop - 1))
        return 1 - max(lengths) / len(self.at)

    def swaps(self) -> int:
        """How often exchanging left and right explains a frame, by the two before it, far better than keeping them."""
        if len(self.at) < 3:
            return 0
        expected = 2 * self.joints[1:-1] - self.joints[:-2]
        known = self.seen[2:] & self.seen[1:-1] & self.seen[:-2]
        pairs = known.all(axis=2)
        tall = self.smooth[2:, None]
        weight = pairs / (2 * np.maximum(pairs.sum(axis=1), 1)[:, None] * tall)
        kept = np.einsum("tps,tp->t", _lengths(self.joints[2:] - expected), weight)
        swapped = np.einsum("tps,tp->t", _lengths(self.joints[2:, :, ::-1] - expected), weight)
        return int(((kept - swapped > SWAP) & (swapped < 0.5 * kept) & (pairs.sum(axis=1) >= 2)).sum())


def _jumped(
    before: NDArray[np.float64],
    after: NDArray[np.float64],
    tall_before: NDArray[np.float64],
    tall_after: NDArray[np.float64],
    seconds: NDArray[np.float64],
) -> NDArray[np.bool_]:
    far = _lengths(after - before) / np.maximum(tall_before, tall_after)
    grown = np.abs(np.log(tall_after / tall_before))
    return np.asarray((far > np.clip(JUMP_PER_S * seconds, JUMP, FARTHEST)) | (grown > np.log(GROWTH)))


def _lengths(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sqrt(np.einsum("...c,...c->...", vectors, vectors)))


def body_of(sequence: SkeletonSequence) -> Body | None:
    """The body of a sequence; None where its layout has no legs, or no frame holds them."""
    names, index = _core_of(sequence.layout)
    if not {"knee", "ankle"} <= set(names):
        return None
    confidence = sequence.confidence[:, index]
    seen = confidence > 0
    present = np.count_nonzero(seen, axis=(1, 2)) >= PRESENT * index.size
    if not present.any():
        return None
    square = _square(sequence)
    if not present.all():
        square = square[present]
    tall = heights(square).astype(np.float64)
    smooth = _smooth(tall)
    joints = square[:, index, :-1].astype(np.float64)
    legs = [names.index("knee"), names.index("ankle")]
    apart = np.zeros((sequence.frames, 2, sequence.dims))
    apart[present] = (joints[:, legs, 0] - joints[:, legs, 1]) / smooth[:, None, None]
    seen_there, count = int(np.count_nonzero(seen)), sequence.frames
    return Body(
        joints, seen[present], np.flatnonzero(present) / sequence.fps, tall, smooth,
        apart, present & seen[:, legs].all(axis=(1, 2)),
        float(confidence.sum(where=seen)) / seen_there, 1 - seen_there / seen.size, 1 - len(joints) / count,
    )  # fmt: skip


@cache
def _core_of(layout: Layout) -> tuple[tuple[str, ...], NDArray[np.intp]]:
    """The core joints of which a layout has both sides, and where it has them: (n, 2)."""
    names = tuple(joint for joint in CORE if f"left_{joint}" in layout and f"right_{joint}" in layout)
    places = [[layout.index(f"{side}_{joint}") for side in ("left", "right")] for joint in names]
    index = np.array(places, dtype=np.intp).reshape(-1, 2)
    index.setflags(write=False)
    return names, index


def _square(sequence: SkeletonSequence) -> Floats:
    """Coordinates of equal scale in x and y, and confidence."""
    joints = sequence.joints
    if sequence.units is Units.NORMALISED:
        joints = joints * np.array([sequence.aspect or 1.0, *[1.0] * (sequence.dims - 1)], dtype=np.float32)
    return np.concatenate([joints, sequence.confidence[..., None]], axis=-1)


def _smooth(tall: NDArray[np.float64]) -> NDArray[np.float64]:
    """Body height without the sway of the stride: the median over some half second on either side."""
    from scipy.ndimage import median_filter

    return np.asarray(median_filter(tall, size=min(25, len(tall)), mode="nearest"))
