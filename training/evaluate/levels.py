"""Where a method gains over a baseline: by difficulty of the classes (Table X), and class by class (Fig. 6)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from model.errors import InvalidDataSet

SHARES = (5 / 60, 15 / 60, 30 / 60, 1.0)
"""The levels end at the 5th, 15th, 30th and last of 60 classes; of other numbers of classes at the same shares."""


@dataclass(frozen=True, slots=True)
class Level:
    """Classes that the baseline finds about equally hard. first, last: their ranks, 1 is the hardest; baseline, ours:
    mean accuracy over them."""

    first: int
    last: int
    classes: tuple[str, ...]
    baseline: float
    ours: float

    @property
    def gain(self) -> float:
        return self.ours - self.baseline

    @property
    def name(self) -> str:
        return f"{self.first}-{self.last}" if self.last > self.first else f"{self.first}"


def bounds(classes: int) -> tuple[int, ...]:
    """The last rank of each level; levels that would be empty are left out.

    >>> bounds(60), bounds(27), bounds(3)
    ((5, 15, 30, 60), (2, 7, 14, 27), (1, 2, 3))
    """
    ends = [max(1, int(np.floor(share * classes + 0.5))) for share in SHARES]
    return tuple(sorted({min(end, classes) for end in ends}))


def difficulty(
    baseline: Mapping[str, float], ours: Mapping[str, float], ends: Sequence[int] | None = None
) -> tuple[Level, ...]:
    """Classes by rising accuracy of the baseline (ties by name), in levels that end at the ranks `ends`.

    Both are accuracies by class, of the same classes; raises `InvalidDataSet` for others, as all here do.

    >>> found = difficulty({"sit": 0.5, "run": 0.9, "fall": 0.2}, {"sit": 0.6, "run": 0.9, "fall": 0.5}, ends=(1, 3))
    >>> [(level.name, level.classes, round(level.baseline, 2), round(level.ours, 2)) for level in found]
    [('1', ('fall',), 0.2, 0.5), ('2-3', ('sit', 'run'), 0.7, 0.75)]
    """
    order = sorted(_same(baseline, ours), key=lambda label: (baseline[label], label))
    ranks = tuple(ends) if ends is not None else bounds(len(order))
    assert ranks[-1:] == (len(order),), "levels end at the last class"
    assert list(ranks) == sorted(set(ranks)), "levels rise"
    levels = []
    for start, end in zip((0, *ranks[:-1]), ranks, strict=True):
        members = order[start:end]
        means = [float(np.mean([each[label] for label in members])) for each in (baseline, ours)]
        levels.append(Level(start + 1, end, tuple(members), *means))
    return tuple(levels)


@dataclass(frozen=True, slots=True)
class Difference:
    """Of one class: its accuracy by the baseline and by ours."""

    label: str
    baseline: float
    ours: float

    @property
    def gain(self) -> float:
        return self.ours - self.baseline


def differences(baseline: Mapping[str, float], ours: Mapping[str, float]) -> tuple[Difference, ...]:
    """Class by class, the largest gain first, ties by name.

    >>> found = differences({"sit": 0.5, "run": 0.9, "fall": 0.2}, {"sit": 0.5, "run": 0.8, "fall": 0.5})
    >>> [(each.label, round(each.gain, 2)) for each in found]
    [('fall', 0.3), ('sit', 0.0), ('run', -0.1)]
    """
    found = [Difference(label, baseline[label], ours[label]) for label in _same(baseline, ours)]
    return tuple(sorted(found, key=lambda each: (-each.gain, each.label)))


def mean_over_seeds(each: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Accuracies by class of several seeds as their mean; all of the same classes.

    >>> mean_over_seeds([{"sit": 0.5, "run": 1.0}, {"sit": 1.0, "run": 1.0}])
    {'sit': 0.75, 'run': 1.0}
    """
    assert each, "there is at least one seed"
    for other in each[1:]:
        _same(each[0], other)
    return {label: float(np.mean([one[label] for one in each])) for label in each[0]}


def _same(baseline: Mapping[str, float], ours: Mapping[str, float]) -> list[str]:
    if differing := sorted(set(baseline) ^ set(ours)):
        shown = ", ".join(differing[:5])
        raise InvalidDataSet("a comparison by class", f"needs the same classes of both; {shown} are of one")
    return list(baseline)
