"""Motion Families of a run, with a skeleton of each class, as Fig. 3 shows them."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from model.named_layouts import layout_named
from model.sequence import SkeletonSequence, Units
from training.data.action_set import ActionSet
from training.losses.state import Affinity
from training.protocols.actions import class_names
from training.reproduce.look import Look, look_at, of_classes, people_of
from training.reproduce.picture_style import without_number
from training.reproduce.pictures_families import MOST_MEMBERS, Member
from training.reproduce.skeletons import Pose, spread_weights
from training.run import Run

ANCHORS = ("reading", "wear jacket")
"""The paper's."""
RECORDINGS = 12
"""Of each class, to average the network's graph over."""


def anchors_of(affinity: Affinity, wanted: Sequence[str] = ANCHORS, most: int = 2) -> tuple[str, ...]:
    """The paper's anchors where the classes are the paper's; else those with the most confusions, of which there are
    any to show."""
    plain = [without_number(label) for label in affinity.labels]
    if all(label in plain for label in wanted):
        return tuple(affinity.labels[plain.index(label)] for label in wanted)
    has_family = affinity.families.any(axis=1)
    order = np.lexsort((-affinity.confusion.sum(axis=1), ~has_family))
    return tuple(affinity.labels[i] for i in order[:most])


def members_of(affinity: Affinity, anchor: str, poses: Mapping[str, Pose]) -> list[Member]:
    """The anchor's family, the most alike first."""
    row = affinity.labels.index(anchor)
    members = [
        Member(
            affinity.labels[j], poses.get(affinity.labels[j]), float(affinity.similarity[row, j]),
            direct=bool(affinity.confusion[row, j] > 0),
        )
        for j in np.flatnonzero(affinity.families[row])
    ]  # fmt: skip
    return sorted(members, key=lambda member: (-member.similarity, member.label))


def poses_of(run: Run, data: ActionSet, affinity: Affinity, anchors: Sequence[str]) -> dict[str, Pose]:
    """A pose of every class that is drawn, of the test's recordings, its joints weighted as the network uses them."""
    shown = [label for anchor in anchors for label in (anchor, *_first(members_of(affinity, anchor, {})))]
    which = of_classes(data, tuple(dict.fromkeys(shown)), RECORDINGS)
    if not len(which):
        return {}
    look = look_at(run, data, which.tolist(), "drawing families")
    names = class_names(data)[look.which]
    return {str(label): pose_of(run, data, look, names == label) for label in np.unique(names)}


def _first(members: Sequence[Member]) -> list[str]:
    return [member.label for member in members[:MOST_MEMBERS]]


def pose_of(run: Run, data: ActionSet, look: Look, of_class: NDArray[np.bool_]) -> Pose:
    """Of the recording most like the others of its class, the frame that is furthest from standing still; the weights
    are the mean over all of the class."""
    features = look.pooled[of_class]
    typical = int(look.which[of_class][int((features @ features.mean(axis=0)).argmax())])
    person = max(people_of(run, data, typical), key=lambda sequence: float(sequence.confidence.mean()))
    joints, seen = furthest_frame(person)
    return Pose(
        layout_named(run.recipe.network.layout), joints, seen, spread_weights(look.weights[of_class].mean(axis=0))
    )


def furthest_frame(sequence: SkeletonSequence) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Joints (V, 2) as the camera saw them with y up, and which were seen (V,): of the frames with the most joints
    the one whose pose is furthest from the usual one."""
    image, there = as_seen(sequence), sequence.confidence > 0
    whole = np.flatnonzero(there.sum(axis=1) == there.sum(axis=1).max())
    weight = there[whole][..., None].astype(np.float64)
    middle = (image[whole] * weight).sum(axis=1, keepdims=True) / np.maximum(weight.sum(axis=1, keepdims=True), 1)
    body = (image[whole] - middle) * weight
    # The median, so that one wild frame does not make all others look wild.
    distance = np.linalg.norm(body - np.median(body, axis=0), axis=2).sum(axis=1)
    frame = int(whole[int(distance.argmax())])
    return image[frame], there[frame]


def as_seen(sequence: SkeletonSequence) -> NDArray[np.float64]:
    """Joints (T, V, 2), x to the right of the image and y up."""
    image = sequence.joints[..., :2].astype(np.float64)
    if sequence.units is Units.METRES:
        return image * (-1.0, 1.0)  # right-handed, y up, seen along z: x points to the left
    wide = sequence.aspect or 1.0 if sequence.units is Units.NORMALISED else 1.0
    return image * (wide, -1.0)
