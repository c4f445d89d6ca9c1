"""What is known of a kind of data set: how its files are told apart, read and counted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.layout import Layout
from model.sequence import Units
from training.data.action_set import ActionSet
from training.data.stream import Items, Progress

Mask = NDArray[np.bool_]


def no_splits(data: ActionSet) -> Mapping[str, Mask]:
    del data
    return {}


def no_counts(data: ActionSet) -> Mapping[str, int]:
    del data
    return {}


@dataclass(frozen=True)
class Kind:
    """A data set in one of the forms it is distributed in.

    files: all files that decide what is read, for a path that is of this kind. items: one pass over them.
    splits: the official splits as masks (n,) by name; a split that the source brings along is compared with it.
    counts: what else is counted; from labels and lengths, since the frames may not be there. expected: official
    counts (`training.data.report.Report.expected`).
    version goes up when the same files are read otherwise than before, so that no old cache is taken.
    """

    name: str
    title: str
    layout: Layout
    fps: float
    units: Units
    files: Callable[[Path], Sequence[Path]]
    items: Callable[[Path, Progress | None], Items]
    dims: int = 3
    splits: Callable[[ActionSet], Mapping[str, Mask]] = no_splits
    counts: Callable[[ActionSet], Mapping[str, int]] = no_counts
    expected: Mapping[str, int] = field(default_factory=dict)
    aspect: float | None = None
    notes: tuple[str, ...] = ()
    version: int = 1
