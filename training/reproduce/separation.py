"""How far classes are apart in a network's features, in numbers and in two dimensions."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from model.sequence import Floats
from training.reproduce.picture_style import without_number
from training.reproduce.pictures_tsne import Scatter

# Reading and typing are named in the paper; the other three are of the hands as well.
PAPER_CLASSES = ("reading", "writing", "typing on a keyboard", "playing with phone/tablet", "clapping")


def chosen_classes(
    labels: Sequence[str], counts: NDArray[np.float64], wanted: Sequence[str] = PAPER_CLASSES
) -> tuple[str, ...]:
    """The paper's classes where all of them are there; else the two that are taken for each other most, and those
    that are taken most for one of them. counts: (true, given).

    >>> counts = np.array([[9, 0, 1], [0, 5, 5], [1, 3, 6]])
    >>> chosen_classes(["sit", "run", "walk"], counts)
    ('run', 'walk', 'sit')
    """
    plain = [without_number(label) for label in labels]
    if all(label in plain for label in wanted):
        return tuple(labels[plain.index(label)] for label in wanted)
    total = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    shares = counts / total
    mutual = shares + shares.T
    np.fill_diagonal(mutual, -1.0)
    untested = counts.sum(axis=1) == 0
    mutual[untested] = mutual[:, untested] = -1.0
    chosen = [int(place) for place in np.unravel_index(int(mutual.argmax()), mutual.shape)]
    while len(chosen) < min(len(wanted), len(labels)):
        others = [i for i in range(len(labels)) if i not in chosen]
        chosen.append(max(others, key=lambda i: float(mutual[chosen, i].max())))
    return tuple(labels[i] for i in sorted(chosen[:2]) + chosen[2:])


def scatters_of(features: Mapping[int, Floats], classes: NDArray[np.int64], seed: int = 0) -> list[Scatter]:
    """t-SNE of each epoch's features (n, width), begun where the epoch before ended, so that panels can be followed.

    features: epoch (from 1) to what the network made of the same n recordings; classes: (n,).
    """
    out: list[Scatter] = []
    for epoch, of_epoch in sorted(features.items()):
        points = embedded(of_epoch, out[-1].points if out else None, seed)
        out.append(Scatter(epoch, points, classes, separation(of_epoch, classes)))
    return out


def embedded(features: Floats, start: NDArray[np.float64] | None, seed: int) -> NDArray[np.float64]:
    """t-SNE in two dimensions (n, 2)."""
    from sklearn.manifold import TSNE

    begin = _begin(features, start, seed)
    perplexity = float(np.clip((len(features) - 1) / 3, 1, 30))
    model = TSNE(n_components=2, perplexity=perplexity, init=begin, random_state=seed)
    return np.asarray(model.fit_transform(features), dtype=np.float64)


def _begin(features: Floats, start: NDArray[np.float64] | None, seed: int) -> Floats:
    """Where t-SNE begins: the points before, or the two widest directions; small, as it wants it."""
    if start is None:
        centred = features - features.mean(axis=0)
        left, size, _ = np.linalg.svd(centred.astype(np.float64), full_matrices=False)
        start = left[:, :2] * size[:2]
    spread = float(start.std())
    small = 1e-4 * start / spread if spread > 1e-12 else np.zeros_like(start)
    # Equal points could never be parted.
    noise = np.random.default_rng(seed).normal(scale=1e-6, size=small.shape)
    return np.asarray(small + noise, dtype=np.float32)


def separation(features: Floats, classes: NDArray[np.int64]) -> float:
    """Mean silhouette by cosine, in [-1, 1]: 1 where classes are points, 0 where they overlap; 0 of a single class.

    >>> separation(np.array([[1, 0], [1, 0], [0, 1], [0, 1]], np.float32), np.array([0, 0, 1, 1]))
    1.0
    """
    from sklearn.metrics import silhouette_score

    if not 1 < len(np.unique(classes)) < len(classes):
        return 0.0
    return float(silhouette_score(features, classes, metric="cosine"))
