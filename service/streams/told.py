"""What a stream tells: its state, and what happens in it. Each event goes out under the name of its type."""

from datetime import datetime
from typing import Literal

import msgspec

from service.answers.recognition import Decision

Ending = Literal["deleted", "idle", "shutdown", "error"]


class Track(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is being followed. first, last: seconds since the stream's first frame. source: the camera's own id.
    outcome, subject: as decided last; null before that."""

    track: str
    first: float
    last: float
    source: str | None
    outcome: Literal["match", "no_match", "abstain"] | None
    subject: str | None


class Stream(msgspec.Struct, frozen=True, kw_only=True):
    """A camera's frames, and who is followed in them. fpir: of whole tracks, however often they are looked at; null
    without a calibration. looks_share: into how many looks it is divided. late: frames that came out of order and were
    left out."""

    id: str
    gallery: str
    layout: str
    fps: float
    units: Literal["pixels", "normalised", "metres"]
    aspect: float | None
    dims: int
    actions: bool
    trust_ids: bool
    fpir: float | None
    looks_share: int
    opened: datetime
    frames: int
    late: int
    waiting: int
    listeners: int
    tracks: list[Track]


class Streams(msgspec.Struct, frozen=True, kw_only=True):
    """The caller's streams. next: what to give as `after` for the next page; null on the last one."""

    streams: list[Stream]
    next: str | None


class Taken(msgspec.Struct, frozen=True):
    """How many frames were taken in; what they bring is told by the stream's events."""

    taken: int


class TrackStarted(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody is followed. at: seconds since the stream's first frame."""

    track: str
    at: float
    source: str | None


class TrackDecision(msgspec.Struct, frozen=True, kw_only=True):
    """Who somebody is, as soon as that is sure, and again when it changes. last: nothing more will be said of them.

    look: how often they were looked at, this time included; clips: how many the answer rests on. decision.fpir is the
    rate of this look (of a match that is kept, of the track), track_fpir that of the track with all its looks.
    previous: whom they were taken for until now.
    """

    track: str
    at: float
    look: int
    clips: int
    last: bool
    previous: str | None
    track_fpir: float | None
    decision: Decision


class TrackAction(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody did in these seconds of the stream."""

    track: str
    start: float
    end: float
    action: str
    probability: float


class TrackEnded(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody left, or can no longer be told from somebody else. at: when they were last seen."""

    track: str
    at: float
    frames: int


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody in a frame. track: null while it is not sure who it is. joints: [joint][coordinates]."""

    track: str | None
    joints: list[list[float]]
    confidence: list[float]


class FrameSeen(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody in one frame, for those who asked for skeletons."""

    frame: int
    at: float
    people: list[Figure]


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """Now and then. clips, unusable: windows that were encoded, and those in which nobody could be recognised."""

    at: float
    frames: int
    late: int
    waiting: int
    tracks: int
    clips: int
    unusable: int


class StreamEnded(msgspec.Struct, frozen=True, kw_only=True):
    """The last event. reason: why; detail: of an error."""

    reason: Ending
    detail: str = ""


NAMES: dict[type[msgspec.Struct], str] = {
    TrackStarted: "track_started",
    TrackDecision: "decision",
    TrackAction: "action",
    TrackEnded: "track_ended",
    FrameSeen: "frame",
    Stats: "stats",
    StreamEnded: "ended",
}
