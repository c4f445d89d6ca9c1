import numpy as np
import pytest

from model.clips import ClipSpec, to_clips, unit_length
from model.errors import LayoutMismatch, UnusableSequence
from model.inference import classify, embed
from model.named_layouts import COCO_17, H36M_17
from tests.fakes import FakeEncoder, walking


class ConfidenceClassifier:
    """Says `left` with the share of confidence in the clip."""

    fingerprint, layout, clip = "0" * 64, COCO_17, ClipSpec()
    labels: tuple[str, ...] = ("left", "right")

    def probabilities(self, clips):
        share = clips[..., -1].mean(axis=(1, 2))
        return np.stack([share, 1 - share], axis=1).astype(np.float32)


def test_an_embedding_is_the_mean_over_clips_at_unit_length():
    encoder = FakeEncoder()
    sequence = walking(1, frames=150)
    clips = encoder.embed_clips(to_clips(sequence, encoder.clip, encoder.layout))
    np.testing.assert_allclose(embed(encoder, [sequence])[0], unit_length(clips.mean(axis=0)), atol=1e-6)


def test_sequences_of_any_length_share_one_call():
    encoder = FakeEncoder()
    sequences = [walking(i, frames=frames) for i, frames in enumerate((30, 60, 200))]
    together = embed(encoder, sequences)
    assert len(encoder.calls) == 1
    alone = np.concatenate([embed(encoder, [each]) for each in sequences])
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_nothing_gives_nothing():
    assert embed(FakeEncoder(), []).shape == (0, 16)
    assert classify(ConfidenceClassifier(), []).shape == (0, 2)


def test_probabilities_are_the_mean_over_clips():
    probabilities = classify(ConfidenceClassifier(), [walking(frames=100)])
    np.testing.assert_allclose(probabilities, np.array([[0.9, 0.1]]), atol=1e-6)


def test_another_layout_and_too_few_frames_are_refused():
    with pytest.raises(LayoutMismatch):
        embed(FakeEncoder(), [walking(layout=H36M_17)])
    with pytest.raises(UnusableSequence, match="too_short"):
        embed(FakeEncoder(), [walking(frames=10)])
