"""Sets of single people as a stream of recordings of one person each."""

from collections.abc import Sequence

import numpy as np

from training.data.arrays import LABELS, SequenceSet
from training.data.stream import Items, Taken


def from_sequences(data: SequenceSet, names: Sequence[str]) -> Items:
    """Each sequence under its name, with all its labels; actions are numbered in the order of their names."""
    classes = np.unique(data.action)
    numbered = len(classes) > 1
    for i, name in enumerate(names):
        labels = {label: str(data.labels(label)[i]) for label in LABELS}
        number = int(np.searchsorted(classes, data.action[i])) if numbered and data.action[i] else -1
        frames = data.frames[data.offsets[i] : data.offsets[i + 1]]
        yield Taken(name, frames[None], labels, number, data.fps_of(i))
