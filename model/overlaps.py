"""What happens to two people after they overlapped: the same order, exchanged, or nobody can say.

While two people cannot be told apart, frame by frame linking may exchange them. Motion, size and mean posture
before and after the overlap decide; where they do not, both tracks end there and new ones begin.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from model.linking import FRAGMENT, Path, distances, heights
from model.sequence import Floats

WINDOW = 15
"""Frames before and after that are compared: more than half a stride at 25 fps, so that posture averages out."""
REST_S = 0.4
"""Doubtful frames nearer than this belong to one overlap."""
TURN_S = 0.5
"""Body heights of mismatch for each body height a second by which the velocity changed."""
CLEAR = 0.10
CLEAR_PER_S = 0.10
"""The better explanation must win by this many body heights of mismatch, and by more after a long overlap."""


@dataclass(slots=True, eq=False)
class Chain:
    """One person after overlaps were resolved: (position in the list of frames, which pose), in order.

    overlaps: first and last position of each overlap, and the other's chain.
    """

    seen: list[tuple[int, int]]
    overlaps: list[tuple[int, int, "Chain"]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Side:
    """A person shortly before or after an overlap: centre as a straight line in time, height, mean posture."""

    line: NDArray[np.float64]
    height: float
    posture: Floats

    def at(self, time: float) -> NDArray[np.float64]:
        return np.asarray(self.line[0] * time + self.line[1])


def resolve(times: NDArray[np.float64], frames: Sequence[Floats], paths: Sequence[Path]) -> tuple[list[Chain], int]:
    """Chains of what is certainly one person, and in how many overlaps nobody could say."""
    chains = [Chain(list(zip(path.seen, path.picks, strict=True))) for path in paths]
    owner = {id(path): chain for path, chain in zip(paths, chains, strict=True)}
    unsaid = 0
    for first, last, one, other in _overlaps(times, paths):
        a, b = owner[id(one)], owner[id(other)]
        sides = [_sides(times, frames, chain, first, last) for chain in (a, b)]
        gain = gain_of_order(sides, (times[first] + times[last]) / 2)
        if gain is None:
            continue
        a.overlaps.append((first, last, b))
        b.overlaps.append((first, last, a))
        clear = clear_after(times[last] - times[first])
        if gain > clear:
            continue
        tails = [[(i, pick) for i, pick in chain.seen if i > last] for chain in (a, b)]
        for chain in (a, b):
            chain.seen = [(i, pick) for i, pick in chain.seen if i < first]
        if gain < -clear:
            a.seen += tails[1]
            b.seen += tails[0]
            owner[id(one)], owner[id(other)] = b, a
            continue
        unsaid += 1
        for path, tail in zip((one, other), tails, strict=True):
            owner[id(path)] = Chain(tail)
            chains.append(owner[id(path)])
    return [chain for chain in chains if chain.seen], unsaid


def clear_after(seconds: float) -> float:
    """By how much one explanation must be better, after an overlap of so many seconds."""
    return CLEAR + CLEAR_PER_S * seconds


def _overlaps(times: NDArray[np.float64], paths: Sequence[Path]) -> list[tuple[int, int, Path, Path]]:
    """(first, last, one, other): runs of doubtful frames of two paths, by time."""
    by_id = {id(path): path for path in paths}
    doubts: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
    for path in paths:
        for number, other in path.doubtful:
            if id(other) in by_id and id(other) != id(path):
                doubts[min(id(path), id(other)), max(id(path), id(other))].add(number)
    found = []
    for (one, two), numbers in doubts.items():
        ordered = np.array(sorted(numbers))
        parts = np.split(ordered, np.flatnonzero(np.diff(times[ordered]) > REST_S) + 1)
        found += [(int(part[0]), int(part[-1]), by_id[one], by_id[two]) for part in parts]
    return sorted(found, key=lambda overlap: overlap[:2])


def _sides(
    times: NDArray[np.float64], frames: Sequence[Floats], chain: Chain, first: int, last: int
) -> tuple[Side | None, Side | None]:
    before = [(i, pick) for i, pick in chain.seen if i < first][-WINDOW:]
    after = [(i, pick) for i, pick in chain.seen if i > last][:WINDOW]
    parts = ([(times[i], frames[i][pick]) for i, pick in part] for part in (before, after))
    one, other = (side_of(part) for part in parts)
    return one, other


def side_of(seen: Sequence[tuple[float, Floats]]) -> Side | None:
    """What a person was like in these frames, (time, pose) each; None where they are too few to judge by."""
    if len(seen) < FRAGMENT:
        return None
    poses = np.stack([pose for _, pose in seen])
    there = poses[..., -1] > 0
    centres = _medians(poses[..., :-1], there)
    when = np.array([time for time, _ in seen])
    height = float(np.median(heights(poses)))
    count = np.maximum(there.sum(axis=0), 1)[:, None]
    moved = np.where(there[..., None], poses[..., :-1] - centres[:, None], 0).sum(axis=0) / count / height
    posture = np.concatenate([moved, np.any(there, axis=0).reshape(-1, 1)], axis=1).astype(np.float32)
    return Side(_line(when, centres), height, posture)


def _medians(joints: Floats, there: NDArray[np.bool_]) -> Floats:
    """Median (n, dims) of the joints (n, joints, dims) that are there, of each pose, all at once."""
    rising = np.sort(np.where(there[..., None], joints, np.inf), axis=1)
    count, each = np.maximum(there.sum(axis=1), 1), np.arange(len(joints))
    middle: Floats = (rising[each, (count - 1) // 2] + rising[each, count // 2]) / np.float32(2)
    return middle


def _line(when: NDArray[np.float64], places: Floats) -> NDArray[np.float64]:
    """(2, dims): slope and intercept of the least squares line through places (n, dims)."""
    at, middle = when.mean(), places.mean(axis=0, dtype=np.float64)
    slope = (when - at) @ (places - middle) / ((when - at) ** 2).sum()
    return np.stack([slope, middle - slope * at])


def gain_of_order(sides: Sequence[tuple[Side | None, Side | None]], time: float) -> float | None:
    """By how much it is better to keep the order than to exchange; None where only one of the two can be."""
    (a_before, a_after), (b_before, b_after) = sides
    if not ((a_before and (a_after or b_after)) or (b_before and (a_after or b_after))):
        return None
    keep = _mismatch(a_before, a_after, time) + _mismatch(b_before, b_after, time)
    exchange = _mismatch(a_before, b_after, time) + _mismatch(b_before, a_after, time)
    pairs = [[x is not None and y is not None for y in (a_after, b_after)] for x in (a_before, b_before)]
    if not (pairs[0][0] or pairs[1][1]) or not (pairs[0][1] or pairs[1][0]):
        return None
    return exchange - keep


def _mismatch(before: Side | None, after: Side | None, time: float) -> float:
    """How badly the two sides fit as one person, in body heights; 0 where there is nothing to compare."""
    if before is None or after is None:
        return 0.0
    height = (before.height + after.height) / 2
    place = np.linalg.norm(before.at(time) - after.at(time)) / height
    turn = np.linalg.norm(before.line[0] - after.line[0]) / height
    grown = abs(np.log(before.height / after.height))
    posture = float(distances(before.posture[None], after.posture[None])[0, 0])
    return float(place + TURN_S * turn + grown) + (posture if np.isfinite(posture) else 0.0)
