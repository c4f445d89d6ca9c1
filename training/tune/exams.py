"""What an execution must not lose: rank-1 of an encoder, accuracy of a classifier, on sets with known answers.

The clips of a set are made once; every execution is then asked about the same ones.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from model.clips import mean_over_clips, to_clips, unit_length
from model.errors import InvalidDataSet
from model.runtime import Classifier, Encoder
from model.sequence import Floats
from training.data.arrays import SequenceSet
from training.evaluate.embedding import LeftOut, prepared
from training.evaluate.scoring import score
from training.evaluate.sources import GaitProtocol, Source, open_source
from training.protocols import casia_b
from training.protocols.cells import Integers, used
from training.simulate.actions import simulate_actions
from training.simulate.walkers import simulate_walkers

# Of simulated people, where no set is given: other seeds than those that the shipped bundles learned from.
SEED, PEOPLE, ACTORS = 2027, 20, 30


@dataclass(frozen=True, eq=False)
class Exam:
    """clips: of all usable sequences; owner: (clips,) which of them each belongs to. grade: the model's means
    (sequences, n) to a share in 0..1. sequences: how many; people: how many different ones."""

    name: str
    clips: Floats
    owner: Integers
    sequences: int
    people: int
    grade: Callable[[Floats], float] = field(repr=False)

    def taken_by(self, run: Callable[[Floats], Floats]) -> float:
        """The share that a model gets right."""
        return self.grade(mean_over_clips(run(self.clips), self.owner))


def walkers(encoder: Encoder, people: int = PEOPLE) -> Exam:
    """Simulated walkers under CASIA-B's protocol."""
    data = simulate_walkers(people, seed=SEED)
    return gait_exam("simulated walkers", encoder, Source(data, casia_b.cells(data), simulated=True))


def recorded(encoder: Encoder, path: Path, protocol: GaitProtocol) -> Exam:
    """A set of walks on disk. Raises `InvalidDataSet`."""
    return gait_exam(f"{path.name} ({protocol})", encoder, open_source(path, protocol))


def gait_exam(name: str, encoder: Encoder, source: Source) -> Exam:
    """Rank-1 of a protocol, the mean of its tables."""
    data = source.data
    which, clips, owner = _clips(encoder, data, used(source.cells).tolist())
    usable = np.zeros(len(data), bool)
    usable[which] = True

    def grade(means: Floats) -> float:
        embeddings = np.zeros((len(data), means.shape[1]), np.float32)
        embeddings[which] = unit_length(means)
        tables = score(embeddings, usable, data.subject, source.cells)
        return float(np.mean([table.accuracy() for table in tables]))

    return Exam(name, clips, owner, len(which), len(np.unique(data.subject[which])), grade)


def actions(classifier: Classifier, people: int = ACTORS) -> Exam:
    """Simulated actions, as far as the classifier knows them. Raises `InvalidDataSet` where it knows none."""
    return action_exam("simulated actions", classifier, simulate_actions(people, seed=SEED, views=2))


def action_exam(name: str, classifier: Classifier, data: SequenceSet) -> Exam:
    """Top-1 over the sequences whose action the classifier has."""
    known = np.flatnonzero(np.isin(data.action, classifier.labels))
    if not len(known):
        raise InvalidDataSet(data.name, "the classifier knows none of its actions; give it recordings with --actions")
    which, clips, owner = _clips(classifier, data, known.tolist())
    true = np.array([classifier.labels.index(label) for label in data.action[which].tolist()])

    def grade(means: Floats) -> float:
        return float(np.mean(means.argmax(axis=1) == true))

    return Exam(name, clips, owner, len(which), len(np.unique(data.subject[which])), grade)


def clips_of(model: Encoder | Classifier, data: SequenceSet) -> Floats:
    """The clips of every usable sequence of a set."""
    return _clips(model, data, range(len(data)))[1]


def _clips(model: Encoder | Classifier, data: SequenceSet, asked: Iterable[int]) -> tuple[Integers, Floats, Integers]:
    """Which sequences are usable, the clips of all of them, and whose each clip is."""
    which: list[int] = []
    each: list[Floats] = []
    for i in asked:
        ready = prepared(model, data, i)
        if not isinstance(ready, LeftOut):
            which.append(i)
            each.append(to_clips(ready, model.clip, model.layout))
    if not each:
        raise InvalidDataSet(data.name, "no sequence of it can be used by this model")
    owner = np.repeat(np.arange(len(each)), [len(clips) for clips in each])
    return np.array(which, dtype=np.int64), np.concatenate(each), owner
