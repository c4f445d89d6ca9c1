"""Whatever came in, made into what a model takes, with a note of every change."""

from collections.abc import Sequence
from dataclasses import dataclass

from model.clips import ClipSpec
from model.conversion import convert
from model.errors import LayoutMismatch, LimitExceeded
from model.layout import Layout
from model.limits import FILE_FRAMES
from model.projection import project_together
from model.sequence import SkeletonSequence, Units


@dataclass(frozen=True, slots=True)
class Prepared:
    """A sequence in the model's layout and number of coordinates, and what was changed to get there."""

    sequence: SkeletonSequence
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PreparedPeople:
    """The same of all people of a recording, in their order."""

    sequences: tuple[SkeletonSequence, ...]
    notes: tuple[str, ...]


def prepare(sequence: SkeletonSequence, layout: Layout, spec: ClipSpec) -> Prepared:
    """Convert the layout, and project 3-D metres for a 2-D model.

    Raises `LayoutMismatch` where there is no way from the sequence to the model, `LimitExceeded` where its frame rate
    is so low that resampling would make hours of a few frames.
    """
    prepared = prepare_people((sequence,), layout, spec)
    return Prepared(prepared.sequences[0], prepared.notes)


def prepare_people(people: Sequence[SkeletonSequence], layout: Layout, spec: ClipSpec) -> PreparedPeople:
    """As `prepare`, of people who are seen by the same camera at the same time; each note once."""
    notes: list[str] = []
    made = []
    for sequence in people:
        _check_length(sequence, spec)
        if sequence.layout != layout:
            conversion = convert(sequence, layout)
            notes += [f"converted from {sequence.layout.name} to {layout.name}", *conversion.notes]
            sequence = conversion.sequence
        made.append(sequence)
    first = made[0]
    if first.dims == 3 and spec.dims == 2 and all(sequence.units is Units.METRES for sequence in made):
        notes.append("3-D joints were projected into an image; the model was trained on images of a camera")
        made = list(project_together(made))
    if any(sequence.dims != spec.dims for sequence in made):
        raise LayoutMismatch(f"{spec.dims}-D", f"{first.dims}-D", "the model takes another number of coordinates")
    if first.units is Units.NORMALISED and first.aspect is None:
        notes.append("coordinates are divided by image width and height, and the aspect ratio is not given: taken as 1")
    return PreparedPeople(tuple(made), tuple(dict.fromkeys(notes)))


def _check_length(sequence: SkeletonSequence, spec: ClipSpec) -> None:
    if spec.sampling == "windows" and (resampled := sequence.seconds * spec.fps) > FILE_FRAMES:
        raise LimitExceeded(f"fps {sequence.fps:g}: frames at the model's {spec.fps:g} fps", FILE_FRAMES, resampled)
