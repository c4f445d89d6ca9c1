"""The first batch in words: what is wrong with the data, said before hours are spent on it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from model.layout import Layout
from model.sequence import Floats
from training.first_look import bodies, classes, values
from training.first_look.batch import Batch, Integers
from training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class Findings:
    """notices: what looks wrong and what to do about it, a sentence or two each. refused: why training is hopeless."""

    notices: tuple[str, ...]
    refused: str | None = None


def look(
    clips: Floats, labels: Integers, recipe: Recipe, layout: Layout, names: Sequence[str],
    counts: Integers | None = None, lengths: Integers | None = None,
) -> Findings:  # fmt: skip
    """Look at one batch: clips (N, T, V, C) or (N, people, T, V, C), labels (N,) indices into the class `names`.

    counts: (classes,) recordings of each class that is trained on. lengths: (recordings,) their frames at the clip's
    frame rate. Without these two, only the batch is judged. Clips that no augmentation has changed tell more: noise
    hides padding.
    """
    clips = clips[:, None] if clips.ndim == 4 else clips
    batch = Batch(clips, labels, recipe, layout, tuple(names), counts, lengths)
    for hopeless in _hopeless(batch):
        return Findings((), hopeless)
    return Findings(tuple(_notices(batch)))


def _hopeless(batch: Batch) -> Iterator[str]:
    yield from values.wrong_shape(batch)
    yield from classes.nothing_to_learn(batch)
    yield from values.not_finite(batch)
    yield from values.nobody_seen(batch)
    yield from values.without_motion_or_difference(batch)


def _notices(batch: Batch) -> Iterator[str]:
    yield from values.confidences(batch)
    yield from values.constants(batch)
    yield from values.copies(batch)
    yield from values.padding(batch)
    yield from bodies.size(batch)
    yield from bodies.standing(batch)
    yield from bodies.sides(batch)
    yield from bodies.quality(batch)
    yield from classes.names(batch)
    yield from classes.rows(batch)
    yield from classes.contrast(batch)
