"""The slow part of a stream, in a thread: people followed through frames, and windows of them made ready."""

from collections.abc import Sequence
from dataclasses import dataclass

from model.by_motion import ByMotion
from model.following import ByIds, Follower, Step
from service.engine.stage import Stage
from service.streams.asked import Form
from service.streams.frames import Arrived
from service.streams.told import Figure
from service.streams.tracked import Tracked, Window


@dataclass(frozen=True, slots=True, eq=False)
class Due:
    """Somebody of whom there are new windows, or who ended."""

    tracked: Tracked
    windows: list[Window]
    ended: bool


@dataclass(frozen=True, slots=True, eq=False)
class Moment:
    """What one frame brought; figures: everybody in it, if wanted."""

    frame: int
    started: list[Tracked]
    due: list[Due]
    figures: list[Figure] | None


class Moments:
    """One thread at a time may call it."""

    def __init__(self, form: Form, encoding: Stage, labelling: Stage | None) -> None:
        self._form, self._encoding, self._labelling = form, encoding, labelling
        self._follower: Follower = ByIds(form.fps) if form.trust_ids else ByMotion(form.fps, form.stretch)
        self._tracked: dict[str, Tracked] = {}
        self._digits = 1 if form.units == "pixels" else 4

    def advance(self, frames: Sequence[tuple[int, Arrived]], *, figures: bool) -> list[Moment]:
        """Numbered frames, in order. Raises what `Follower.step` raises."""
        return [
            self._moment(frame, self._follower.step(frame, arrived.poses, arrived.ids), figures)
            for frame, arrived in frames
        ]

    def finish(self, frame: int) -> Moment:
        """The end of everybody."""
        return self._moment(frame, self._follower.finish(), figures=False)

    def _moment(self, frame: int, step: Step, figures: bool) -> Moment:
        started = [Tracked(track, self._form, self._encoding, self._labelling) for track in step.started]
        self._tracked |= {each.track.name: each for each in started}
        settled = {track.name: seen for track, seen in step.settled}
        ended = {track.name for track in step.ended}
        due = []
        for name in [*settled, *(ended - settled.keys())]:
            tracked, last = self._tracked[name], name in ended
            windows = tracked.advance(settled.get(name, ()), last=last)
            if windows or last:
                due.append(Due(tracked, windows, last))
        for name in ended:
            del self._tracked[name]
        return Moment(frame, started, due, self._figures(step) if figures else None)

    def _figures(self, step: Step) -> list[Figure]:
        return [
            Figure(
                track=None if track is None else track.name or None,
                joints=pose[:, :-1].astype(float).round(self._digits).tolist(),
                confidence=pose[:, -1].astype(float).round(2).tolist(),
            )
            for pose, track in step.people
        ]
