"""Accuracy of a classifier on labelled actions, through preparation, clips and model as they are served."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypedDict, Unpack

import numpy as np

from model.clips import ClipSpec, Recording, mean_over_clips, to_clips, to_frames
from model.errors import InvalidDataSet, InvalidRequest, InvalidSequence, UnusableSequence
from model.layout import Layout
from model.prepare import prepare_people
from model.runtime import Classifier
from model.sequence import Floats, SkeletonSequence
from model.uniform import official_clips
from training.data.action_set import ActionSet
from training.data.arrays import SequenceSet, Strings
from training.evaluate.action_result import ActionResult
from training.evaluate.embedding import LeftOut, Progress
from training.protocols.actions import class_names, groups_of

CLIPS = 256
"""Of one block of recordings; so many of two people, 25 joints and 100 frames are 20 MB."""
UNLABELLED = "(no label)"
"""How recordings without a class are counted among the labels that a classifier does not know."""


class Options(TypedDict, total=False):
    """How `evaluate_actions` tests.

    groups: (n,) what was recorded together (`training.protocols.actions.groups_of`), for the intervals. clips: of each
    recording, where the classifier samples them uniformly; default its own. official: the very frames that the
    published test takes. progress: called with recordings done.
    """

    groups: Strings | None
    clips: int | None
    official: bool
    progress: Progress | None


def evaluate_actions(classifier: Classifier, data: ActionSet | SequenceSet, **options: Unpack[Options]) -> ActionResult:
    """Classify every recording whose class the classifier has: mean of the probabilities of its clips.

    Recordings are read block by block, so that a set that lies on disk stays there. Raises `InvalidDataSet` where there
    is nothing to classify, `LayoutMismatch` for joints that the classifier cannot take, `InvalidRequest` for clips of
    one that takes windows.
    """
    recordings = ActionSet.of_sequences(data) if isinstance(data, SequenceSet) else data
    names = class_names(recordings)
    known = np.isin(names, classifier.labels)
    unknown = _counted(names[~known])
    if not known.any():
        about = f"({_few(list(unknown))}); it knows {_few(classifier.labels)}"
        raise InvalidDataSet(recordings.name, f"the classifier knows none of its labels {about}")
    official, groups = options.get("official", False), options.get("groups")
    spec = spec_of(classifier, options.get("clips"), official)
    taken = _Taken(classifier, spec, recordings, published_clips if official else to_clips)
    probabilities = taken.classified(np.flatnonzero(known).tolist(), options.get("progress"))
    if not len(taken.done):
        raise InvalidDataSet(recordings.name, f"no recording can be classified ({_why(taken.left_out)})")
    done = np.array(taken.done, dtype=np.int64)
    place = {label: number for number, label in enumerate(classifier.labels)}
    together = groups_of(recordings) if groups is None else groups
    return ActionResult(
        labels=tuple(classifier.labels), names=names_of(recordings)[done],
        true=np.array([place[name] for name in names[done].tolist()], dtype=np.int64), probabilities=probabilities,
        groups=together[done], subject=recordings.subject[done], unknown=unknown, left_out=tuple(taken.left_out),
        notes=tuple(taken.notes),
    )  # fmt: skip


def spec_of(classifier: Classifier, clips: int | None, official: bool = False) -> ClipSpec:
    """The classifier's clips, `clips` of them where they are sampled uniformly; raises `InvalidRequest`."""
    if clips is None and not official:
        return classifier.clip
    if classifier.clip.sampling != "uniform":
        raise InvalidRequest("clips", "the classifier takes all windows of a recording; it samples no clips")
    return ClipSpec.model_validate({**classifier.clip.model_dump(), "clips": clips or classifier.clip.clips})


def published_clips(recording: Recording, spec: ClipSpec, layout: Layout) -> Floats:
    """As `to_clips`, with the frames that pyskl's test draws: numpy's generator, seeded with 255 for each recording."""
    people = to_frames(recording, spec, layout)
    at = official_clips(people.shape[1], spec.frames, spec.clips, flat=spec.dims == 2)
    return people[0][at] if spec.people == 1 else np.ascontiguousarray(people[:, at].swapaxes(0, 1))


def names_of(data: ActionSet) -> Strings:
    """A name of each recording (n,) that no other has: the source's own, or its place in the set."""
    own = data.sequence_name
    if len(np.unique(own)) == len(own) and (own != "").all():
        return own
    return np.array([f"{i:06d}" for i in range(len(data))], dtype=np.str_)


@dataclass(eq=False)
class _Taken:
    """Recordings in the classifier's form, block by block. done: those that have probabilities."""

    classifier: Classifier
    spec: ClipSpec
    data: ActionSet
    cut: Callable[[Recording, ClipSpec, Layout], Floats]
    done: list[int] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    notes: dict[str, None] = field(default_factory=dict)

    def classified(self, which: Sequence[int], progress: Progress | None) -> Floats:
        """Probabilities (len(done), labels) of those of `which` that have clips."""
        step = max(1, CLIPS // self.spec.clips) if self.spec.sampling == "uniform" else CLIPS // 4
        out = [np.empty((0, len(self.classifier.labels)), np.float32)]
        for start in range(0, len(which), step):
            block = which[start : start + step]
            made = list(self._clips(block))
            if made:
                owner = np.repeat(np.arange(len(made)), [len(clips) for clips in made])
                out.append(mean_over_clips(self.classifier.probabilities(np.concatenate(made)), owner))
            if progress:
                progress(len(block))
        return np.concatenate(out)

    def _clips(self, block: Sequence[int]) -> Iterator[Floats]:
        for i in block:
            try:
                clips = self.cut(self._people(i), self.spec, self.classifier.layout)
            except UnusableSequence as error:
                self.left_out.append(LeftOut(i, error.reasons, error.detail))
            except InvalidSequence as error:
                self.left_out.append(LeftOut(i, (f"invalid_{error.field}",), error.reason))
            else:
                self.done.append(i)
                yield clips

    def _people(self, i: int) -> tuple[SkeletonSequence, ...]:
        each = [self.data.sequence(i, person) for person in range(int(self.data.people[i]))]
        ready = prepare_people(each, self.classifier.layout, self.spec)
        self.notes.update((note, None) for note in ready.notes)
        return ready.sequences


def _counted(names: Strings) -> dict[str, int]:
    found, counts = np.unique(np.where(names == "", UNLABELLED, names), return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def _few(names: Sequence[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")


def _why(left_out: Sequence[LeftOut]) -> str:
    return f"{', '.join(left_out[0].reasons)}: {left_out[0].detail}" if left_out else "none has a class"
