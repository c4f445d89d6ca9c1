"""What the checks look at."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from model.layout import Layout
from model.sequence import Floats
from training.recipe import Recipe

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Batch:
    """clips: (N, people, T, V, C), coordinates then confidence; the rest as `look` takes it."""

    clips: Floats
    labels: Integers
    recipe: Recipe
    layout: Layout
    names: tuple[str, ...]
    counts: Integers | None
    lengths: Integers | None

    @cached_property
    def bodies(self) -> Floats:
        """Everybody who is there at all, (bodies, T, V, C)."""
        each = self.clips.reshape(-1, *self.clips.shape[2:])
        return each[(each[..., -1] > 0).any(axis=(1, 2))]

    def name(self, label: int) -> str:
        return self.names[label]


def some(items: tuple[str, ...] | list[str], most: int = 5) -> str:
    """A few of them, and how many more.

    >>> some(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    shown = ", ".join(items[:most])
    return shown if len(items) <= most else f"{shown} and {len(items) - most} more"
