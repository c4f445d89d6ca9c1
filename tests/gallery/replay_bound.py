"""Measures which score tells one recording that comes twice from two walks of one person.

    PYTHONPATH=. python -P -m tests.gallery.replay_bound --subjects 200

Simulated walkers, embedded by the shipped encoder. A recording comes again as a file of other precision, from a smaller
picture, without its first frames, or with its keypoints detected anew. Two walks are of one person in the same clothes
before the same camera: the most alike that two recordings can be.
"""

import argparse
from collections.abc import Iterator

import numpy as np

from gallery.replay import ReplayPolicy
from model.bundle import DEFAULT_ENCODER, open_bundle, shipped
from model.inference import embed
from model.prepare import prepare
from model.runtime import OnnxEncoder
from model.sequence import Floats, SkeletonSequence
from training.data.arrays import SequenceSet
from training.simulate.walkers import simulate_walkers

VIEWS = (0, 54, 90, 144)
WALKS = 4
SEED = 71


def again(sequence: SkeletonSequence, how: str, rng: np.random.Generator) -> SkeletonSequence:
    """The same recording, sent once more."""
    joints, confidence = sequence.joints.copy(), sequence.confidence.copy()
    seen = confidence > 0
    height = float(np.ptp(joints[..., 1], axis=1)[seen.all(axis=1)].mean()) if seen.all(axis=1).any() else 200.0
    if how == "one decimal":
        joints, confidence = np.round(joints, 1), np.round(confidence, 2)
    elif how == "whole pixels":
        joints, confidence = np.round(joints), np.round(confidence, 1)
    elif how == "half the size":
        joints = np.round(joints / 2, 1)
    elif how.startswith("detected anew"):  # errors of a share of the body's height, as `NoiseModel.jitter`
        joints += rng.normal(0, float(how.split()[-1]) * height, joints.shape) * seen[..., None]
        confidence = np.clip(confidence + rng.normal(0, 0.02, confidence.shape) * seen, 0, 1)
    elif how.startswith("without"):
        cut = int(how.split()[1])
        joints, confidence = joints[cut:], confidence[cut:]
    joints, confidence = joints.astype(np.float32), confidence.astype(np.float32)
    return SkeletonSequence(joints, confidence, sequence.layout, sequence.fps)


TWO_WALKS = "two walks"
HOW = (
    "one decimal", "whole pixels", "half the size", "without 1 frames", "without 5 frames",
    "detected anew 0.001", "detected anew 0.003", "detected anew 0.006",
)  # fmt: skip


def embedded(encoder: OnnxEncoder, sequences: list[SkeletonSequence]) -> Floats:
    ready = [prepare(one, encoder.layout, encoder.clip).sequence for one in sequences]
    return np.concatenate([embed(encoder, ready[i : i + 64]) for i in range(0, len(ready), 64)])


def other_walks(rows: Floats, data: SequenceSet) -> Floats:
    """Scores of all pairs of walks of one person before the same camera."""
    labels = [data.labels("subject"), data.labels("view")]
    groups = np.unique(np.stack(labels, axis=1), axis=0, return_inverse=True)[1].ravel()
    found = []
    for group in range(groups.max() + 1):
        mine = rows[groups == group].astype(np.float64)
        found.append((mine @ mine.T)[np.triu_indices(len(mine), 1)])
    return np.concatenate(found)


def line(name: str, scores: Floats, bound: float) -> str:
    low, middle, high = np.quantile(scores, [0.01, 0.5, 1.0])
    return f"{name:22} {len(scores):6} {low:8.5f} {middle:8.5f} {high:8.5f} {(scores >= bound).mean():8.3%}"


def measure(subjects: int) -> Iterator[tuple[str, Floats]]:
    """Scores of two walks of one person, and of a recording with itself sent once more, in each way."""
    encoder = OnnxEncoder(open_bundle(shipped(DEFAULT_ENCODER)), threads=1)
    data = simulate_walkers(subjects, seed=SEED, views=VIEWS, walks={"nm": WALKS})
    sequences = [data.sequence(i) for i in range(len(data))]
    rows, rng = embedded(encoder, sequences), np.random.default_rng(SEED)
    yield TWO_WALKS, other_walks(rows, data)
    first = range(0, len(sequences), WALKS)
    for how in HOW:
        copies = embedded(encoder, [again(sequences[i], how, rng) for i in first])
        yield how, (rows[list(first)].astype(np.float64) * copies).sum(axis=1)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--subjects", type=int, default=200)
    bound = ReplayPolicy().bound
    print(f"bound {bound}; scores: how many, 1 % quantile, median, highest, share at the bound or above")
    for name, scores in measure(parser.parse_args().subjects):
        print(line(name, scores, bound), flush=True)


if __name__ == "__main__":
    main()
