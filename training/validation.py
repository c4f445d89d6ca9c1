"""How good a network is on the held-out, training-side sequences; what the best checkpoint is chosen by."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from model.clips import unit_length
from model.sequence import Floats
from training.batches import ClipSource
from training.data.action_set import ActionSet
from training.data.arrays import SequenceSet, Strings
from training.pool import Integers

Scores: TypeAlias = dict[str, float]

GALLERY_RUNS = 4
MOST_VIEWS = 24


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Held-out sequences, in batches of at most `batch` clips, `clips` of each sequence.

    data: exactly those of `pool`, for their labels. by_identity: embeddings are compared (label subject); otherwise
    class logits are (label action).
    """

    pool: ClipSource
    data: SequenceSet | ActionSet
    by_identity: bool
    batch: int
    clips: int = 1

    def batches(self) -> list[Integers]:
        """Which sequences are in each batch."""
        size = max(1, self.batch // self.clips)
        return [np.arange(len(self.pool))[i : i + size] for i in range(0, len(self.pool), size)]

    def make(self, number: int) -> Floats:
        """Clips of the batch of that number, those of a sequence one after the other: (sequences * clips, ...)."""
        return self.pool.fixed(self.batches()[number], self.clips)

    def over_clips(self, values: Floats) -> Floats:
        """What `score` takes of each sequence (sequences, n), from values (sequences * clips, n) of a batch's clips.

        Mean embeddings, brought to unit length; of logits, the logarithms of mean probabilities.
        """
        if self.clips == 1:
            return values
        each = values.reshape(-1, self.clips, values.shape[1])
        if self.by_identity:
            return unit_length(each.mean(axis=1))
        odds = np.exp(each - each.max(axis=2, keepdims=True))
        mean = (odds / odds.sum(axis=2, keepdims=True)).mean(axis=1)
        return np.asarray(np.log(np.maximum(mean, np.finfo(np.float32).tiny)), dtype=np.float32)

    def score(self, values: Floats) -> Scores:
        """Named figures in [0, 1] of embeddings or logits (sequences, n); `score` is the one to choose by."""
        if not self.by_identity:
            return accuracy(values, self.pool.labels)
        return self._rank1(values)

    @property
    def searched(self) -> bool:
        """Whether anybody is searched among others, so that one epoch's score can differ from another's."""
        return not self.by_identity or len(self._rank1(np.zeros((len(self.pool), 1), np.float32))) > 1

    def _rank1(self, values: Floats) -> Scores:
        return cross_view_rank1(
            values, self.data.subject, self.data.condition, self.data.view, self.data.labels("sequence")
        )


def accuracy(logits: Floats, labels: Integers) -> Scores:
    """Share of sequences named correctly, and its mean over classes, which is what is chosen by.

    >>> accuracy(np.eye(3, dtype=np.float32)[[0, 1, 1]], np.array([0, 1, 2]))["accuracy"]
    0.6666666666666666
    """
    right = logits.argmax(axis=1) == labels
    each = [right[labels == label].mean() for label in np.unique(labels)]
    return {"accuracy": float(right.mean()), "class_accuracy": float(np.mean(each)), "score": float(np.mean(each))}


def cross_view_rank1(
    embeddings: Floats, subject: Strings, condition: Strings, view: Strings, sequence: Strings
) -> Scores:
    """Rank-1 with the first four `nm` runs as gallery and all other sequences as probes, per condition.

    As CASIA-B has it: each probe against each gallery view but its own, averaged over views. Where there are more
    than 24 views (walkers seen from anywhere), each probe against all of the gallery at once. Where there is one
    view only it is not left out; without `nm` runs the first sequence of each subject is the gallery.
    """
    if len(np.unique(view)) > MOST_VIEWS:
        view = np.zeros_like(view)
    enrolled = _gallery(subject, condition, sequence)
    cells: dict[str, list[float]] = {}
    several = len(np.unique(view)) > 1
    for gallery_view in np.unique(view[enrolled]):
        row = enrolled & (view == gallery_view)
        for name, probe in _probes(~enrolled, condition, view, gallery_view if several else None):
            nearest = (embeddings[probe] @ embeddings[row].T).argmax(axis=1)
            cells.setdefault(name, []).append(float((subject[row][nearest] == subject[probe]).mean()))
    scores = {f"rank1_{name}" if name else "rank1": float(np.mean(values)) for name, values in cells.items()}
    return {**scores, "score": float(np.mean(list(scores.values()))) if scores else 0.0}


def _gallery(subject: Strings, condition: Strings, sequence: Strings) -> NDArray[np.bool_]:
    if (condition == "nm").any():
        enrolled = np.zeros(len(subject), dtype=bool)
        for one in np.unique(subject):
            runs = np.unique(sequence[(subject == one) & (condition == "nm")])[:GALLERY_RUNS]
            enrolled |= (subject == one) & (condition == "nm") & np.isin(sequence, runs)
        return enrolled
    first = np.zeros(len(subject), dtype=bool)
    first[np.unique(subject, return_index=True)[1]] = True
    return first


def _probes(
    probe: NDArray[np.bool_], condition: Strings, view: Strings, left_out: str | None
) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    for name in np.unique(condition[probe]):
        for probe_view in np.unique(view[probe]):
            cell = probe & (condition == name) & (view == probe_view)
            if probe_view != left_out and cell.any():
                yield str(name), cell
