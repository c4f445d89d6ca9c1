"""Who is who from frame to frame: predicted motion, assignment, and an honest "cannot tell" while people overlap.

Distances are in body heights, so that one set of numbers serves pixels, metres, near and far people.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from model.sequence import Floats

HEIGHT_OF_SPREAD = 3.5
"""Joints of an upright body, spread evenly over its height H, have an rms distance of H / sqrt(12) from their mean."""
REACH = 0.25
"""Limbs and detector noise move the joints of one body by less than this between two frames, after prediction."""
DRIFT_PER_S = 4.0
"""How fast a prediction may go wrong: a runner's 6 m/s that turns, or one who begins to run."""
FARTHEST = 1.0
"""Beyond one body height it is somebody else, however long the gap."""
LONGEST_GAP_S = 1.0
"""A person hidden for longer comes back as a new track: motion says nothing any more."""
LONGEST_HIDDEN_S = 4.0
"""While one of two people hides the other, both are kept in mind for this long."""
DOUBT = 0.10
"""A pose that fits another, hidden person within this is nobody's."""
DOUBT_PER_S = 0.15
"""By how much that grows with the time since the person was last seen for sure."""
DOUBT_SEEN = 0.05
"""Where exchanging the poses of two people costs less than this, the frame does not tell them apart."""
FRAGMENT = 5
"""A path of fewer frames may be a detector's ghost, and is dropped beside longer ones."""
MEMORY = 12
"""Frames over which the velocity is averaged, half a stride at 25 fps; a path of fewer is young, and older ones win."""


@dataclass(slots=True)
class Path:
    """One person so far. seen: positions in the list of frames; picks: which pose of each of those frames."""

    pose: Floats
    at: float
    height: float
    seen: list[int] = field(default_factory=list)
    picks: list[int] = field(default_factory=list)
    doubtful: list[tuple[int, "Path"]] = field(default_factory=list)
    steps: list[Floats] = field(default_factory=list)
    velocity: Floats | float = 0.0
    hidden_at: float = -np.inf

    def predicted(self, time: float) -> Floats:
        """The last pose, moved on at the mean velocity of the last steps."""
        moved: Floats = self.pose.copy()
        moved[:, :-1] += self.velocity * np.float32(time - self.at)
        return moved

    def lost(self, time: float) -> bool:
        """Whether nothing was seen of this person for too long; being hidden by somebody counts as seen, to a limit."""
        return time - max(self.at, self.hidden_at) > LONGEST_GAP_S or time - self.at > LONGEST_HIDDEN_S

    def take(self, pose: Floats, height: float, frame: int, pick: int, time: float, *, sure: bool) -> None:
        """Accept a pose; what is doubtful does not teach the velocity."""
        here = pose[:, -1] > 0
        common = here & (self.pose[:, -1] > 0)
        if sure and common.any() and time > self.at:
            moved = np.sort(pose[common, :-1] - self.pose[common, :-1], axis=0)[int(common.sum()) // 2]
            self.steps.append((moved / np.float32(time - self.at)).astype(np.float32))
            del self.steps[:-MEMORY]
            self.velocity = sum(self.steps[1:], self.steps[0]) / np.float32(len(self.steps))
        # A joint that is missing now keeps its place relative to the body, for the next prediction.
        self.pose = pose if here.all() else np.where(here[:, None], pose, self.predicted(time))
        self.height += 0.2 * (height - self.height)
        self.at = time
        self.seen.append(frame)
        self.picks.append(pick)


def heights(poses: Floats) -> Floats:
    """Body height (n,) of poses (n, joints, coordinates + confidence), in their own unit; never 0."""
    there = (poses[..., -1] > 0).astype(np.float32)
    count = np.maximum(there.sum(axis=1), 1)
    centre = np.einsum("njc,nj->nc", poses[..., :-1], there) / count[:, None]
    away = poses[..., :-1] - centre[:, None]
    squares = np.einsum("njc,njc,nj->n", away, away, there) / count
    tall: Floats = np.maximum(HEIGHT_OF_SPREAD * np.sqrt(squares), 1e-6).astype(np.float32)
    return tall


def distances(first: Floats, second: Floats) -> Floats:
    """Mean distance (n, m) of the joints that two poses share, poses (n | m, joints, coordinates + confidence).

    Infinite where they share fewer than three.
    """
    shared = (first[:, None, :, -1] > 0) & (second[None, :, :, -1] > 0)
    apart = np.sqrt(((first[:, None, :, :-1] - second[None, :, :, :-1]) ** 2).sum(axis=-1))
    count = shared.sum(axis=-1)
    mean = (apart * shared).sum(axis=-1) / np.maximum(count, 1)
    return np.where(count >= 3, mean, np.inf).astype(np.float32)


def gate(seconds: float | NDArray[np.floating]) -> NDArray[np.floating]:
    """The largest distance, in body heights, at which a pose `seconds` later may still be the same person."""
    return np.minimum(REACH + DRIFT_PER_S * np.asarray(seconds), FARTHEST)


def link(times: NDArray[np.float64], frames: list[Floats]) -> list[Path]:
    """Paths of single people through `frames`, each (people, joints, coordinates + confidence), at `times` in seconds.

    A pose that could be either of two people, while the other is not seen, is given to neither.
    """
    alive: list[Path] = []
    done: list[Path] = []
    tall = _heights_of(frames)
    for number, (time, poses) in enumerate(zip(times, frames, strict=True)):
        done.extend(path for path in alive if path.lost(time))
        alive = [path for path in alive if not path.lost(time)]
        if not len(poses):
            continue
        unknown = assign(alive, poses, tall[number], number, float(time))
        alive.extend(Path(poses[pick], float(time), float(tall[number][pick]), [number], [pick]) for pick in unknown)
    return done + alive


def _heights_of(frames: list[Floats]) -> list[Floats]:
    """Body heights of the poses of each frame; one call for all, since thousands of small ones take longer."""
    some = [poses for poses in frames if len(poses)]
    if not some:
        return []
    return np.split(heights(np.concatenate(some)), np.cumsum([len(poses) for poses in frames])[:-1])


def assign(alive: list[Path], poses: Floats, tall: Floats, number: int, time: float) -> list[int]:
    """Give the poses of frame `number`, of heights `tall`, to the paths they continue; the indices of those that are
    somebody new. What is doubtful is noted in the paths."""
    if not alive:
        return list(range(len(poses)))
    costs = _costs(alive, poses, tall, time)
    since = time - np.array([path.at for path in alive])
    near, doubt = gate(since)[:, None] >= costs, DOUBT + DOUBT_PER_S * since
    young = np.array([len(path.seen) < MEMORY for path in alive])
    rows, columns = _cheapest(np.where(near, costs + 2 * DOUBT * young[:, None], np.inf))
    known = np.zeros(len(poses), dtype=bool)
    taken: list[tuple[int, int, list[int]]] = []
    for row, column in zip(rows, columns, strict=True):
        known[column] = True
        rivals = _rivals(costs, doubt, near, int(row), int(column), rows, columns)
        unseen = [rival for rival in rivals if rival not in rows and not young[rival]]
        for rival in unseen:
            alive[row].doubtful.append((number, alive[rival]))
            alive[rival].doubtful.append((number, alive[row]))
            if not young[row]:
                alive[row].hidden_at = alive[rival].hidden_at = time
        if not unseen:
            taken.append((int(row), int(column), rivals))
    for row, column, rivals in taken:
        for rival in rivals:
            alive[row].doubtful.append((number, alive[rival]))
        alive[row].take(poses[column], float(tall[column]), number, column, time, sure=not rivals)
    return [int(i) for i in np.flatnonzero(~known)]


def _costs(alive: list[Path], poses: Floats, tall: Floats, time: float) -> Floats:
    predicted = np.stack([path.predicted(time) for path in alive])
    expected = np.array([path.height for path in alive], dtype=np.float32)
    return (distances(predicted, poses) / ((expected[:, None] + tall[None]) / 2)).astype(np.float32)


def _cheapest(costs: Floats) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The assignment of least cost with as many pairs as are possible; infinite pairs are left out."""
    from scipy.optimize import linear_sum_assignment  # takes 0.2 s to import; most files hold one person

    forbidden = 10.0 * (FARTHEST + 1) * (min(costs.shape) + 1)
    rows, columns = linear_sum_assignment(np.where(np.isfinite(costs), costs, forbidden))
    possible = np.isfinite(costs[rows, columns])
    return rows[possible], columns[possible]


def _rivals(
    costs: Floats,
    doubt: NDArray[np.float64],
    near: NDArray[np.bool_],
    row: int,
    column: int,
    rows: NDArray[np.intp],
    columns: NDArray[np.intp],
) -> list[int]:
    """Other paths that this pose could continue nearly as well."""
    rivals = []
    for other in np.flatnonzero(near[:, column]):
        if other == row:
            continue
        more = costs[other, column] - costs[row, column]
        partner = columns[rows == other]
        if not len(partner):
            if more < max(doubt[row], doubt[other]):
                rivals.append(int(other))
        elif near[row, partner[0]] and more + costs[row, partner[0]] - costs[other, partner[0]] < DOUBT_SEEN:
            rivals.append(int(other))
    return rivals
