"""Sequences of a data set to embeddings, as the service makes them; who could not be embedded, and why."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.clips import to_clips
from model.errors import InvalidSequence, UnusableSequence
from model.inference import embed
from model.prepare import prepare
from model.runtime import Classifier, Encoder
from model.sequence import Floats, SkeletonSequence
from training.data.arrays import SequenceSet
from training.protocols.cells import Integers

BATCH = 64

Progress = Callable[[int], object]
"""Called with the number of sequences done since the last call."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A sequence that has no embedding. index: in the set; reasons: machine-readable words; detail: in numbers."""

    index: int
    reasons: tuple[str, ...]
    detail: str


@dataclass(frozen=True, eq=False)
class Embedded:
    """embeddings: (n, dim), zero where there is none; usable: (n,); left_out: only of those that were asked for."""

    embeddings: Floats
    usable: NDArray[np.bool_]
    left_out: tuple[LeftOut, ...]


def embed_set(
    encoder: Encoder, data: SequenceSet, which: Integers, *, batch: int = BATCH, progress: Progress | None = None
) -> Embedded:
    """Embeddings of the sequences `which` of the set; raises `LayoutMismatch` if the encoder cannot take them."""
    embeddings = np.zeros((len(data), encoder.dim), dtype=np.float32)
    usable = np.zeros(len(data), dtype=bool)
    left_out: list[LeftOut] = []
    for start in range(0, len(which), batch):
        taken: list[int] = []
        ready: list[SkeletonSequence] = []
        for i in which[start : start + batch].tolist():
            made = prepared(encoder, data, i)
            if isinstance(made, LeftOut):
                left_out.append(made)
            else:
                taken.append(i)
                ready.append(made)
        if ready:
            embeddings[taken] = embed(encoder, ready)
            usable[taken] = True
        if progress:
            progress(min(batch, len(which) - start))
    return Embedded(embeddings, usable, tuple(left_out))


def prepared(model: Encoder | Classifier, data: SequenceSet, i: int) -> SkeletonSequence | LeftOut:
    """Sequence i in the model's layout, long enough for a clip, or why not."""
    try:
        ready = prepare(data.sequence(i), model.layout, model.clip).sequence
        to_clips(ready, model.clip, model.layout)
    except UnusableSequence as error:
        return LeftOut(i, error.reasons, error.detail)
    except InvalidSequence as error:
        return LeftOut(i, (f"invalid_{error.field}",), error.reason)
    return ready
