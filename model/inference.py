"""From sequences to embeddings or probabilities: clips, model, mean over a sequence's clips."""

from collections.abc import Sequence

import numpy as np

from model.clips import Recording, batch_clips, mean_over_clips, unit_length
from model.runtime import Classifier, Encoder
from model.sequence import Floats


def embed(encoder: Encoder, recordings: Sequence[Recording]) -> Floats:
    """Embeddings (recordings, dim): the mean over a recording's clips, scaled to unit length.

    A recording is one sequence, or a tuple of those of its people, in the encoder's layout and number of coordinates
    (`model.prepare` sees to it). Raises `LayoutMismatch` where one is not, `UnusableSequence` where one is too short.
    """
    if not recordings:
        return np.empty((0, encoder.dim), np.float32)
    batch = batch_clips(recordings, encoder.clip, encoder.layout)
    return unit_length(mean_over_clips(encoder.embed_clips(batch.clips), batch.owner))


def classify(classifier: Classifier, recordings: Sequence[Recording]) -> Floats:
    """Probabilities (recordings, labels): the mean over a recording's clips. Raises as `embed` does."""
    if not recordings:
        return np.empty((0, len(classifier.labels)), np.float32)
    batch = batch_clips(recordings, classifier.clip, classifier.layout)
    return mean_over_clips(classifier.probabilities(batch.clips), batch.owner)
