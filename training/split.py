"""From the recipe's [data] section to a training pool, its class names, and what is held out."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from model.errors import InvalidDataSet
from model.named_layouts import layout_named
from training.data.arrays import SequenceSet, Strings, concatenate
from training.data.open import open_set
from training.pool import Pool
from training.recipe import Recipe
from training.sections import DataConfig
from training.validation import HeldOut


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What is trained on, the class names in order of their index, and what is held out (None: nothing)."""

    pool: Pool
    labels: tuple[str, ...]
    held_out: HeldOut | None


def load_training_data(recipe: Recipe) -> TrainingData:
    """Raises `InvalidDataSet` where the files are not what the recipe says."""
    whole = concatenate([open_set(path) for path in recipe.data.paths])
    return split(whole, recipe)


def split(whole: SequenceSet, recipe: Recipe) -> TrainingData:
    """Sequences kept, divided into those trained on and those held out."""
    config = recipe.data
    data = whole.select(_selected(whole, config.keep, everything=True))
    out = held_out_mask(data, config)
    train = data.select(~out)
    if not len(train):
        raise InvalidDataSet(data.name, "the recipe's [data] leaves nothing to train on")
    names = train.labels(config.label)
    labels = np.unique(names)
    if (labels == "").any():
        raise InvalidDataSet(data.name, f"some sequences have no label {config.label!r}")
    layout = layout_named(recipe.network.layout)
    pool = Pool.of(train, np.searchsorted(labels, names), layout, recipe.clip)
    return TrainingData(pool, tuple(str(label) for label in labels), _held_out(data.select(out), labels, recipe))


def _held_out(data: SequenceSet, labels: Strings, recipe: Recipe) -> HeldOut | None:
    by_identity = recipe.data.label == "subject"
    names = data.labels(recipe.data.label)
    if not by_identity:
        data = data.select(np.isin(names, labels))
        names = data.labels(recipe.data.label)
    limit = recipe.validation.limit
    if limit is not None and len(data) > limit:
        data = data.select(np.linspace(0, len(data) - 1, limit).round().astype(np.int64))
        names = data.labels(recipe.data.label)
    if not len(data):
        return None
    index = np.zeros(len(data), dtype=np.int64) if by_identity else np.searchsorted(labels, names)
    pool = Pool.of(data, index, layout_named(recipe.network.layout), recipe.clip)
    return HeldOut(pool, data.select(pool.kept), by_identity, recipe.validation.batch)


def held_out_mask(data: SequenceSet, config: DataConfig) -> NDArray[np.bool_]:
    """Which sequences (n,) are held out: those selected, and all of the last `validation_subjects` others."""
    mask = _selected(data, config.validation, everything=False)
    if config.validation_subjects:
        others = np.unique(data.subject[~mask])
        mask = mask | np.isin(data.subject, others[-config.validation_subjects :])
    return mask


def _selected(data: SequenceSet, wanted: dict, *, everything: bool) -> NDArray[np.bool_]:  # type: ignore[type-arg]
    """Sequences (n,) whose every label named in `wanted` has one of the values; with no label named, `everything`."""
    mask = np.full(len(data), everything or bool(wanted))
    for label, values in wanted.items():
        mask &= np.isin(data.labels(label), expanded(values, data.labels(label)))
    return mask


def expanded(values: tuple[str, ...], known: Strings) -> list[str]:
    """Values with ranges of numbered names written out, as far as they are known; an unknown single one is an error.

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
            raise InvalidDataSet("of the recipe", f"has no label {value!r}; known are {', '.join(names[:20])}")
    return out
