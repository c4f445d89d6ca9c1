"""A data set and a protocol to the sequences and cells that are evaluated."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import numpy as np

from model.errors import InvalidDataSet, InvalidRequest
from training.data import casia_b as casia_b_files
from training.data.arrays import SequenceSet
from training.data.casia_b import Progress, Split
from training.data.open import open_set
from training.data.recordings import seen_by_its_camera
from training.protocols import casia_b, cbkings34, ucalgary
from training.protocols.casia_b import SPLITS, Training
from training.protocols.cells import Cell


class GaitProtocol(StrEnum):
    """What `evaluate gait` can measure."""

    CASIA_B = casia_b.NAME
    CBKINGS34 = cbkings34.NAME
    UCALGARY = ucalgary.NAME


class People(StrEnum):
    """Whom of a data set: the people of its test split, or everybody in it."""

    TEST = "test"
    ALL = "all"


@dataclass(frozen=True, eq=False)
class Source:
    """What is evaluated. found: sequences there are and should be, where the protocol knows."""

    data: SequenceSet
    cells: tuple[Cell, ...]
    simulated: bool = False
    found: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def open_source(
    path: Path,
    protocol: GaitProtocol,
    people: People | None = None,
    *,
    training: Training = Training.LT,
    progress: Progress | None = None,
) -> Source:
    """The people to be tested and the cells of the protocol.

    people: default the test split for CASIA-B (subjects 75-124, or who else does not train by `training`), everybody
    for the others. Raises `InvalidDataSet` where nothing is left to search or to be searched, `InvalidRequest` for a
    split that is not of the protocol.
    """
    if training is not Training.LT and protocol is not GaitProtocol.CASIA_B:
        raise InvalidRequest("split", f"{training} is one of casia-b's, {protocol} has none")
    match protocol:
        case GaitProtocol.CASIA_B:
            data = _casia_b(path, people, training, progress)
            source = Source(data, casia_b.cells(data), is_simulated(path), casia_b.found(data))
        case GaitProtocol.CBKINGS34:
            data = _of(open_set(path), cbkings34.TEST, people)
            source = Source(data, cbkings34.cells(data))
        case GaitProtocol.UCALGARY:
            if people is People.TEST:
                raise InvalidDataSet(str(path), "nobody of UCalgary is trained on: it has no test split")
            data = seen_by_its_camera(open_set(path))
            source = Source(data, ucalgary.cells(data))
    if not any(len(cell.gallery) and len(cell.probes) for cell in source.cells):
        raise InvalidDataSet(str(path), f"has nothing that protocol {protocol} could search or be searched")
    return source


def _casia_b(path: Path, people: People | None, training: Training, progress: Progress | None) -> SequenceSet:
    if training is Training.LT or people is People.ALL:
        return casia_b_files.load(path, Split.ALL if people is People.ALL else Split.TEST, progress=progress)
    whole = casia_b_files.load(path, Split.ALL, progress=progress)
    return _of(whole, SPLITS[training].test, People.TEST)


def _of(data: SequenceSet, test: tuple[str, ...], people: People | None) -> SequenceSet:
    return data.select(np.isin(data.subject, test)) if people is People.TEST else data


def is_simulated(path: Path) -> bool:
    """Whether the simulator wrote this: its `simulation.json` lies beside."""
    return ((path if path.is_dir() else path.parent) / "simulation.json").is_file()
