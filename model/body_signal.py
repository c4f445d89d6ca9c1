"""The body's course over time, in body heights: where it is, whether it moves, whether left and right stay so."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

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
    """Core joints of the frames that hold a body, of one sequence, or of several of one length (then with their axis
    before all others: what is found out is an array of one for each).

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
    confidence: NDArray[np.float64]
    missing: NDArray[np.float64]
    empty: NDArray[np.float64]

    def still_share(self) -> NDArray[np.float64]:
        """Share of frames in which nothing moved since the one before."""
        if len(self.at) < 2:
            return np.zeros(self.tall.shape[:-1])
        both = self.seen[..., 1:, :, :] & self.seen[..., :-1, :, :]
        moved = np.abs(self.joints[..., 1:, :, :, :] - self.joints[..., :-1, :, :, :]).max(axis=-1) * both
        still = moved.max(axis=(-2, -1)) < STILL * self.smooth[..., 1:]
        return np.asarray(still.sum(axis=-1) / still.shape[-1])

    def elsewhere_share(self) -> NDArray[np.float64]:
        """Share of frames that lie off the body's course: suddenly at another place, or of another size.

        The course is the longest of those that frames form who follow on each other without a jump; a wrong pose of a
        few frames is off it and does not break it.
        """
        there = self.seen.astype(np.float64)
        centre = np.einsum("...psc,...ps->...c", self.joints, there) / there.sum(axis=(-2, -1))[..., None]
        jumps = _jumped(
            centre[..., :-1, :], centre[..., 1:, :], self.tall[..., :-1], self.tall[..., 1:], np.diff(self.at)
        )
        shares = np.zeros(jumps.shape[:-1])
        for one in map(tuple, np.argwhere(jumps.any(axis=-1))):
            shares[one] = _off_course(jumps[one], centre[one], self.tall[one], self.at)
        return shares

    def swaps(self) -> NDArray[np.int64]:
        """How often exchanging left and right explains a frame, by the two before it, far better than keeping them."""
        if len(self.at) < 3:
            return np.zeros(self.tall.shape[:-1], np.int64)
        now, before, first = (
            self.joints[..., 2:, :, :, :],
            self.joints[..., 1:-1, :, :, :],
            self.joints[..., :-2, :, :, :],
        )
        expected = 2 * before - first
        known = self.seen[..., 2:, :, :] & self.seen[..., 1:-1, :, :] & self.seen[..., :-2, :, :]
        pairs = known.all(axis=-1)
        count = pairs.sum(axis=-1)
        weight = pairs / (2 * np.maximum(count, 1)[..., None] * self.smooth[..., 2:, None])
        kept = np.einsum("...ps,...p->...", _lengths(now - expected), weight)
        swapped = np.einsum("...ps,...p->...", _lengths(now[..., ::-1, :] - expected), weight)
        return np.asarray(((kept - swapped > SWAP) & (swapped < 0.5 * kept) & (count >= 2)).sum(axis=-1))


def _off_course(
    jumps: NDArray[np.bool_], centre: NDArray[np.float64], tall: NDArray[np.float64], at: NDArray[np.float64]
) -> float:
    breaks = np.flatnonzero(jumps) + 1
    starts, stops = np.concatenate([[0], breaks]), np.concatenate([breaks, [len(at)]])
    lengths: list[int] = []
    lasts: list[int] = []
    for start, stop in zip(starts, stops, strict=True):
        recent = np.array(lasts[-COURSES:], dtype=np.intp)
        free = ~_jumped(centre[recent], centre[start], tall[recent], tall[start], at[start] - at[recent])
        if free.any():
            course = len(lasts) - len(recent) + int(np.flatnonzero(free)[-1])
            lengths[course] += int(stop - start)
            lasts[course] = int(stop - 1)
        else:
            lengths.append(int(stop - start))
            lasts.append(int(stop - 1))
    return 1 - max(lengths) / len(at)


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
    seen = sequence.confidence[:, index] > 0
    present = seen.sum(axis=(1, 2)) >= PRESENT * index.size
    if not present.any():
        return None
    return _body([sequence], present, names, index, np.s_[0])


def body_of_all(sequences: Sequence[SkeletonSequence]) -> Body | None:
    """The bodies of several sequences of one layout, rate and length; None unless every frame of all holds one."""
    names, index = _core_of(sequences[0].layout)
    if not {"knee", "ankle"} <= set(names):
        return None
    confidence = np.stack([sequence.confidence for sequence in sequences])[:, :, index]
    if not ((confidence > 0).sum(axis=(2, 3)) >= PRESENT * index.size).all():
        return None
    return _body(sequences, np.ones(sequences[0].frames, bool), names, index, np.s_[:])


def _body(
    sequences: Sequence[SkeletonSequence],
    present: NDArray[np.bool_],
    names: Sequence[str],
    index: NDArray[np.intp],
    which: Any,
) -> Body:
    """present: (frames,) that hold the bodies of all. which: of the sequences, the one that is meant, or all."""
    whole = np.stack([_square(sequence) for sequence in sequences])
    core = whole[:, :, index]
    confidence = core[..., -1]
    seen = confidence > 0
    there = whole if present.all() else whole[:, present]
    people, frames, *_ = there.shape
    tall = heights(there.reshape(people * frames, *there.shape[2:])).astype(np.float64).reshape(people, frames)
    smooth = _smooth(tall)
    joints = (core if frames == len(present) else core[:, present])[..., :-1].astype(np.float64)
    legs = [names.index("knee"), names.index("ankle")]
    apart = np.zeros((people, len(present), 2, joints.shape[-1]))
    apart[:, present] = (joints[:, :, legs, 0] - joints[:, :, legs, 1]) / smooth[:, :, None, None]
    count = seen.sum(axis=(1, 2, 3))
    mean = confidence.sum(axis=(1, 2, 3), where=seen, dtype=np.float64) / count
    missing, empty = 1 - count / seen[0].size, np.full(people, 1 - frames / len(present))
    legs_seen = present & seen[:, :, legs].all(axis=(2, 3))
    return Body(
        joints[which], seen[:, present][which], np.flatnonzero(present) / sequences[0].fps, tall[which],
        smooth[which], apart[which], legs_seen[which], mean[which], missing[which], empty[which],
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
    """Body heights (people, frames) without the sway of the stride: the median over some half second on either side."""
    from scipy.ndimage import median_filter

    return np.asarray(median_filter(tall, size=(1, min(25, tall.shape[1])), mode="nearest"))
