"""What the service answers about sequences that it was given to read."""

from collections.abc import Sequence

import msgspec

from model.errors import GaitkeeperError
from model.quality import IN_WORDS
from model.sequence import SkeletonSequence
from model.writing import sequence_json
from service.answers.quality import Quality, quality
from service.answers.templates import Skeleton
from service.engine.stage import Probe
from service.errors import problem_of
from service.problem import Problem
from service.receive import Examined


class ReadTrack(msgspec.Struct, frozen=True, kw_only=True):
    """One person. sequence: as another request takes it; null where `problem` says why there is none. first_frame:
    where it begins in its recording. words: its quality for people to read. notes: how it was read, and what would be
    changed to make it fit the encoder."""

    name: str
    sequence: Skeleton | None
    first_frame: int
    frames: int
    quality: Quality | None
    words: list[str]
    notes: list[str]
    problem: Problem | None


class Tracks(msgspec.Struct, frozen=True):
    """Everybody in what was sent, in its order."""

    tracks: list[ReadTrack]


def tracks(found: Sequence[Examined]) -> Tracks:
    """The sequences, and what is wrong with those that are none."""
    return Tracks([_track(each, each.probe) for each in found])


def _track(each: Examined, probe: Probe | GaitkeeperError) -> ReadTrack:
    if isinstance(probe, GaitkeeperError):
        return _no_track(each.name, probe)
    judged = probe.quality
    return ReadTrack(
        name=each.name,
        sequence=_sequence(probe.sequence),
        first_frame=each.first_frame,
        frames=probe.sequence.frames,
        quality=quality(judged),
        words=[IN_WORDS[reason] for reason in (*judged.reasons, *judged.advice)],
        notes=list(probe.notes),
        problem=None,
    )


def _no_track(name: str, error: GaitkeeperError) -> ReadTrack:
    return ReadTrack(
        name=name,
        sequence=None,
        first_frame=0,
        frames=0,
        quality=None,
        words=[],
        notes=[],
        problem=problem_of(error),
    )


def _sequence(sequence: SkeletonSequence) -> Skeleton:
    written = sequence_json(sequence)
    return Skeleton(
        layout=written.layout,
        fps=sequence.fps,
        joints=written.joints,
        confidence=written.confidence or [],
        units=sequence.units.value,
        aspect=sequence.aspect,
    )
