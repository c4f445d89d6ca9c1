"""CASIA-B re-identification: five settings of what is worn, and two ways to say what may be found.

TranSG (Rao and Miao, CVPR 2023) cuts every walk of the people who are tested into windows of 40 frames, one after
another; each window is a probe, all windows of a condition are the gallery, all 11 views together. Who is tested its
files decide; by number they are not given, so that here people 063-124 are, the half that MT tests.
"""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

import numpy as np

from training.data.arrays import LABELS, SequenceSet, Strings
from training.protocols.casia_b import SPLITS, Training
from training.protocols.cells import Integers, Mask

NAME = "casia-b-reid"
FRAMES = 40
TRAIN, VALIDATION, TEST = SPLITS[Training.MT].train, SPLITS[Training.MT].validation, SPLITS[Training.MT].test


class Variant(StrEnum):
    """What a probe is searched in.

    PUBLISHED, as TranSG has it: everything but the probe itself. Where probes and gallery wear the same, the next
    window of the same walk before the same camera counts as found.
    STRICT: nothing of the probe's view, whoever it shows. So nothing of its video either, as a video has one view.
    """

    PUBLISHED = "published"
    STRICT = "strict"


@dataclass(frozen=True, slots=True)
class Setting:
    """Windows of condition `probe` searched among those of condition `gallery`."""

    name: str
    probe: str
    gallery: str

    def probes(self, data: SequenceSet) -> Integers:
        return np.flatnonzero(data.condition == self.probe)

    def searched(self, data: SequenceSet) -> Integers:
        return np.flatnonzero(data.condition == self.gallery)


SETTINGS = (
    Setting("N-N", "nm", "nm"),
    Setting("B-B", "bg", "bg"),
    Setting("C-C", "cl", "cl"),
    Setting("C-N", "cl", "nm"),
    Setting("B-N", "bg", "nm"),
)


def windows(data: SequenceSet, frames: int = FRAMES) -> SequenceSet:
    """Every sequence as windows of `frames`, one after another, with its labels; what is left at the end is not used.

    >>> from model.named_layouts import COCO_17
    >>> walks = SequenceSet.of(np.zeros((130, 17, 3), np.float32), [0, 90, 130], COCO_17, 25, subject=["063", "064"])
    >>> cut = windows(walks)
    >>> cut.subject.tolist(), cut.lengths.tolist()
    (['063', '063', '064'], [40, 40, 40])
    """
    count = data.lengths // frames
    owner = np.repeat(np.arange(len(data)), count)
    within = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    rows = (data.offsets[owner] + frames * within)[:, None] + np.arange(frames)
    labels: dict[str, Any] = {label: data.labels(label)[owner] for label in LABELS}
    labels["sequence_name"] = labels.pop("sequence")
    each = None if data.fps_each is None else data.fps_each[owner]
    offsets = frames * np.arange(len(owner) + 1)
    return replace(data, frames=data.frames[rows.ravel()], offsets=offsets, fps_each=each, **labels)


def videos(data: SequenceSet) -> Strings:
    """The video (n,) that each window is of: one walk before one camera; "" where the data do not say."""
    known = (data.sequence_name != "") & (data.view != "")
    names = np.array([f"{s}|{p}|{r}|{v}" for s, p, r, v in zip(
        data.subject, data.part, data.sequence_name, data.view, strict=True
    )], dtype=np.str_)  # fmt: skip
    return np.where(known, names, "")


def allowed(data: SequenceSet, probes: Integers, searched: Integers, variant: Variant) -> Mask:
    """What each probe may find, (probes, gallery).

    probes: (probes,), searched: (gallery,), or (probes, gallery) in an order of each probe's own; indices in the set.
    Strictly, all windows need their view: see `knows_views`.
    """
    if variant is Variant.PUBLISHED:
        return np.asarray(searched != probes[:, None])
    return np.asarray(data.view[searched] != data.view[probes][:, None])


def knows_views(data: SequenceSet) -> bool:
    """Whether the strict variant says anything: windows that carry no view cannot be told apart by it."""
    return bool((data.view != "").all())
