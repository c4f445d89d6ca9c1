"""From the bodies that a Kinect tracked to the one or two people of a recording, as published for NTU RGB+D.

The rules and their numbers are those of pyskl's preparation of the data (after CTR-GCN's): furniture is tracked as
short or wide bodies, and a person who is lost comes back as another body. Three of its faults are repaired unless
`official` is asked for: frames without any body lost their time; a body that was lost for a while in the middle was
moved together, so that two people no longer did things at the same moment; and the second actor's track counted from
the first frame, so that what was tracked of him before the livelier piece was lost.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.sequence import Floats
from training.data.action_set import Integers
from training.data.ntu_raw import Body

SHORT = 11
"""Bodies of so many frames or fewer are noise, where there are others."""
WIDE = 0.8
"""A pose whose width is more than this share of its height is noise..."""
MOSTLY_WIDE = 0.69754
"""...and so is a body of which this share is wide."""
_SPINE = 1


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    frames: Integers
    joints: Floats
    motion: float

    @property
    def span(self) -> tuple[int, int]:
        return int(self.frames[0]), int(self.frames[-1]) + 1


def people_of(bodies: Sequence[Body], *, official: bool = False) -> Floats | None:
    """(1 or 2 people, T, 25, 4), from the first to the last frame with anybody; None where nobody is left.

    A person's frames in which he is not seen are zeros.
    """
    frames = _collapsed(bodies) if official else [body.frames for body in bodies]
    found = [_Candidate(f, body.joints, _motion(body.joints)) for f, body in zip(frames, bodies, strict=True)]
    if len(found) > 1:
        found = [one for one in found if len(one.frames) > SHORT]
    if len(found) > 1:
        found = [kept for one in found if (kept := _unless_wide(one))]
    if not found:
        return None
    return _trimmed(_two_actors(sorted(found, key=lambda one: -one.motion), official))


def _collapsed(bodies: Sequence[Body]) -> list[Integers]:
    """Frame numbers as the published code has them: without frames that nobody is in, and no body has gaps."""
    occupied = np.unique(np.concatenate([body.frames for body in bodies])) if bodies else np.empty(0, np.int64)
    return [np.searchsorted(occupied, body.frames[0]) + np.arange(len(body.frames)) for body in bodies]


def _motion(joints: Floats) -> float:
    """How much the joints vary, all of them and over time together."""
    return float(joints[..., :3].reshape(-1, 3).var(axis=0).sum())


def _unless_wide(one: _Candidate) -> _Candidate | None:
    size = np.ptp(one.joints[..., :2], axis=1)
    narrow = size[:, 0] <= WIDE * size[:, 1]
    if narrow.all():
        return one
    if 1 - narrow.mean() >= MOSTLY_WIDE:
        return None
    return _Candidate(one.frames, one.joints, min(one.motion, _motion(one.joints[narrow])))


def _two_actors(found: Sequence[_Candidate], official: bool) -> Floats:
    """The body that moves most is the first actor; each other one goes on where an actor's track has ended."""
    people = np.zeros((2, max(one.span[1] for one in found), *found[0].joints.shape[1:]), dtype=np.float32)
    spans = [found[0].span, (0, 0)]
    people[0, found[0].frames] = found[0].joints
    for one in found[1:]:
        start, end = one.span
        for actor, (first, last) in enumerate(spans):
            if max(first, start) >= min(last, end):
                people[actor, one.frames] = one.joints
                empty = first == last
                spans[actor] = one.span if empty and not official else (min(first, start), max(last, end))
                break
    return people


def _trimmed(people: Floats) -> Floats:
    """Without empty frames at either end and without an actor who is nobody; who is there at the start comes first."""
    there = (people[..., :3] != 0).any(axis=(2, 3))
    occupied = np.flatnonzero(there.any(axis=0))
    people = people[:, occupied[0] : occupied[-1] + 1]
    if not people[0, 0, _SPINE, :3].any() and people[1, 0, _SPINE, :3].any():
        people, there = people[::-1], there[::-1]
    kept: Floats = people[there.any(axis=1)]
    return kept
