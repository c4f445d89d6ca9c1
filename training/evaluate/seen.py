"""How many of the recordings tested on a bundle was made from, as far as its manifest tells: such figures flatter."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from training.data.arrays import LABELS
from training.data.collect import Loaded
from training.data.kind import Mask
from training.protocols.actions import Chosen


def seen_in_training(trained: Mapping[str, Any], loaded: Loaded, chosen: Chosen, path: Path) -> int:
    """Recordings tested on that the recipe in a manifest's `trained` trains on or chooses by; 0 where it does not say.
    Of an ensemble, those of any of its members.

    A split of the same kind of data set counts wherever the files lie; labels that are kept count for a file of the
    same name, since "003" is another person elsewhere.
    """
    mask = np.zeros(len(loaded.data), dtype=bool)
    for about in _data_sections(trained):
        if (taken := _taken(about, loaded, path)) is not None:
            mask |= taken
    return int(mask[chosen.place].sum())


def _data_sections(trained: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    members = trained.get("members")
    for one in members if isinstance(members, list) else [trained]:
        recipe = one.get("recipe") if isinstance(one, Mapping) else None
        about = recipe.get("data") if isinstance(recipe, Mapping) else None
        if isinstance(about, Mapping):
            yield about


def _taken(about: Mapping[str, Any], loaded: Loaded, path: Path) -> Mask | None:
    """Which recordings (n,) of the data set the recipe takes; None where it takes another data set."""
    split, names = about.get("split"), [Path(str(name)).name for name in about.get("paths") or ()]
    same_kind = about.get("kind") == loaded.report.kind
    if not same_kind and path.name not in names:
        return None
    mask = np.ones(len(loaded.data), dtype=bool)
    if split is not None:
        if split not in loaded.splits:
            return None
        mask[:] = False
        mask[loaded.splits[split]] = True
    kept = about.get("keep") or {}
    for label, values in kept.items():
        if label in LABELS:
            mask &= np.array([_among(value, values) for value in loaded.data.labels(label).tolist()], dtype=bool)
    return mask


def _among(value: str, values: Sequence[str]) -> bool:
    """Whether a label is one of a recipe's, which may be ranges.

    >>> _among("007", ("001", "005-009")), _among("010", ("001", "005-009"))
    (True, False)
    """
    for one in values:
        low, dash, high = one.partition("-")
        if value == one:
            return True
        numbers = low.isdigit() and high.isdigit() and value.isdigit()
        if dash and numbers and int(low) <= int(value) <= int(high):
            return True
    return False
