"""What a reader hands over: tracks of single people, and notes of everything it had to assume."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from model.errors import InvalidRequest, InvalidSequence, SeveralTracks, UnreadableFile
from model.named_layouts import layout_named
from model.readers.source import printable
from model.sequence import FPS_LIMIT, SkeletonSequence

ASSUMED_FPS = 25.0
KINECT_FPS = 30.0


@dataclass(frozen=True, slots=True)
class Hints:
    """What the caller knows and the file may not say; it wins over what the file says.

    Raises `InvalidRequest`, and `UnknownLayout` also where the file leaves no choice of layout.

    fps: frames a second, counted by the source's own frame numbers. aspect: image width / height, or give both
    in pixels. layout: name of the layout, where the number of joints leaves a choice.
    """

    fps: float | None = None
    aspect: float | None = None
    layout: str | None = None
    width: float | None = None
    height: float | None = None

    def __post_init__(self) -> None:
        if self.fps is not None and not 0 < self.fps <= FPS_LIMIT:
            raise InvalidRequest("fps", f"must be above 0 and at most {FPS_LIMIT:g}, got {self.fps:g}")
        if self.ratio is not None and not 0.1 <= self.ratio <= 10:
            raise InvalidRequest("aspect", f"width / height must be in [0.1, 10], got {self.ratio:g}")
        if self.layout is not None:
            layout_named(self.layout)

    @property
    def ratio(self) -> float | None:
        """The aspect ratio, from itself or from width and height."""
        if self.aspect is not None:
            return self.aspect
        return self.width / self.height if self.width and self.height else None

    def rate(self, stated: float | None = None, assumed: float = ASSUMED_FPS) -> tuple[float, tuple[str, ...]]:
        """Frames a second and a note where they are not the file's: the hint, else `stated`, else `assumed`.

        Raises `InvalidSequence` where the file states what cannot be.
        """
        if stated is not None and not 0 < stated <= FPS_LIMIT:
            raise InvalidSequence("fps", f"must be above 0 and at most {FPS_LIMIT:g}, got {stated:g}")
        if self.fps is not None:
            changed = stated is not None and abs(stated - self.fps) > 0.01 * self.fps
            return self.fps, (f"fps_changed: the file says {stated:g}, taken as {self.fps:g}",) if changed else ()
        if stated is not None:
            return stated, ()
        return assumed, (f"fps_unknown: assumed {assumed:g}",)


def ratio_of(text: str) -> float:
    """An aspect ratio as people write it; raises `ValueError`.

    >>> ratio_of("16:9"), ratio_of("1.5")
    (1.7777777777777777, 1.5)
    """
    width, _, height = text.partition(":")
    try:
        ratio = float(width) / float(height or 1)
    except (ValueError, ZeroDivisionError):
        raise ValueError(f"{text!r} is neither a number nor width:height") from None
    if not 0.1 <= ratio <= 10:
        raise ValueError("width / height must lie between 0.1 and 10")
    return ratio


@dataclass(frozen=True, slots=True)
class Track:
    """One person of a file. `first_frame`: number of its first frame in the source."""

    name: str
    sequence: SkeletonSequence
    first_frame: int = 0
    labels: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Recording:
    """The tracks of one file. `format` names the reader, `notes` are `code: words`, `source` is the file's name."""

    format: str
    tracks: tuple[Track, ...]
    notes: tuple[str, ...] = ()
    source: str = "the file"

    def __post_init__(self) -> None:
        if not self.tracks:
            raise UnreadableFile(self.source, f"no person in it (read as {self.format})")
        if any(track.name != _plain(track.name) for track in self.tracks):
            object.__setattr__(self, "tracks", tuple(replace(track, name=_plain(track.name)) for track in self.tracks))
        names = [track.name for track in self.tracks]
        if len(set(names)) < len(names):
            object.__setattr__(self, "tracks", _with_unique_names(self.tracks))


def _plain(name: str) -> str:
    """A name out of a file, fit for a command line and a terminal."""
    return printable(name)[:200] or "unnamed"


def _with_unique_names(tracks: Sequence[Track]) -> tuple[Track, ...]:
    taken = {track.name for track in tracks}
    seen: set[str] = set()
    unique = []
    for track in tracks:
        name, number = track.name, 2
        while name in seen or (name != track.name and name in taken):
            name, number = f"{track.name}-{number}", number + 1
        seen.add(name)
        unique.append(replace(track, name=name))
    return tuple(unique)


def only_track(recording: Recording, name: str | None = None) -> Track:
    """The track of that name, or the only one there is.

    Raises `SeveralTracks` where a choice is needed and `InvalidRequest` for a name that is not there.
    """
    if name is None:
        if len(recording.tracks) > 1:
            raise SeveralTracks(recording.source, [track.name for track in recording.tracks])
        return recording.tracks[0]
    for track in recording.tracks:
        if track.name == name:
            return track
    there = ", ".join(track.name for track in recording.tracks[:8])
    raise InvalidRequest("track", f"no track {name!r} in {recording.source}; there are {there}")
