"""Several people in a frame become tracks of one person each, never a silent mix.

Ids of the source are used where they can be trusted; otherwise people are followed by their motion
(`model/linking.py`), and told apart again after they overlapped (`model/overlaps.py`).
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.errors import LimitExceeded
from model.limits import FILE_FRAMES
from model.linking import FRAGMENT, LONGEST_GAP_S, distances, gate, heights, link
from model.overlaps import Chain, resolve
from model.sequence import Floats

PEOPLE_PER_FRAME = 64
"""More than a crowd camera resolves; it bounds the assignment."""
TWIN = 0.05
"""Two poses of a frame nearer than this (body heights) are one person, detected twice."""


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """Whom a detector saw in one frame, in its own order, which means nothing.

    poses: (people, joints, coordinates + confidence); ids: the source's name for each, or None.
    """

    frame: int
    poses: Floats
    ids: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """One person. frames: (n,) source frame numbers, rising; poses: (n, joints, coordinates + confidence).

    overlaps: (first frame, last frame, name of the other) while somebody else could not be told apart.
    """

    name: str
    frames: NDArray[np.int64]
    poses: Floats
    overlaps: tuple[tuple[int, int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Following:
    """The people of a recording, by their first frame, and notes of what was left out or is uncertain."""

    people: tuple[Followed, ...]
    notes: tuple[str, ...]


def follow(frames: Sequence[People], fps: float, aspect: float = 1.0, *, trust_ids: bool = False) -> Following:
    """Turn people per frame into people over time.

    aspect: width / height where coordinates are normalised, so that distances are those of the image.
    trust_ids: the source is known to track, so that even a single id for all is believed.
    Raises `LimitExceeded` for a crowd or a recording beyond all measure.
    """
    crowd = max((len(people.poses) for people in frames), default=0)
    if crowd > PEOPLE_PER_FRAME:
        raise LimitExceeded("people in one frame", PEOPLE_PER_FRAME, crowd)
    if (total := sum(len(people.poses) for people in frames)) > FILE_FRAMES:
        raise LimitExceeded("poses in the file", FILE_FRAMES, total)
    ordered = sorted(frames, key=lambda people: people.frame)
    named = _by_id(ordered, fewest=1 if trust_ids else 2)
    if named is not None:
        return Following(named, ())
    ordered, twins = _without_twins(ordered)
    chains, unsaid = _chains(ordered, fps, aspect)
    chains, short = _without_fragments(chains)
    people = _followed(ordered, chains)
    return Following(people, tuple(_notes(people, twins, short, unsaid)))


def _notes(people: Sequence[Followed], twins: int, short: int, unsaid: int) -> Iterator[str]:
    if twins:
        yield f"twins: dropped as second detections of one person: {twins}"
    if short:
        yield f"fragments: dropped as tracks of fewer than {FRAGMENT} frames: {short}"
    if overlapping := [person.name for person in people if person.overlaps]:
        yield f"overlap: tracks {', '.join(overlapping[:8])} pass behind others and were told apart by their motion"
    if unsaid:
        yield f"cut: tracks end and new ones begin where people could not be told apart ({unsaid} times)"


def _by_id(frames: Sequence[People], fewest: int) -> tuple[Followed, ...] | None:
    """Tracks by the source's ids; None unless every pose has one, no frame has one twice, and there are `fewest`.

    A single id for all is what trackers write that were switched off.
    """
    seen: defaultdict[str, list[tuple[int, Floats]]] = defaultdict(list)
    for people in frames:
        if people.ids is None:
            if len(people.poses):
                return None
            continue
        if len(set(people.ids)) < len(people.ids):
            return None
        for name, pose in zip(people.ids, people.poses, strict=True):
            seen[name].append((people.frame, pose))
    if len(seen) < fewest:
        return None
    return tuple(
        Followed(name, np.array([frame for frame, _ in found]), np.stack([pose for _, pose in found]))
        for name, found in seen.items()
    )


def _without_twins(frames: Sequence[People]) -> tuple[list[People], int]:
    """The frames with each person once (the most confident pose stays), and how many were dropped."""
    kept = [People(people.frame, once_each(people.poses)) for people in frames]
    seen = sum(len(known(people.poses)) for people in frames)
    return kept, seen - sum(len(people.poses) for people in kept)


def known(poses: Floats) -> Floats:
    """Poses (people, joints, coordinates + confidence) of which three joints or more are seen."""
    return poses[(poses[..., -1] > 0).sum(axis=1) >= 3] if len(poses) else poses


def once_each(poses: Floats) -> Floats:
    """The known poses of a frame, each person once: of two that are nearly the same the more confident one stays."""
    poses = known(poses)
    if len(poses) < 2:
        return poses
    order = np.argsort(-poses[..., -1].mean(axis=1), kind="stable")
    near = distances(poses, poses) / heights(poses)[:, None] < TWIN
    stay: list[int] = []
    for i in order:
        if not near[i, stay].any():
            stay.append(int(i))
    return poses[sorted(stay)]


def _chains(frames: Sequence[People], fps: float, aspect: float) -> tuple[list[Chain], int]:
    if not frames:
        return [], 0
    times = np.array([people.frame for people in frames], dtype=np.float64) / fps
    stretch = np.ones(frames[0].poses.shape[-1], dtype=np.float32)
    stretch[0] = aspect
    alone = _alone(times, frames, stretch)
    if alone is not None:
        return [alone], 0
    poses = [people.poses * stretch for people in frames]
    return resolve(times, poses, link(times, poses))


def _alone(times: NDArray[np.float64], frames: Sequence[People], stretch: Floats) -> Chain | None:
    """The chain of the one person there is, without a loop over frames; None where it takes linking to know."""
    if any(len(people.poses) > 1 for people in frames):
        return None
    seen = [i for i, people in enumerate(frames) if len(people.poses)]
    if not seen:
        return None
    poses = np.concatenate([frames[i].poses for i in seen]) * stretch
    gaps = np.diff(times[seen])
    shared = (poses[1:, :, -1] > 0) & (poses[:-1, :, -1] > 0)
    apart = np.linalg.norm(poses[1:, :, :-1] - poses[:-1, :, :-1], axis=-1)
    mean = (apart * shared).sum(axis=1) / np.maximum(shared.sum(axis=1), 1)
    tall = heights(poses)
    same = (shared.sum(axis=1) >= 3) & (mean <= gate(gaps) * (tall[1:] + tall[:-1]) / 2) & (gaps <= LONGEST_GAP_S)
    return Chain([(i, 0) for i in seen]) if same.all() else None


def _followed(frames: Sequence[People], chains: Sequence[Chain]) -> tuple[Followed, ...]:
    ordered = sorted(chains, key=lambda chain: chain.seen[0])
    name_of = {id(chain): str(number) for number, chain in enumerate(ordered, 1)}
    return tuple(
        Followed(
            name_of[id(chain)],
            np.array([frames[i].frame for i, _ in chain.seen], dtype=np.int64),
            np.stack([frames[i].poses[pick] for i, pick in chain.seen]),
            tuple(
                (frames[first].frame, frames[last].frame, name_of[id(other)])
                for first, last, other in chain.overlaps
                if id(other) in name_of
            ),
        )
        for chain in ordered
    )


def _without_fragments(chains: Sequence[Chain]) -> tuple[list[Chain], int]:
    longest = max((len(chain.seen) for chain in chains), default=0)
    stay = [chain for chain in chains if len(chain.seen) >= min(FRAGMENT, longest)]
    return stay, len(chains) - len(stay)
