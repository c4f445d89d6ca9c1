"""Accuracy of a classifier on labelled actions, through preparation, clips and model as they are served."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gallery.metrics import Interval, bootstrap
from model.errors import InvalidDataSet
from model.inference import classify
from model.runtime import Classifier
from training.data.arrays import SequenceSet, Strings
from training.data.open import open_set
from training.evaluate.embedding import BATCH, LeftOut, Progress, prepared
from training.protocols.actions import SPLITS


class ActionProtocol(StrEnum):
    """Which sequences of a set are tested on: all, those whose part is "test", or a published split's test people."""

    ALL = "all"
    TEST_PART = "test-part"
    UTD_MHAD = "utd-mhad"
    HDM05 = "hdm05"


def open_actions(path: Path, protocol: ActionProtocol) -> SequenceSet:
    """The sequences to be tested on; raises `InvalidDataSet` where there are none."""
    data = open_set(path)
    match protocol:
        case ActionProtocol.ALL:
            chosen = data
        case ActionProtocol.TEST_PART:
            chosen = data.select(data.part == "test")
        case ActionProtocol.UTD_MHAD | ActionProtocol.HDM05:
            chosen = SPLITS[protocol.value].testing(data)
    if not len(chosen) or not (chosen.action != "").any():
        raise InvalidDataSet(str(path), f"has no labelled actions for protocol {protocol.value}")
    return chosen


@dataclass(frozen=True, eq=False)
class ActionResult:
    """true, given: (sequences,) numbers of labels; subject: (sequences,) whose. unknown: labels of the data that the
    classifier does not have, with how many sequences: those are left out, as are `left_out`."""

    labels: tuple[str, ...]
    true: NDArray[np.int64]
    given: NDArray[np.int64]
    subject: Strings
    unknown: dict[str, int]
    left_out: tuple[LeftOut, ...]

    @property
    def people(self) -> int:
        return len(np.unique(self.subject))

    @property
    def accuracy(self) -> float:
        return float((self.true == self.given).mean())

    def interval(self, draws: int = 1000) -> Interval:
        """Accuracy and its 95 % interval, by drawing the people again."""
        right = self.true == self.given
        return bootstrap(lambda drawn: float(right[drawn].mean()), self.subject, draws=draws)

    @property
    def confusion(self) -> NDArray[np.int64]:
        """Counts (true, given)."""
        counts = np.zeros((len(self.labels), len(self.labels)), dtype=np.int64)
        np.add.at(counts, (self.true, self.given), 1)
        return counts

    def by_class(self) -> dict[str, tuple[float, int, int]]:
        """Of each class in the data: share recognised, sequences, people."""
        out = {}
        for number, label in enumerate(self.labels):
            here = self.true == number
            if here.any():
                share = float((self.given[here] == number).mean())
                out[label] = share, int(here.sum()), len(np.unique(self.subject[here]))
        return out

    @property
    def mean_by_class(self) -> float:
        """Mean over the classes, however many sequences each has."""
        return float(np.mean([share for share, _, _ in self.by_class().values()]))

    def to_json(self) -> dict[str, Any]:
        interval = self.interval()
        classes = {
            label: {"accuracy": share, "sequences": count, "people": people}
            for label, (share, count, people) in self.by_class().items()
        }
        return {
            "people": self.people,
            "sequences": len(self.true),
            "accuracy": self.accuracy,
            "interval_95": [interval.low, interval.high],
            "mean_class_accuracy": self.mean_by_class,
            "classes": classes,
            "confusion": {"labels": list(self.labels), "counts": self.confusion.tolist()},
            "labels_unknown_to_the_classifier": self.unknown,
            "left_out": len(self.left_out),
        }


def evaluate_actions(classifier: Classifier, data: SequenceSet, *, progress: Progress | None = None) -> ActionResult:
    """Classify every sequence whose label the classifier has. Raises `InvalidDataSet` if there is none."""
    known = np.isin(data.action, classifier.labels)
    names, counts = np.unique(data.action[~known], return_counts=True)
    unknown = dict(zip(names.tolist(), counts.tolist(), strict=True))
    if not known.any():
        raise InvalidDataSet(data.name, f"the classifier knows none of its labels ({', '.join(unknown)})")
    given, left_out = _classified(classifier, data, np.flatnonzero(known), progress)
    done = np.flatnonzero(given >= 0)
    if not len(done):
        raise InvalidDataSet(data.name, f"no sequence can be classified ({', '.join(left_out[0].reasons)})")
    true = np.array([classifier.labels.index(label) for label in data.action[done]], dtype=np.int64)
    return ActionResult(tuple(classifier.labels), true, given[done], data.subject[done], unknown, tuple(left_out))


def _classified(
    classifier: Classifier, data: SequenceSet, which: NDArray[np.int64], progress: Progress | None
) -> tuple[NDArray[np.int64], list[LeftOut]]:
    """Number of the label given to each sequence (n,), -1 where none."""
    given = np.full(len(data), -1, dtype=np.int64)
    left_out: list[LeftOut] = []
    for start in range(0, len(which), BATCH):
        block: Sequence[int] = which[start : start + BATCH].tolist()
        made = [(i, prepared(classifier, data, i)) for i in block]
        left_out += [item for _, item in made if isinstance(item, LeftOut)]
        ready = [(i, item) for i, item in made if not isinstance(item, LeftOut)]
        if ready:
            given[[i for i, _ in ready]] = classify(classifier, [item for _, item in ready]).argmax(axis=1)
        if progress:
            progress(len(block))
    return given, left_out
