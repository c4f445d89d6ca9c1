"""A data set to the windows that are re-identified: whose, and how many sequences were too short to give one."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.errors import InvalidDataSet
from training.data.arrays import SequenceSet
from training.data.casia_b import TEST_FILE, TRAIN_FILE, WALKERS_FILE, Progress
from training.data.load import load
from training.data.open import open_set
from training.evaluate.sources import People, is_simulated
from training.protocols import reid
from training.protocols.cells import Mask
from training.protocols.reid import SETTINGS

OWN_FILES = (WALKERS_FILE, TRAIN_FILE, TEST_FILE)


@dataclass(frozen=True, eq=False)
class Windows:
    """What is evaluated. data: windows of `frames` frames; too_short: sequences that held none."""

    data: SequenceSet
    frames: int
    too_short: int = 0
    simulated: bool = False


def open_windows(
    path: Path, people: People = People.TEST, frames: int = reid.FRAMES, *, progress: Progress | None = None
) -> Windows:
    """The windows of the people who are tested: those that the source calls so, else subjects 063-124.

    Sequences are cut; windows that come cut (TranSG's) stay as they are. Raises `InvalidDataSet` where nobody is left
    or no condition has windows.
    """
    found = _read(path, progress)
    return cut(found.select(_tested(found)) if people is People.TEST else found, frames, simulated=is_simulated(path))


def cut(data: SequenceSet, frames: int = reid.FRAMES, *, simulated: bool = False) -> Windows:
    """Sequences to windows; raises `InvalidDataSet` where none is long enough, or none wears what is asked for."""
    worn = data.select(np.isin(data.condition, _conditions()))
    if not len(worn):
        raise InvalidDataSet(data.name, f"has no sequences of the conditions {', '.join(_conditions())}")
    windows = reid.windows(worn, frames)
    if not len(windows):
        raise InvalidDataSet(data.name, f"has no sequence of {frames} frames: the longest has {worn.lengths.max()}")
    return Windows(windows, frames, int((worn.lengths < frames).sum()), simulated)


def _conditions() -> Sequence[str]:
    return tuple(dict.fromkeys(setting.probe for setting in SETTINGS))


def _read(path: Path, progress: Progress | None) -> SequenceSet:
    if path.is_dir() and not any((path / name).is_file() for name in OWN_FILES):
        data = load(path, progress=progress).data
        return data.select(data.part != "train").first_people()
    return open_set(path, progress=progress)


def _tested(data: SequenceSet) -> Mask:
    named = data.part == "test"
    tested = named if named.any() else np.isin(data.subject, reid.TEST)
    if not tested.any():
        which = f"{reid.TEST[0]}-{reid.TEST[-1]}"
        raise InvalidDataSet(data.name, f"has no subjects of the test split ({which}); `--people all` takes everybody")
    return np.asarray(tested)
