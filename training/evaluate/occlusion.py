"""How much a classifier loses where a part of the body, or some time, is not seen: trained whole, tested incomplete.

`after`: joints are zero in the clips that the network gets, so at the body's centre, as ACLNet's own Part_Drop has them
in training. `before`: they are zero in the recording as it lies in the file, as in RA-GCN, from which Table IX's test
comes. Where a classifier centres a recording on its spine and the trunk is hidden before, nothing is left to centre on,
and a network that never saw the camera's space is at chance: the 80.5 % that Table IX gives for the trunk cannot have
been measured so. Hence `after` is what is done where nothing is said.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from functools import partial
from typing import Unpack

from model.runtime import Classifier
from model.sequence import Floats
from training.data.action_set import ActionSet
from training.data.occlude import Part, hide_frames, hide_joints, joints_of, occlude
from training.evaluate.action_result import ActionResult
from training.evaluate.actions import Options, evaluate_actions

FRAMES = (10, 20, 30, 40, 50)
"""How many of 100 frames RA-GCN hides, in the middle."""


class When(StrEnum):
    """Whether joints are hidden before a recording is centred and cut into clips, or after."""

    BEFORE = "before"
    AFTER = "after"


class Blindfolded:
    """A classifier that gets its clips changed."""

    def __init__(self, classifier: Classifier, change: Callable[[Floats], Floats]) -> None:
        self.fingerprint, self.layout = classifier.fingerprint, classifier.layout
        self.clip, self.labels = classifier.clip, classifier.labels
        self._inner, self._change = classifier, change

    def probabilities(self, clips: Floats) -> Floats:
        return self._inner.probabilities(self._change(clips))


def without_joints(classifier: Classifier, part: Part) -> Classifier:
    """The classifier, to which a part is zero in every clip."""
    return Blindfolded(classifier, partial(hide_joints, joints=joints_of(classifier.layout, part)))


def without_frames(classifier: Classifier, hidden: int) -> Classifier:
    """The classifier, to which the middle `hidden` of 100 frames are zero in every clip."""
    return Blindfolded(classifier, partial(hide_frames, hidden=hidden))


def evaluate_occluded(
    classifier: Classifier,
    data: ActionSet,
    *,
    parts: Sequence[Part] = tuple(Part),
    when: When = When.AFTER,
    **options: Unpack[Options],
) -> Mapping[Part, ActionResult]:
    """The result with each part hidden, of all recordings; raises as `evaluate_actions` does."""
    found = {}
    for part in parts:
        seen = occlude(data, part) if when is When.BEFORE else data
        model = classifier if when is When.BEFORE else without_joints(classifier, part)
        found[part] = evaluate_actions(model, seen, **options)
    return found


def evaluate_without_frames(
    classifier: Classifier,
    data: ActionSet,
    *,
    hidden: Sequence[int] = FRAMES,
    **options: Unpack[Options],
) -> Mapping[int, ActionResult]:
    """The result with so many of 100 frames hidden in the middle of every clip; raises as `evaluate_actions` does.

    In clips, and not in recordings: there, time in which nobody is seen is left out before clips are sampled.
    """
    return {count: evaluate_actions(without_frames(classifier, count), data, **options) for count in hidden}
