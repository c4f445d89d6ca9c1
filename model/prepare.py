"""Whatever came in, made into what a model takes, with a note of every change."""

from dataclasses import dataclass

from model.clips import ClipSpec
from model.conversion import convert
from model.errors import LayoutMismatch, LimitExceeded
from model.layout import Layout
from model.limits import FILE_FRAMES
from model.projection import project
from model.sequence import SkeletonSequence, Units


@dataclass(frozen=True, slots=True)
class Prepared:
    """A sequence in the model's layout and number of coordinates, and what was changed to get there."""

    sequence: SkeletonSequence
    notes: tuple[str, ...]


def prepare(sequence: SkeletonSequence, layout: Layout, spec: ClipSpec) -> Prepared:
    """Convert the layout, and project 3-D metres for a 2-D model.

    Raises `LayoutMismatch` where there is no way from the sequence to the model, `LimitExceeded` where its frame rate
    is so low that resampling would make hours of a few frames.
    """
    if (resampled := sequence.seconds * spec.fps) > FILE_FRAMES:
        raise LimitExceeded(f"fps {sequence.fps:g}: frames at the model's {spec.fps:g} fps", FILE_FRAMES, resampled)
    notes: list[str] = []
    if sequence.layout != layout:
        conversion = convert(sequence, layout)
        notes.append(f"converted from {sequence.layout.name} to {layout.name}")
        notes.extend(conversion.notes)
        sequence = conversion.sequence
    if sequence.dims == 3 and spec.dims == 2 and sequence.units is Units.METRES:
        notes.append("3-D joints were projected into an image; the model was trained on images of a camera")
        sequence = project(sequence)
    if sequence.dims != spec.dims:
        raise LayoutMismatch(f"{spec.dims}-D", f"{sequence.dims}-D", "the model takes another number of coordinates")
    if sequence.units is Units.NORMALISED and sequence.aspect is None:
        notes.append("coordinates are divided by image width and height, and the aspect ratio is not given: taken as 1")
    return Prepared(sequence, tuple(notes))
