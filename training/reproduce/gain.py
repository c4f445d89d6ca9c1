"""Whether a variant is better than the baseline: paired differences over seeds, and the verdict in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from statistics import fmean, stdev

from scipy import stats

LEVEL = 0.95
FITTED = 0.8
"""A baseline that names fewer of its own training recordings than this has not been trained, and proves nothing."""


@dataclass(frozen=True, slots=True)
class Gain:
    """Differences to the baseline with the same seed, in points. low, high: a 95 % interval of their mean (Student's
    t over the seeds); None of fewer than two seeds."""

    differences: Mapping[int, float]
    low: float | None
    high: float | None

    @property
    def mean(self) -> float:
        return fmean(self.differences.values())

    @property
    def seeds(self) -> int:
        return len(self.differences)


def gain(ours: Mapping[int, float], baseline: Mapping[int, float]) -> Gain | None:
    """The gain over the seeds that both have; None where they have none in common.

    >>> found = gain({1: 91.0, 2: 92.0, 3: 93.0}, {1: 90.0, 2: 90.0, 3: 90.0})
    >>> found.mean, round(found.low, 2), round(found.high, 2)
    (2.0, -0.48, 4.48)
    """
    paired = {seed: ours[seed] - baseline[seed] for seed in sorted(ours.keys() & baseline.keys())}
    if not paired:
        return None
    if len(paired) < 2:
        return Gain(paired, None, None)
    values = list(paired.values())
    half = float(stats.t.ppf((1 + LEVEL) / 2, len(values) - 1)) * stdev(values) / sqrt(len(values))
    return Gain(paired, fmean(values) - half, fmean(values) + half)


def verdict(found: Gain) -> str:
    """Whether the gain is there.

    >>> verdict(Gain({1: 1.0, 2: 1.2}, 0.1, 2.1)), verdict(Gain({1: 1.0}, None, None))
    ('better', 'one seed tells nothing')
    """
    if found.low is None or found.high is None:
        return "one seed tells nothing"
    if found.low > 0:
        return "better"
    return "worse" if found.high < 0 else "no difference is shown"


def sentence(variant: str, found: Gain) -> str:
    """One line about a variant.

    >>> sentence("full", Gain({1: 1.0, 2: 1.2, 3: 0.8}, 0.5, 1.5))
    'full: +1.0 points over the baseline, 3 seeds (95 %: +0.5 to +1.5; seed by seed +1.0, +1.2, +0.8): better'
    """
    each = ", ".join(f"{value:+.1f}" for value in found.differences.values())
    count = f"{found.seeds} seed{'s' * (found.seeds > 1)}"
    between = "" if found.low is None else f"95 %: {found.low:+.1f} to {found.high:+.1f}; "
    return f"{variant}: {found.mean:+.1f} points over the baseline, {count} ({between}seed by seed {each}): " + (
        verdict(found)
    )
