"""A sequence from one layout to another, saying what was interpolated, what is missing and what was dropped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from model.errors import LayoutMismatch
from model.layout import Layout
from model.sequence import Floats, SkeletonSequence

Weights = Mapping[str, float]
"""Source joints and their weights, which sum to 1."""


def _mean(*joints: str) -> Weights:
    return {joint: 1 / len(joints) for joint in joints}


_SHOULDERS = ("left_shoulder", "right_shoulder")
_HIPS = ("left_hip", "right_hip")


def _between(low: Sequence[str], high: Sequence[str], part: float) -> Weights:
    """A point `part` of the way from the mean of `low` to the mean of `high`."""
    return {j: (1 - part) / len(low) for j in low} | {j: part / len(high) for j in high}


def _sided(rules: Mapping[str, Sequence[Sequence[str]]]) -> dict[str, Sequence[Weights]]:
    return {
        f"{side}_{joint}": [_mean(*(f"{side}_{source}" for source in sources)) for sources in alternatives]
        for joint, alternatives in rules.items()
        for side in ("left", "right")
    }


DERIVED: Mapping[str, Sequence[Weights]] = MappingProxyType(
    {
        "mid_hip": [_mean(*_HIPS)],
        "mid_shoulder": [_mean(*_SHOULDERS), _mean("neck")],
        "neck": [_mean(*_SHOULDERS), _mean("mid_shoulder")],
        "spine": [_between(_HIPS, _SHOULDERS, 0.5)],
        "chest": [_between(_HIPS, _SHOULDERS, 0.75)],
        "upper_neck": [_mean("neck", "head")],
        "head": [_mean("left_ear", "right_ear"), _mean("nose")],
        "nose": [_mean("head")],
        **_sided(
            {"foot": [["big_toe", "small_toe"], ["big_toe"]], "big_toe": [["foot"]], "hand": [["index", "pinky"]]}
        ),
    }
)
"""How a joint follows from others where a layout lacks it; the first rule whose sources are there is taken."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """The converted sequence; the names of its joints that were interpolated or are missing, of the source's unused."""

    sequence: SkeletonSequence
    interpolated: tuple[str, ...]
    missing: tuple[str, ...]
    dropped: tuple[str, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        """One sentence for each kind of change; none where every joint was copied."""
        said = (("interpolated", self.interpolated), ("missing", self.missing), ("dropped", self.dropped))
        return tuple(f"{word}: {', '.join(names)}" for word, names in said if names)


@dataclass(frozen=True, slots=True)
class Plan:
    """weights: (target joints, source joints); a row of zeros is a joint that cannot be had.

    sources: (target joints, n), the source joints of each, some several times where another joint has more of them.
    """

    weights: Floats
    sources: NDArray[np.intp]
    interpolated: tuple[str, ...]
    missing: tuple[str, ...]
    dropped: tuple[str, ...]


@lru_cache(maxsize=256)
def plan(source: Layout, target: Layout) -> Plan:
    """How `target` follows from `source`; raises `LayoutMismatch` if fewer than half of its joints can be had."""
    weights = np.zeros((target.count, source.count), dtype=np.float32)
    interpolated: list[str] = []
    missing: list[str] = []
    for row, joint in enumerate(target.joints):
        if joint in source:
            weights[row, source.index(joint)] = 1
            continue
        rule = next((r for r in DERIVED.get(joint, ()) if all(name in source for name in r)), None)
        (missing if rule is None else interpolated).append(joint)
        for name, weight in (rule or {}).items():
            weights[row, source.index(name)] = weight
    if 2 * len(missing) > target.count:
        raise LayoutMismatch(target.name, source.name, f"{len(missing)} of {target.count} joints cannot be had from it")
    dropped = tuple(source.joints[i] for i in np.flatnonzero(~weights.any(axis=0)))
    each = [np.flatnonzero(row) if row.any() else np.zeros(1, dtype=np.intp) for row in weights]
    sources = np.stack([np.resize(row, max(map(len, each))) for row in each])
    weights.setflags(write=False)
    return Plan(weights, sources, tuple(interpolated), tuple(missing), dropped)


def convert(sequence: SkeletonSequence, target: Layout) -> Conversion:
    """The sequence in another layout. A joint is as confident as the least confident joint it was made from.

    Raises `LayoutMismatch` if fewer than half of the target's joints can be had.
    """
    if sequence.layout == target:
        return Conversion(sequence, (), (), ())
    how = plan(sequence.layout, target)
    joints = np.einsum("uv,tvd->tud", how.weights, sequence.joints, optimize=True)
    confidence = sequence.confidence[:, how.sources].min(axis=2)
    confidence[:, ~how.weights.any(axis=1)] = 0
    converted = replace(sequence, joints=joints, confidence=confidence, layout=target)
    return Conversion(converted, how.interpolated, how.missing, how.dropped)
