"""Which recordings of a data set a recipe's words mean: kept, held out, a share, a smaller dose."""

from collections.abc import Mapping
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from model.errors import InvalidDataSet
from training.data.action_set import ActionSet
from training.data.arrays import LABELS, SequenceSet, Strings
from training.pool import Integers
from training.protocols.actions import class_names
from training.sections import DataConfig, Label

Data: TypeAlias = SequenceSet | ActionSet
Some = TypeVar("Some", SequenceSet, ActionSet)
Mask: TypeAlias = NDArray[np.bool_]

MOST_NAMED = 20
_SHARE, _LIMIT = 1, 2
"""What is drawn by the recipe's seed, apart from batches and from each other."""


def names_of(data: Data, label: Label) -> Strings:
    """The label (n,) of each recording; an action without a name goes by its number, "007"."""
    return class_names(data) if label == "action" and isinstance(data, ActionSet) else data.labels(label)


def selected(data: Data, wanted: Mapping[Label, tuple[str, ...]], *, everything: bool) -> Mask:
    """Recordings (n,) whose every label named in `wanted` has one of the values; with no label named, `everything`."""
    mask = np.full(len(data), everything or bool(wanted))
    for label, values in wanted.items():
        names = names_of(data, label)
        mask &= np.isin(names, expanded(values, names, label, data.name))
    return mask


def expanded(values: tuple[str, ...], known: Strings, label: str = "label", of: str = "of the recipe") -> list[str]:
    """Values with ranges of numbered names written out, as far as they are known.

    Raises `InvalidDataSet`, which names `label` and the data set it is `of`, for a single one that is unknown.

    >>> expanded(("001-003", "007"), np.array(["001", "003", "004", "007"]))
    ['001', '003', '007']
    """
    names = [str(name) for name in np.unique(known)]
    out = []
    for value in values:
        low, dash, high = value.partition("-")
        if dash and low.isdigit() and high.isdigit() and value not in names:
            out += [name for name in names if name.isdigit() and int(low) <= int(name) <= int(high)]
        elif value in names:
            out.append(value)
        else:
            there = ", ".join(repr(name) for name in names[:MOST_NAMED]) + (", ..." if len(names) > MOST_NAMED else "")
            raise InvalidDataSet(of, f"has no {label} {value!r}, as the recipe says; there are: {there}")
    return out


def held_out_mask(data: Data, config: DataConfig, seed: int = 1) -> Mask:
    """Which recordings (n,) are held out: those named, all of the last `validation_subjects` others (of at most
    half of them), and of what is left a `validation_share` of each class, drawn by `seed`.

    Raises `InvalidDataSet` where those named are none of them: an epoch would be chosen by nothing.
    """
    mask = selected(data, config.validation, everything=False)
    if any(config.validation.values()) and not mask.any():
        named = "; ".join(f"{label} {', '.join(values)}" for label, values in config.validation.items())
        raise InvalidDataSet(data.name, f"nothing is held out: [data.validation] wants {named}, and that is not there")
    if config.validation_subjects:
        others = np.unique(data.subject[~mask])
        count = min(config.validation_subjects, len(others) // 2)
        mask = mask | np.isin(data.subject, others[len(others) - count :])
    if config.validation_share:
        rest = np.flatnonzero(~mask)
        mask[rest[share_of_each(names_of(data, config.label)[rest], config.validation_share, seed)]] = True
    return mask


def share_of_each(names: Strings, share: float, seed: int) -> Integers:
    """Indices of a random share of each name's: rounded, but at least one of two, and never all.

    >>> names = np.array(["a", "a", "a", "a", "b"])
    >>> names[share_of_each(names, 0.5, 1)].tolist()
    ['a', 'a']
    """
    rng = _generator(seed, _SHARE)
    taken = []
    for name in np.unique(names):
        members = rng.permutation(np.flatnonzero(names == name))
        count = max(1, int(share * len(members) + 0.5))
        taken.append(members[: min(count, len(members) - 1)])
    return np.sort(np.concatenate(taken)) if taken else np.zeros(0, dtype=np.int64)


def spread(names: Strings, limit: int, seed: int) -> Integers:
    """Indices of at most `limit`, drawn by `seed`: as many of each name as there are, or one more of some.

    >>> names = np.array(["a", "a", "a", "a", "b", "c"])
    >>> names[spread(names, 4, 1)].tolist()
    ['a', 'a', 'b', 'c']
    """
    order = _generator(seed, _LIMIT).permutation(len(names))
    shuffled = names[order]
    by_name = np.argsort(shuffled, kind="stable")
    turn = np.empty(len(names), dtype=np.int64)
    turn[by_name] = np.arange(len(names)) - np.searchsorted(shuffled[by_name], shuffled[by_name])
    return np.sort(order[np.argsort(turn, kind="stable")[:limit]])


def _generator(seed: int, what: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(what,)))


def in_both(data: Data, test: Data) -> int:
    """How many recordings of `data` look like one of `test`: all labels and the number of frames are equal.

    Those without a subject and a name of their own are not compared: they look like many.
    """
    here, there = _looks(data), _looks(test)
    known = (data.subject != "") | (data.labels("sequence") != "")
    return int((np.isin(here, there) & known).sum())


def _looks(data: Data) -> Strings:
    """What tells one recording from another, (n,)."""
    columns = [*(data.labels(label) for label in LABELS), data.lengths.astype(np.str_)]
    looks = columns[0]
    for column in columns[1:]:
        looks = np.char.add(np.char.add(looks, "/"), column)
    return looks
