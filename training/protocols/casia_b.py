"""CASIA-B: the large, medium and small training split, and every pair of views.

Gallery NM#1-4; probes NM#5-6, BG#1-2, CL#1-2; 11 views. For every gallery view and every other probe view the
probes are searched among the gallery sequences of that view only; identical views are excluded. The figure of a
condition is the mean over the 10 gallery views of each probe view, then over the 11 probe views.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import numpy as np

from training.data.arrays import SequenceSet
from training.protocols.cells import Cell, pairs_of_views

NAME = "casia-b"
VIEWS = tuple(f"{degrees:03d}" for degrees in range(0, 181, 18))
GALLERY = ("nm-01", "nm-02", "nm-03", "nm-04")
PROBES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"NM": ("nm-05", "nm-06"), "BG": ("bg-01", "bg-02"), "CL": ("cl-01", "cl-02")}
)

PEOPLE = 124


class Training(StrEnum):
    """How many people train: the large, medium or small split."""

    LT = "lt"
    MT = "mt"
    ST = "st"


@dataclass(frozen=True, slots=True)
class Split:
    """People 001 to `count` train, all others test.

    The last `held_out` of those who train choose the checkpoint; who is tested never does.
    """

    count: int
    held_out: int

    @property
    def train(self) -> tuple[str, ...]:
        return _people(1, self.count)

    @property
    def validation(self) -> tuple[str, ...]:
        return _people(self.count - self.held_out + 1, self.count)

    @property
    def test(self) -> tuple[str, ...]:
        return _people(self.count + 1, PEOPLE)


def _people(first: int, last: int) -> tuple[str, ...]:
    return tuple(f"{number:03d}" for number in range(first, last + 1))


# Chao et al., GaitSet, AAAI 2019. Validation on 060-074 is GaitGraph's; MT's and ST's are ours.
SPLITS: Mapping[Training, Split] = MappingProxyType(
    {Training.LT: Split(74, 15), Training.MT: Split(62, 12), Training.ST: Split(24, 5)}
)
TRAIN, VALIDATION, TEST = SPLITS[Training.LT].train, SPLITS[Training.LT].validation, SPLITS[Training.LT].test


def cells(data: SequenceSet) -> tuple[Cell, ...]:
    """110 cells for each of NM, BG and CL; `data` holds the people to be recognised and nobody else."""
    known = np.isin(data.view, VIEWS)
    gallery = known & np.isin(data.sequence_name, GALLERY)
    return tuple(
        cell
        for table, runs in PROBES.items()
        for cell in pairs_of_views(
            data, table, gallery, known & np.isin(data.sequence_name, runs), same=False, across=True
        )
    )


def found(data: SequenceSet) -> Mapping[str, tuple[int, int]]:
    """Sequences there are and sequences there should be, for the gallery and each kind of probe.

    >>> from model.named_layouts import COCO_17
    >>> found(SequenceSet.of(np.zeros((1, 17, 3), np.float32), [0, 1], COCO_17, 25, subject=["075"], view=["000"],
    ...       sequence=["nm-05"]))["NM"]
    (1, 22)
    """
    people = len(np.unique(data.subject))
    return {
        name: (int(np.isin(data.sequence_name, runs).sum()), people * len(runs) * len(VIEWS))
        for name, runs in (("gallery", GALLERY), *PROBES.items())
    }
