"""Data whose answer is written into it, and models that read it or cannot."""

import numpy as np

from model.clips import ClipSpec, unit_length
from model.named_layouts import COCO_17
from training.data.arrays import SequenceSet
from training.protocols import casia_b

RUNS = [f"nm-{i:02d}" for i in range(1, 7)] + ["bg-01", "bg-02", "cl-01", "cl-02"]
FRAMES = 24


def casia_b_walks(people=3, short=()):
    """Every sequence of CASIA-B for `people` of its test subjects; the nose's x says who it is.

    short: indices of sequences that get one frame less than a clip needs.
    """
    rows = [(f"{75 + s:03d}", run, view) for s in range(people) for run in RUNS for view in casia_b.VIEWS]
    subject, run, view = np.array(rows).T
    lengths = np.full(len(rows), FRAMES)
    lengths[list(short)] = FRAMES - 1
    rng = np.random.default_rng(0)
    base = rng.uniform(0, 100, (17, 2)).astype(np.float32)
    frames = np.ones((lengths.sum(), 17, 3), np.float32)
    frames[..., :2] = base + rng.normal(0, 2, (len(frames), 17, 2))
    frames[:, 0, 0] = 10 * np.repeat(subject.astype(int) - 74, lengths)
    return SequenceSet.of(
        frames, np.cumsum([0, *lengths]), COCO_17, 25,
        subject=subject, sequence=run, view=view, condition=[r[:2] for r in run],
    )  # fmt: skip


def actions(labels=("walk", "run"), people=3):
    """Two sequences of every action of everybody; the nose's x says which action it is."""
    rows = [(f"{s:03d}", label) for s in range(people) for label in labels for _ in range(2)]
    subject, action = np.array(rows).T
    frames = np.ones((len(rows) * FRAMES, 17, 3), np.float32)
    frames[:, 0, 0] = 10 * np.repeat([1 + labels.index(a) for a in action], FRAMES)
    return SequenceSet.of(
        frames, np.arange(len(rows) + 1) * FRAMES, COCO_17, 25, subject=subject, action=action,
        part=np.where(subject == "000", "test", "train"),
    )  # fmt: skip


def _written(clips):
    return np.rint(clips[:, :, 0, 0].mean(axis=1) / 10).astype(int)


class PerfectEncoder:
    """Reads who it is."""

    fingerprint, layout, clip, dim = "perfect", COCO_17, ClipSpec(), 64

    def embed_clips(self, clips):
        return np.eye(self.dim, dtype=np.float32)[_written(clips)]


class RandomEncoder(PerfectEncoder):
    """Sees nothing."""

    fingerprint = "random"

    def __init__(self, seed=0):
        self._rng = np.random.default_rng(seed)

    def embed_clips(self, clips):
        return unit_length(self._rng.normal(size=(len(clips), self.dim)).astype(np.float32))


class PerfectClassifier:
    """Reads which action it is."""

    fingerprint, layout, clip = "perfect", COCO_17, ClipSpec()

    def __init__(self, labels=("walk", "run")):
        self.labels = tuple(labels)

    def probabilities(self, clips):
        return np.eye(len(self.labels), dtype=np.float32)[_written(clips) - 1]
