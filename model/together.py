"""The people of one file as one recording: those who are there at the same time, on one clock."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from model.errors import SeveralTracks
from model.readers.recording import Recording, Track
from model.sequence import SkeletonSequence


@dataclass(frozen=True, slots=True)
class Together:
    """A sequence for each person, all of the same frames, absent ones without confidence; and what was assumed."""

    sequences: tuple[SkeletonSequence, ...]
    notes: tuple[str, ...] = ()


def together(recording: Recording, people: int) -> Together:
    """The recording's tracks as those of at most `people` people, whoever has most frames first.

    Tracks are of one recording if each is there at the same time as another one; one that ended before another began
    is taken for the same person where there is a place for both (a tracker lost somebody). Raises `SeveralTracks` where
    some have no moment in common with the others: which of them is meant is the caller's to say.
    """
    tracks = sorted(recording.tracks, key=lambda track: -track.sequence.frames)
    if len(tracks) == 1:
        return Together((tracks[0].sequence,))
    if not _at_one_time(tracks) or len({_kind(track) for track in tracks}) > 1:
        raise SeveralTracks(recording.source, [track.name for track in recording.tracks])
    places, left_out = _placed(tracks, people)
    start = min(track.first_frame for place in places for track in place)
    stop = max(_stop(track) for place in places for track in place)
    return Together(tuple(_sequence(place, start, stop) for place in places), tuple(_notes(places, left_out, people)))


def _stop(track: Track) -> int:
    return track.first_frame + track.sequence.frames


def _kind(track: Track) -> tuple[object, ...]:
    sequence = track.sequence
    return sequence.layout, sequence.fps, sequence.units, sequence.aspect, sequence.dims


def _at_one_time(tracks: Sequence[Track]) -> bool:
    """Whether no moment of the whole is without anybody, so that nothing falls into parts."""
    first, *others = sorted(tracks, key=lambda track: track.first_frame)
    reach = _stop(first)
    for track in others:
        if track.first_frame >= reach:
            return False
        reach = max(reach, _stop(track))
    return True


def _placed(tracks: Sequence[Track], people: int) -> tuple[list[list[Track]], list[Track]]:
    """Tracks, longest first, each with those it does not overlap; and those for whom there is no place left."""
    places: list[list[Track]] = []
    left_out = []
    for track in tracks:
        free = (place for place in places if not any(_overlap(track, other) for other in place))
        if (place := next(free, None)) is not None:
            place.append(track)
        elif len(places) < people:
            places.append([track])
        else:
            left_out.append(track)
    return places, left_out


def _overlap(one: Track, other: Track) -> bool:
    return one.first_frame < _stop(other) and other.first_frame < _stop(one)


def _sequence(place: Sequence[Track], start: int, stop: int) -> SkeletonSequence:
    """Frames start..stop of the source, with nobody in those that no track of the place has."""
    model = place[0].sequence
    joints = np.zeros((stop - start, *model.joints.shape[1:]), np.float32)
    confidence = np.zeros(joints.shape[:2], np.float32)
    for track in place:
        here = slice(track.first_frame - start, _stop(track) - start)
        joints[here], confidence[here] = track.sequence.joints, track.sequence.confidence
    return replace(model, joints=joints, confidence=confidence)


def _notes(places: Sequence[Sequence[Track]], left_out: Sequence[Track], people: int) -> list[str]:
    names = [" and ".join(track.name for track in place) for place in places]
    notes = [f"together: {len(places)} people are one recording (tracks {'; '.join(names)})"]
    if any(len(place) > 1 for place in places):
        notes.append("joined: tracks that follow each other are taken for one person")
    if left_out:
        dropped = ", ".join(track.name for track in left_out[:8])
        notes.append(f"left out: {len(left_out)} tracks ({dropped}); the model takes {people} people")
    return notes
