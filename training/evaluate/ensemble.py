"""Several streams' results over the same recordings as one: the weighted mean of their probabilities."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from model.errors import InvalidDataSet
from training.evaluate.action_result import ActionResult

WEIGHTS: Mapping[str, float] = MappingProxyType({"j": 2.0, "b": 2.0, "k": 2.0, "jm": 1.0, "bm": 1.0, "km": 1.0})
"""Published: joints, bones and k-bones count twice their motions. So j and b alone are 1:1."""

ENSEMBLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"2-stream": ("j", "b"), "4-stream": ("j", "b", "jm", "bm"), "6-stream": ("j", "b", "k", "jm", "bm", "km")}
)
"""Which streams the published ensembles have."""


def ensemble(results: Sequence[ActionResult], weights: Sequence[float]) -> ActionResult:
    """One result, its recordings in the order of the first; raises `InvalidDataSet` where they do not fit together.

    What any of them left out is an error, too: an ensemble over fewer recordings would be another test.
    """
    assert results, "an ensemble has members"
    _check_weights(weights, len(results))
    first = results[0]
    aligned = [_in_order_of(first, other, number) for number, other in enumerate(results, 1)]
    shares = np.array(weights, dtype=np.float64) / sum(weights)
    mean = sum(share * values.astype(np.float64) for share, values in zip(shares, aligned, strict=True))
    notes = tuple(dict.fromkeys(note for result in results for note in result.notes))
    return replace(first, probabilities=np.asarray(mean, dtype=np.float32), notes=notes)


def _check_weights(weights: Sequence[float], count: int) -> None:
    if len(weights) != count:
        raise InvalidDataSet("an ensemble", f"of {count} results needs as many weights, got {len(weights)}")
    if any(not np.isfinite(weight) or weight <= 0 for weight in weights):
        shown = ", ".join(f"{weight:g}" for weight in weights)
        raise InvalidDataSet("an ensemble", f"needs weights above 0, got {shown}")


def _in_order_of(
    first: ActionResult, other: ActionResult, number: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """The probabilities of `other` in the order of `first`."""
    if other.labels != first.labels:
        raise InvalidDataSet("an ensemble", f"member {number} knows other classes than the first, or in another order")
    if len(np.unique(first.names)) != len(first.names):
        raise InvalidDataSet("an ensemble", "has recordings of the same name")
    order, wanted = np.argsort(other.names), np.argsort(first.names)
    if len(other.names) != len(first.names) or (other.names[order] != first.names[wanted]).any():
        missing = len(np.setxor1d(other.names, first.names))
        raise InvalidDataSet("an ensemble", f"member {number} was tested on other recordings; {missing} differ")
    place = np.empty(len(order), dtype=np.int64)
    place[wanted] = order
    if (other.true[place] != first.true).any():
        raise InvalidDataSet("an ensemble", f"member {number} has other classes for the same recordings")
    return other.probabilities[place]


def published(streams: Mapping[str, ActionResult]) -> dict[str, ActionResult]:
    """Of results by stream ("j", "b", ...), each published ensemble whose members are all there."""
    return {
        name: ensemble([streams[stream] for stream in members], [WEIGHTS[stream] for stream in members])
        for name, members in ENSEMBLES.items()
        if all(stream in streams for stream in members)
    }
