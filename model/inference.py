"""From sequences to embeddings or probabilities: clips, model, mean over a sequence's clips."""

from collections.abc import Sequence

import numpy as np

from model.clips import batch_clips, mean_over_clips, unit_length
from model.runtime import Classifier, Encoder
from model.sequence import Floats, SkeletonSequence


def embed(encoder: Encoder, sequences: Sequence[SkeletonSequence]) -> Floats:
    """Embeddings (sequences, dim): the mean over a sequence's clips, scaled to unit length.

    Sequences are in the encoder's layout and number of coordinates (`model.prepare` sees to it); raises
    `LayoutMismatch` where one is not, `UnusableSequence` where one is too short.
    """
    if not sequences:
        return np.empty((0, encoder.dim), np.float32)
    batch = batch_clips(sequences, encoder.clip, encoder.layout)
    return unit_length(mean_over_clips(encoder.embed_clips(batch.clips), batch.owner))


def classify(classifier: Classifier, sequences: Sequence[SkeletonSequence]) -> Floats:
    """Probabilities (sequences, labels): the mean over a sequence's clips. Raises as `embed` does."""
    if not sequences:
        return np.empty((0, len(classifier.labels)), np.float32)
    batch = batch_clips(sequences, classifier.clip, classifier.layout)
    return mean_over_clips(classifier.probabilities(batch.clips), batch.owner)
