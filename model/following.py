"""People followed while their frames come in: tracks that grow, and what each frame brought.

`model/by_motion.py` follows those whom a detector saw; `ByIds` believes a source that tracks.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import numpy as np

from model.errors import InvalidRequest
from model.linking import FRAGMENT, LONGEST_HIDDEN_S
from model.overlaps import WINDOW
from model.sequence import Floats

PATHS = 128
"""People in mind at a time; beyond it those who were seen least are forgotten."""

Seen: TypeAlias = tuple[int, Floats]
"""Frame number and pose (joints, coordinates + confidence)."""


@dataclass(slots=True, eq=False)
class Track:
    """One person so far. first, last: frame numbers. source: the source's own id. name: unique in its stream; empty
    while it may be a ghost.

    settled: what became certain since it was taken last. before: the last frames that did. waiting: those after them.
    """

    first: int
    last: int
    source: str | None = None
    name: str = ""
    count: int = 0
    settled: list[Seen] = field(default_factory=list)
    before: deque[Seen] = field(default_factory=lambda: deque(maxlen=WINDOW))
    waiting: list[Seen] = field(default_factory=list)

    def add(self, frame: int, pose: Floats) -> None:
        self.waiting.append((frame, pose))
        self.last, self.count = frame, self.count + 1

    def settle(self, until: float) -> None:
        """What waits of frames before `until` is certain."""
        sure = [seen for seen in self.waiting if seen[0] < until]
        self.waiting = self.waiting[len(sure) :]
        self.settled += sure
        self.before.extend(sure)

    @property
    def announced(self) -> bool:
        return bool(self.name)

    def extend(self, seen: Sequence[Seen]) -> None:
        for frame, pose in seen:
            self.add(frame, pose)

    def take(self) -> list[Seen]:
        taken, self.settled = self.settled, []
        return taken


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """What a frame brought. people: whom it shows, and whose track that seems to be (None: nobody's yet, or in doubt).
    started, ended: tracks. settled: what became certain of which track; of those that ended, too."""

    people: tuple[tuple[Floats, Track | None], ...] = ()
    started: tuple[Track, ...] = ()
    settled: tuple[tuple[Track, list[Seen]], ...] = ()
    ended: tuple[Track, ...] = ()


class Follower(Protocol):
    """Frames must be given in rising order. `ids`: the source's name for each pose."""

    def step(self, frame: int, poses: Floats, ids: Sequence[str] | None = None) -> Step:
        """Poses (people, joints, coordinates + confidence) of one frame."""
        ...

    def finish(self) -> Step:
        """The end of the stream: what is left, and the end of every track."""
        ...


class ByIds:
    """Believes the ids of a source that tracks. Who is not seen for long is a new track under the same id."""

    def __init__(self, fps: float) -> None:
        self._fps = fps
        self._tracks: dict[str, Track] = {}
        self._names = Names()

    def step(self, frame: int, poses: Floats, ids: Sequence[str] | None = None) -> Step:
        """Raises `InvalidRequest` where an id is missing or there twice."""
        if len(poses) != len(ids or ()):
            raise InvalidRequest("id", "everybody must have one, since this stream trusts them")
        if len(set(ids or ())) != len(poses):
            raise InvalidRequest("id", "nobody is in a frame twice")
        gone = [each for each in self._tracks.values() if (frame - each.last) / self._fps > LONGEST_HIDDEN_S]
        others = sorted(
            (each for each in self._tracks.values() if each not in gone),
            key=lambda each: (each.source in (ids or ()), each.last),
        )
        gone += others[: max(0, len({*(each.source for each in others), *(ids or ())}) - PATHS)]
        for track in gone:
            del self._tracks[track.source or ""]
        shown = []
        for pose, name in zip(poses, ids or (), strict=True):
            track = self._tracks.setdefault(name, Track(frame, frame, name))
            track.add(frame, pose)
            track.settle(np.inf)
            shown.append((pose, track))
        return self._said(shown, gone)

    def finish(self) -> Step:
        gone = [*self._tracks.values()]
        self._tracks.clear()
        return self._said((), gone)

    def _said(self, shown: Sequence[tuple[Floats, Track]], gone: Sequence[Track]) -> Step:
        started = self._names.announce([*gone, *self._tracks.values()])
        tracks = [track for track in (*gone, *self._tracks.values()) if track.announced and track.settled]
        settled = tuple((track, track.take()) for track in tracks)
        return Step(tuple(shown), started, settled, tuple(track for track in gone if track.announced))


class Names:
    """Numbers tracks in the order in which they turn out to be more than a ghost of the detector."""

    def __init__(self) -> None:
        self._named = 0

    def announce(self, tracks: Sequence[Track]) -> tuple[Track, ...]:
        started = tuple(track for track in tracks if not track.announced and track.count >= FRAGMENT)
        for track in started:
            self._named += 1
            track.name = str(self._named)
        return started
