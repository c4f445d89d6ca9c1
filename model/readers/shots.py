"""Frames of several videos in one place: each video is followed on its own, never across."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from model.errors import UnreadableFile
from model.layout import Layout
from model.readers.assemble import recording_of
from model.readers.recording import ASSUMED_FPS, Hints, Recording
from model.readers.source import Source
from model.sequence import Units
from model.tracks import People


@dataclass(frozen=True, slots=True)
class Shot:
    """The frames of one video."""

    name: str
    frames: Sequence[People]


def recording_of_shots(
    form: str,
    source: Source,
    shots: Sequence[Shot],
    layout: Layout,
    hints: Hints,
    *,
    fps: float | None = None,
    assumed_fps: float = ASSUMED_FPS,
    units: Units | None = None,
    notes: Sequence[str] = (),
) -> Recording:
    """One recording of all shots; track names begin with the shot's where there are several."""
    with_people = [shot for shot in shots if any(len(people.poses) for people in shot.frames)]
    if not with_people:
        raise UnreadableFile(source.name, "no person in any of its frames")
    read = [
        recording_of(
            form, source, shot.frames, layout, hints, fps=fps, assumed_fps=assumed_fps, units=units, notes=notes
        )
        for shot in with_people
    ]
    if len(read) == 1:
        return read[0]
    tracks = [
        replace(track, name=f"{shot.name}/{track.name}")
        for shot, part in zip(with_people, read, strict=True)
        for track in part.tracks
    ]
    said = dict.fromkeys(note for part in read for note in part.notes)
    return Recording(
        form, tuple(tracks), (*said, f"several_videos: frames of {len(read)} videos were kept apart"), source.name
    )
