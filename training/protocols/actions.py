"""Which recordings of an action data set are tested on, and which figure its papers print. Splits are the data set's.

Who trains and who tests is said once, where the data set's files are read (`training.data.kinds`); a protocol names
that split, so that what is trained on and what is tested on cannot come apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

import numpy as np

from model.errors import InvalidDataSet
from training.data.action_set import ActionSet, Integers
from training.data.arrays import Strings
from training.data.collect import Loaded
from training.data.kind import Mask
from training.data.kinds import KINDS

Figure = Literal["top-1", "mean-class"]
Grouped = Literal["subject", "condition", "view"]


@dataclass(frozen=True, slots=True)
class Protocol:
    """A test of action recognition.

    kinds: of data set that it is of (`training.data.kinds.KINDS`), the first of which says its split where a set of our
    own format does not. figure: what papers print. grouped: the label whose values are drawn again for intervals: what
    was recorded together errs together.
    """

    name: str
    title: str
    kinds: tuple[str, ...]
    train: str
    test: str
    figure: Figure = "top-1"
    grouped: Grouped = "subject"


def _ntu(classes: int, short: str, title: str) -> Protocol:
    kinds = tuple(f"ntu{classes}-{form}" for form in ("pickle", "raw", "raw-official", "hrnet"))
    name = f"ntu{classes}-{short}"
    return Protocol(name, f"NTU RGB+D {classes}, {title}", kinds, f"{short}_train", f"{short}_val")


def _pku(short: str, title: str) -> Protocol:
    kinds = ("pku-mmd-pickle", "pku-mmd-raw")
    return Protocol(
        f"pku-mmd-{short}", f"PKU-MMD phase 1, {title}", kinds, f"{short}_train", f"{short}_val", grouped="condition"
    )


def _people(name: str, title: str) -> Protocol:
    return Protocol(name, f"{title}, cross-subject", (name,), "xsub_train", "xsub_test")


_ALL = (
    _ntu(60, "xsub", "cross-subject"),
    _ntu(60, "xview", "cross-view"),
    _ntu(120, "xsub", "cross-subject"),
    _ntu(120, "xset", "cross-setup"),
    Protocol("kinetics", "Kinetics-Skeleton 400", ("kinetics-pickle",), "train", "val"),
    _pku("xsub", "cross-subject"),
    _pku("xview", "cross-view"),
    Protocol("finegym", "FineGYM, 99 classes", ("finegym-pickle",), "train", "val", "mean-class", "view"),
    _people("utd-mhad", "UTD-MHAD"),
    Protocol("nw-ucla", "NW-UCLA, cross-view, without copies", ("nw-ucla",), "xview_train", "xview_test"),
    _people("msr-action3d", "MSR-Action3D"),
    _people("kard", "KARD"),
    _people("hdm05", "HDM05, 11 actions"),
)
PROTOCOLS: Mapping[str, Protocol] = MappingProxyType({protocol.name: protocol for protocol in _ALL})


class ActionProtocol(StrEnum):
    """What `evaluate actions` tests on: all recordings, those whose part is "test", or a data set's official test."""

    ALL = "all"
    TEST_PART = "test-part"
    NTU60_XSUB = "ntu60-xsub"
    NTU60_XVIEW = "ntu60-xview"
    NTU120_XSUB = "ntu120-xsub"
    NTU120_XSET = "ntu120-xset"
    KINETICS = "kinetics"
    PKU_MMD_XSUB = "pku-mmd-xsub"
    PKU_MMD_XVIEW = "pku-mmd-xview"
    FINEGYM = "finegym"
    UTD_MHAD = "utd-mhad"
    NW_UCLA = "nw-ucla"
    MSR_ACTION3D = "msr-action3d"
    KARD = "kard"
    HDM05 = "hdm05"

    @property
    def official(self) -> Protocol | None:
        """The data set's official test; None where no split is meant."""
        return PROTOCOLS.get(self.value)


@dataclass(frozen=True, eq=False)
class Chosen:
    """What is tested on. place: indices in the whole set, of `whole` recordings. expected: how many there should be;
    None where nobody says."""

    data: ActionSet
    name: str
    figure: Figure
    groups: Strings
    place: Integers
    whole: int
    expected: int | None = None


def chosen(loaded: Loaded, protocol: ActionProtocol, split: str | None = None) -> Chosen:
    """The recordings that a protocol, or a split of the data set by its name, tests on; raises `InvalidDataSet`."""
    data, official = loaded.data, protocol.official
    expected = None
    if split is not None:
        place, name = members(loaded, split, protocol), f"split {split}"
        official = official or protocol_of(loaded.report.kind, split)  # the same test by another name
        expected = loaded.report.expected.get(split)
    elif official is not None:
        _check_kind(loaded, official)
        place, name = members(loaded, official.test, protocol), official.name
        expected = loaded.report.expected.get(official.test)
    else:
        part = data.part == "test"
        place, name = np.flatnonzero(part) if protocol is ActionProtocol.TEST_PART else np.arange(len(data)), protocol
    if not len(place) or not labelled(data)[place].any():
        raise InvalidDataSet(data.name, f"has no labelled actions for {'' if split else 'protocol '}{name}")
    tested = data.select(place)
    figure = official.figure if official else "top-1"
    return Chosen(tested, str(name), figure, groups_of(tested, official), place, len(data), expected)


def members(loaded: Loaded, split: str, protocol: ActionProtocol = ActionProtocol.ALL) -> Integers:
    """Indices of a split: the data set's own, or by the rule of the protocol's; raises `InvalidDataSet`."""
    if split in loaded.splits:
        return loaded.splits[split]
    rules = KINDS[protocol.official.kinds[0]].splits(loaded.data) if protocol.official else {}
    if split not in rules:
        known = ", ".join(loaded.splits) or "none"
        raise InvalidDataSet(loaded.data.name, f"has no split {split!r}; there are: {known}")
    return np.flatnonzero(rules[split])


def _check_kind(loaded: Loaded, official: Protocol) -> None:
    """A set of our own format may hold anything; any other says what it is."""
    kind = loaded.report.kind
    if kind in KINDS and kind not in official.kinds:
        takes = ", ".join(official.kinds)
        raise InvalidDataSet(loaded.data.name, f"is {kind}; protocol {official.name} takes {takes}")


def labelled(data: ActionSet) -> Mask:
    """Which recordings (n,) have a class, by name or by number."""
    return np.asarray((data.action != "") | (data.class_labels >= 0))


def class_names(data: ActionSet) -> Strings:
    """Class of each recording (n,): the action's name, or its number as three digits; "" where there is none."""
    numbers = np.array([f"{number:03d}" if number >= 0 else "" for number in data.class_labels.tolist()], dtype=np.str_)
    return np.where(data.action == "", numbers, data.action)


def groups_of(data: ActionSet, official: Protocol | None = None) -> Strings:
    """What each recording (n,) was recorded with: by the protocol's label, else the person, else each by itself."""
    for label in (official.grouped if official else "subject", "subject"):
        values = data.labels(label)
        if (values != "").all():
            # One performance before several cameras of PKU-MMD is "0002-L", "0002-M", "0002-R".
            return np.char.partition(values, "-")[:, 0] if label == "condition" else values
    return np.array([f"{i:06d}" for i in range(len(data))], dtype=np.str_)


def protocol_of(kind: str, split: str) -> Protocol | None:
    """The protocol that tests on this split of this kind of data set.

    >>> found = protocol_of("finegym-pickle", "val")
    >>> found.name, found.figure
    ('finegym', 'mean-class')
    """
    return next((each for each in PROTOCOLS.values() if kind in each.kinds and split == each.test), None)
