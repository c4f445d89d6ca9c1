"""What is in a keypoint file, and whether it is usable: the facts that `gaitkeeper inspect` prints."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from model.conversion import plan
from model.errors import LayoutMismatch
from model.layout import Layout
from model.named_layouts import LAYOUTS
from model.quality import Quality, assess
from model.readers.recording import Recording, Track
from model.sequence import Units


@dataclass(frozen=True, slots=True)
class Judged:
    """A track and its quality."""

    track: Track
    quality: Quality

    def facts(self) -> dict[str, object]:
        """What there is to say, for JSON."""
        sequence = self.track.sequence
        return {
            "name": self.track.name,
            "first_frame": self.track.first_frame,
            "frames": sequence.frames,
            "seconds": round(sequence.seconds, 3),
            "fps": sequence.fps,
            "layout": sequence.layout.name,
            "dims": sequence.dims,
            "units": sequence.units.value,
            "aspect": sequence.aspect,
            "labels": dict(self.track.labels),
            "usable": self.quality.usable,
            "reasons": [str(reason) for reason in self.quality.reasons],
            "advice": [str(reason) for reason in self.quality.advice],
            "measures": {name: round(value, 4) for name, value in self.quality.measures.items()},
        }


@dataclass(frozen=True, slots=True)
class Way:
    """What converting to `layout` costs."""

    layout: str
    interpolated: tuple[str, ...]
    missing: tuple[str, ...]
    dropped: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Inspection:
    """A recording, its tracks judged, and the layouts that it can be converted to."""

    recording: Recording
    judged: tuple[Judged, ...]
    ways: tuple[Way, ...]

    @property
    def usable(self) -> int:
        return sum(each.quality.usable for each in self.judged)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the caller should know or give, in sentences."""
        found = []
        if any(_lacks_aspect(each.track) for each in self.judged):
            found.append(
                "coordinates are divided by the image's width and height, and its aspect ratio is unknown: "
                "give it (--aspect 16:9), or bodies are taken for wider or slimmer than they are"
            )
        if any(note.startswith("fps_unknown") for note in self.recording.notes):
            found.append("the file does not say its frame rate: give it (--fps 30), or tempo is wrong")
        if len(self.judged) > 1:
            found.append("the file holds several tracks; commands that take one person need --track NAME")
        return tuple(found)

    def facts(self) -> dict[str, object]:
        """What there is to say, for JSON."""
        return {
            "source": self.recording.source,
            "format": self.recording.format,
            "notes": list(self.recording.notes),
            "warnings": list(self.warnings),
            "tracks": [each.facts() for each in self.judged],
            "converts_to": {
                way.layout: {
                    "interpolated": list(way.interpolated),
                    "missing": list(way.missing),
                    "dropped": list(way.dropped),
                }
                for way in self.ways
            },
        }


def inspect_recording(
    recording: Recording, progress: Callable[[Iterable[Track]], Iterable[Track]] = iter
) -> Inspection:
    """Judge every track. `progress` may wrap the tracks to show how far it is."""
    judged = tuple(Judged(track, assess(track.sequence, notes=recording.notes)) for track in progress(recording.tracks))
    return Inspection(recording, judged, ways_from(recording.tracks[0].sequence.layout))


def ways_from(layout: Layout) -> tuple[Way, ...]:
    """The layouts that `layout` can become, those that lose least first."""
    ways = []
    for target in LAYOUTS.values():
        try:
            how = plan(layout, target)
        except LayoutMismatch:
            continue
        if target != layout:
            ways.append(Way(target.name, how.interpolated, how.missing, how.dropped))
    return tuple(sorted(ways, key=lambda way: (len(way.missing), len(way.interpolated), len(way.dropped))))


def _lacks_aspect(track: Track) -> bool:
    return track.sequence.units is Units.NORMALISED and track.sequence.aspect is None
