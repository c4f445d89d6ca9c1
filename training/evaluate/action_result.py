"""What a classifier gave to each recording, and the figures that follow; kept, so that streams can be joined."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from gallery.metrics import Interval, bootstrap
from model.errors import InvalidDataSet
from model.sequence import Floats
from training.data.arrays import Strings, read_arrays
from training.evaluate.embedding import LeftOut

FORMAT = "gaitkeeper-probabilities-1"


@dataclass(frozen=True, eq=False)
class ActionResult:
    """names: (n,) of the recordings, each once; true: (n,) numbers of labels; probabilities: (n, labels).

    groups: (n,) what was recorded together; subject: (n,) whose, "" where unknown. unknown: labels of the data that the
    classifier does not have, with how many recordings: those are left out, as are `left_out`. notes: what had to be
    done to the data before the classifier could take them.
    """

    labels: tuple[str, ...]
    names: Strings
    true: NDArray[np.int64]
    probabilities: Floats
    groups: Strings
    subject: Strings
    unknown: dict[str, int] = field(default_factory=dict)
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        count = len(self.true)
        assert self.probabilities.shape == (count, len(self.labels)), "one row a recording, one column a label"
        assert len(self.names) == len(self.groups) == len(self.subject) == count > 0, "one value a recording"

    @property
    def given(self) -> NDArray[np.int64]:
        """Number of the label given to each recording, (n,)."""
        return np.asarray(self.probabilities.argmax(axis=1), dtype=np.int64)

    @property
    def right(self) -> NDArray[np.bool_]:
        return np.asarray(self.true == self.given)

    @property
    def people(self) -> int:
        """How many people are in it; 0 where nobody is known."""
        return len(np.unique(self.subject[self.subject != ""]))

    @property
    def accuracy(self) -> float:
        return float(self.right.mean())

    def top(self, count: int) -> float:
        """Share of recordings whose class is among the `count` likeliest; a tie counts against the classifier."""
        own = np.take_along_axis(self.probabilities, self.true[:, None], axis=1)
        ahead = (self.probabilities >= own).sum(axis=1) - 1
        return float((ahead < count).mean())

    def interval(self, draws: int = 1000) -> Interval:
        """Accuracy and its 95 % interval, by drawing the groups again."""
        right = self.right
        return bootstrap(lambda drawn: float(right[drawn].mean()), self.groups, draws=draws)

    @property
    def confusion(self) -> NDArray[np.int64]:
        """Counts (true, given)."""
        counts = np.zeros((len(self.labels), len(self.labels)), dtype=np.int64)
        np.add.at(counts, (self.true, self.given), 1)
        return counts

    def by_class(self) -> dict[str, tuple[float, int, int]]:
        """Of each class in the data: share recognised, recordings, people."""
        out = {}
        for number in np.unique(self.true).tolist():
            here = self.true == number
            whose = self.subject[here]
            out[self.labels[number]] = (
                float(self.right[here].mean()),
                int(here.sum()),
                len(np.unique(whose[whose != ""])),
            )
        return out

    def accuracy_by_class(self) -> dict[str, float]:
        """Of each class in the data, the share recognised."""
        return {label: share for label, (share, _, _) in self.by_class().items()}

    @property
    def mean_by_class(self) -> float:
        """Mean over the classes, however many recordings each has."""
        return float(np.mean(list(self.accuracy_by_class().values())))

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
            "top5_accuracy": self.top(5),
            "mean_class_accuracy": self.mean_by_class,
            "classes": classes,
            "confusion": {"labels": list(self.labels), "counts": self.confusion.tolist()},
            "labels_unknown_to_the_classifier": self.unknown,
            "left_out": len(self.left_out),
            "notes": list(self.notes),
        }

    def save(self, path: Path) -> None:
        """Names, classes and probabilities as npz, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.stem}.unfinished.npz")
        try:
            np.savez_compressed(
                unfinished, format=FORMAT, labels=np.array(self.labels), names=self.names, true=self.true,
                probabilities=self.probabilities, groups=self.groups, subject=self.subject,
            )  # fmt: skip
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path) -> Self:
        """What `save` wrote, which is without what was left out; raises `InvalidDataSet` for anything else."""
        arrays = read_arrays(path)
        needed = {"labels", "names", "true", "probabilities", "groups", "subject"}
        if str(arrays.get("format")) != FORMAT or needed - set(arrays):
            raise InvalidDataSet(str(path), f"holds no probabilities of format {FORMAT}")
        true, given = arrays["true"], arrays["probabilities"]
        counts = {len(arrays[key]) for key in needed - {"labels"}}
        if given.ndim != 2 or given.shape[1] != len(arrays["labels"]) or len(counts) != 1 or not len(true):
            raise InvalidDataSet(str(path), "holds arrays that do not fit together")
        if not np.isfinite(given).all() or true.min() < 0 or true.max() >= given.shape[1]:
            raise InvalidDataSet(str(path), "holds probabilities or classes that are none")
        labels = tuple(str(label) for label in arrays["labels"])
        return cls(labels, arrays["names"], true, given, arrays["groups"], arrays["subject"])
