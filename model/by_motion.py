"""People followed while their frames come in: the linking of `model/linking.py`, with a bounded memory.

    frame ─> link to paths ─> in doubt? ─ no ──> settled: certainly one person's
                                  └─ yes ─> kept back until the overlap is over, and `model/overlaps.py` says who is who

What is settled is never taken back. While two people cannot be told apart their frames wait; then the tracks go on,
are exchanged, or end where nobody can say, and new ones begin.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from model.following import PATHS, Names, Step, Track
from model.linking import MEMORY, Path, assign, heights
from model.overlaps import REST_S, WINDOW, Side, clear_after, gain_of_order, side_of
from model.sequence import Floats
from model.tracks import once_each

PATIENCE_S = 1.0
"""So long after an overlap its people are waited for, to be seen often enough to tell them apart."""
LONGEST_OVERLAP_S = 8.0
"""People who cannot be told apart for longer are new people: nothing is kept back without a bound."""


@dataclass(slots=True, eq=False)
class _Overlap:
    one: Path
    other: Path
    first: int
    last: int


class ByMotion:
    """Follows people by their motion, as `model.tracks.follow` does.

    stretch: width / height where coordinates are normalised, so that distances are those of the image.
    """

    def __init__(self, fps: float, stretch: float = 1.0) -> None:
        self._fps, self._stretch = fps, stretch
        self._paths: list[Path] = []
        self._owner: dict[int, Track] = {}
        self._overlaps: list[_Overlap] = []
        self._names = Names()
        self._ended: list[Track] = []

    def step(self, frame: int, poses: Floats, ids: Sequence[str] | None = None) -> Step:
        del ids
        time = frame / self._fps
        poses = once_each(poses)
        self._forget([path for path in self._paths if path.lost(time)])
        shown = self._linked(frame, time, poses)
        self._note_doubts(frame)
        self._judge(frame)
        for track in self._owner.values():
            track.settle(self._sure_until(track))
        return self._said(shown)

    def finish(self) -> Step:
        self._forget(list(self._paths))
        return self._said(())

    def _linked(self, frame: int, time: float, poses: Floats) -> list[tuple[Floats, Path | None]]:
        if not len(poses):
            return []
        flat = self._stretched(poses)
        tall = heights(flat)
        for pick in assign(self._paths, flat, tall, frame, time):
            path = Path(flat[pick], time, float(tall[pick]), [frame], [pick])
            self._paths.append(path)
            self._owner[id(path)] = Track(frame, frame)
        mine = {path.picks[-1]: path for path in self._paths if path.seen[-1] == frame}
        for pick, path in mine.items():
            self._owner[id(path)].add(frame, poses[pick])
            del path.seen[:-MEMORY], path.picks[:-MEMORY]
        self._bound()
        alive = {id(path) for path in self._paths}
        return [
            (pose, mine[pick] if pick in mine and id(mine[pick]) in alive else None) for pick, pose in enumerate(poses)
        ]

    def _stretched(self, poses: Floats) -> Floats:
        if self._stretch == 1.0:
            return poses
        flat = poses.copy()
        flat[..., 0] *= np.float32(self._stretch)
        return flat

    def _bound(self) -> None:
        if len(self._paths) > PATHS:
            order = sorted(self._paths, key=lambda path: (self._owner[id(path)].count, path.at))
            self._forget(order[: len(order) - PATHS])

    @property
    def tracks(self) -> list[Track]:
        """Everybody in mind, ghosts among them."""
        return [*self._owner.values()]

    # Overlaps

    def _note_doubts(self, frame: int) -> None:
        for path in self._paths:
            for _, other in path.doubtful:
                if id(other) in self._owner and other is not path:
                    self._doubt(path, other, frame)
            path.doubtful.clear()

    def _doubt(self, path: Path, other: Path, frame: int) -> None:
        for overlap in self._overlaps:
            same = {id(overlap.one), id(overlap.other)} == {id(path), id(other)}
            if same and (frame - overlap.last) / self._fps <= REST_S:
                overlap.last = frame
                return
        self._overlaps.append(_Overlap(path, other, frame, frame))

    def _judge(self, frame: int) -> None:
        for overlap in [each for each in self._overlaps if self._over(each, frame)]:
            self._decide(overlap)

    def _over(self, overlap: _Overlap, frame: int) -> bool:
        rest = (frame - overlap.last) / self._fps
        if (frame - overlap.first) / self._fps > LONGEST_OVERLAP_S or rest > REST_S + PATIENCE_S:
            return True
        owners = [self._owner[id(path)] for path in (overlap.one, overlap.other)]
        seen = [sum(number > overlap.last for number, _ in owner.waiting) for owner in owners]
        return rest > REST_S and min(seen) >= WINDOW

    def _decide(self, overlap: _Overlap) -> None:
        """They go on, are exchanged, or end and new ones begin; but in the first case what was in doubt is left out."""
        self._overlaps.remove(overlap)
        first, last = overlap.first, overlap.last
        a, b = self._owner[id(overlap.one)], self._owner[id(overlap.other)]
        if a is b:
            return
        seconds = (last - first) / self._fps
        sides = [self._sides(track, first, last) for track in (a, b)]
        gain = gain_of_order(sides, (first + last) / 2 / self._fps)
        if gain is None:  # of one of them nothing is known before or after; or nobody has been able to say for long
            gain = 0.0 if seconds > LONGEST_OVERLAP_S / 2 else np.inf
        clear = clear_after(seconds)
        if gain > clear:
            return
        tails = [[seen for seen in track.waiting if seen[0] > last] for track in (a, b)]
        for track in (a, b):
            track.waiting = [seen for seen in track.waiting if seen[0] < first]
        if gain < -clear:
            self._owner[id(overlap.one)], self._owner[id(overlap.other)] = b, a
            a.extend(tails[1])
            b.extend(tails[0])
            return
        for path, track, tail in ((overlap.one, a, tails[0]), (overlap.other, b, tails[1])):
            self._end(track)
            self._owner[id(path)] = Track(last, last)
            self._owner[id(path)].extend(tail)

    def _sides(self, track: Track, first: int, last: int) -> tuple[Side | None, Side | None]:
        seen = [*track.before, *track.waiting]
        parts = [each for each in seen if each[0] < first][-WINDOW:], [each for each in seen if each[0] > last][:WINDOW]
        before, after = (
            side_of([(frame / self._fps, self._stretched(pose)) for frame, pose in part]) for part in parts
        )
        return before, after

    def _sure_until(self, track: Track) -> float:
        """The first frame that an overlap has put in doubt."""
        doubts = (
            each.first for each in self._overlaps if track in (self._owner[id(each.one)], self._owner[id(each.other)])
        )
        return min(doubts, default=np.inf)

    # Ends

    def _forget(self, paths: Sequence[Path]) -> None:
        """These people are gone; who is in doubt with them is judged now."""
        for path in paths:
            for overlap in [each for each in self._overlaps if path is each.one or path is each.other]:
                self._decide(overlap)
        for path in paths:
            self._end(self._owner.pop(id(path)))
            self._paths = [each for each in self._paths if each is not path]

    def _end(self, track: Track) -> None:
        track.settle(np.inf)
        self._ended.append(track)

    def _said(self, shown: Sequence[tuple[Floats, Path | None]]) -> Step:
        started = self._names.announce([*self._ended, *self._owner.values()])
        ended = tuple(track for track in self._ended if track.announced)
        self._ended = []
        tracks = (*ended, *(track for track in self._owner.values() if track.announced))
        people = tuple((pose, None if path is None else self._owner[id(path)]) for pose, path in shown)
        return Step(people, started, tuple((track, track.take()) for track in tracks if track.settled), ended)
