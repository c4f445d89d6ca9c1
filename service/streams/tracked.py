"""One track of a stream: its windows, the mean of its clips, and what was said of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from gallery.sequential import Plan, Verdict
from gallery.template import Decision
from model.clips import unit_length
from model.errors import InvalidSequence
from model.following import Seen, Track
from model.quality import Reason
from model.sequence import Floats
from service.engine.stage import Probe, Stage
from service.streams.asked import Form
from service.streams.windows import Windows


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A window of somebody's frames, made ready. first, last: frame numbers. whole: as long as the model takes them.
    labelling: for the classifier."""

    first: int
    last: int
    whole: bool
    probe: Probe
    labelling: Probe | None = None

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why nobody can be recognised by it; none if somebody can.

        Whoever stands before a camera is seen as long as they stand, and calibrations rest on people who walk: a window
        without steps is left out, where /identify would only advise of it. In a shorter one steps cannot be told.
        """
        walks = not self.whole or Reason.NOT_WALKING not in self.probe.quality.advice
        return self.probe.reasons or (() if walks else (str(Reason.NOT_WALKING),))


@dataclass(slots=True)
class Mean:
    """The mean of clips, unit length. It begins anew with another model: embeddings of two are never mixed."""

    fingerprint: str = ""
    clips: int = 0
    total: Floats = field(default_factory=lambda: np.zeros(0, np.float32))

    def add(self, row: Floats, fingerprint: str) -> None:
        """row: (dim,), of one window."""
        if fingerprint != self.fingerprint:
            self.fingerprint, self.clips, self.total = fingerprint, 0, np.zeros_like(row)
        self.clips += 1
        self.total = self.total + row

    @property
    def embedding(self) -> Floats:
        """(dim,)"""
        embedding: Floats = unit_length((self.total / np.float32(self.clips))[None])[0]
        return embedding


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What was said of somebody. frame: when. `service.streams.told.TrackDecision` says what the rest means."""

    track: str
    frame: int
    look: int
    clips: int
    last: bool
    previous: str | None
    track_fpir: float | None
    decision: Decision
    probe: Probe


class Tracked:
    """Somebody who is followed. The frames it holds are those of two windows at most.

    judged: windows so far, usable or not. probe: the last usable one, or else the last. reasons: why it is not usable.
    replayed: whether the first
    look found a recording that was there before. told: what was said last.
    """

    def __init__(self, track: Track, form: Form, encoding: Stage, labelling: Stage | None) -> None:
        self.track, self._form, self._encoding, self._labelling = track, form, encoding, labelling
        self._windows = Windows(encoding.clip, form.fps)
        self.mean, self.verdict = Mean(), Verdict()
        self.judged = 0
        self.probe: Probe | None = None
        self.reasons: tuple[str, ...] = ()
        self.replayed: bool | None = None
        self.told: Said | None = None

    def advance(self, seen: Sequence[Seen], *, last: bool) -> list[Window]:
        """Take frames in; the windows that are whole now, and with `last` what is left of the track. Slow: not for the
        event loop."""
        found = [*self._windows.add(seen)]
        if last:
            found += filter(None, [self._windows.rest()])
        return [*filter(None, (self._window(first, frames) for first, frames in found))]

    def _window(self, first: int, frames: Floats) -> Window | None:
        """None for numbers so absurd that they are no skeleton in the model's layout any more."""
        try:
            sequence = self._form.sequence(frames)
            labelling = None if self._labelling is None else self._labelling.examine(sequence)
            probe = self._encoding.examine(sequence)
        except InvalidSequence:
            return None
        return Window(first, first + len(frames) - 1, len(frames) == self._windows.length, probe, labelling)

    def due(self, plan: Plan, *, last: bool) -> bool:
        """Whether the track is to be looked at now."""
        clips, looked = self.mean.clips, self.verdict.clips
        if last:
            return clips > looked and plan.left(self.verdict.looks)
        return clips > looked and plan.due(clips, self.verdict.looks)
