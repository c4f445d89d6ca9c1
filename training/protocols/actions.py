"""Who trains and who tests in the action data sets: different people, always."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from training.data.arrays import SequenceSet


@dataclass(frozen=True, slots=True)
class CrossSubject:
    """Subjects whose sequences train, and subjects whose sequences test."""

    train: tuple[str, ...]
    test: tuple[str, ...]

    def __post_init__(self) -> None:
        assert not set(self.train) & set(self.test), "nobody both trains and tests"

    def testing(self, data: SequenceSet) -> SequenceSet:
        return data.select(np.isin(data.subject, self.test))

    def training(self, data: SequenceSet) -> SequenceSet:
        return data.select(np.isin(data.subject, self.train))


SPLITS: Mapping[str, CrossSubject] = MappingProxyType(
    {
        # Chen et al., ICIP 2015: odd subjects train, even ones test.
        "utd-mhad": CrossSubject(("001", "003", "005", "007"), ("002", "004", "006", "008")),
        # The folders of its source: actors bd, bk, dg train, mm and tr test.
        "hdm05": CrossSubject(("001", "002", "003"), ("004", "005")),
    }
)
