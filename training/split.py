"""From the recipe's [data] and [test] sections to what is trained on, its class names, what is held out or tested."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from model.errors import InvalidDataSet, InvalidRecipe
from model.named_layouts import layout_named
from training.batches import ClipSource
from training.choose import Data, held_out_mask, in_both, names_of, selected, spread
from training.data.action_set import ActionSet
from training.data.arrays import SequenceSet, Strings, concatenate
from training.data.cache import default_cache, kept
from training.data.load import one_set
from training.data.open import open_set
from training.evaluate.progress import bar
from training.pool import Integers, Pool
from training.recipe import Recipe
from training.streamed import Streamed
from training.validation import HeldOut


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What is trained on, the class names in order of their index, and what is held out (None: nothing)."""

    pool: ClipSource
    labels: tuple[str, ...]
    held_out: HeldOut | None


def load_training_data(recipe: Recipe, *, verify: bool = True) -> TrainingData:
    """Raises `InvalidDataSet` where the files are not what the recipe says, `InvalidRecipe` where it says too little.

    verify: compare the checksums of memory-mapped arrays, which reads all of them once; one process of several has to.
    """
    config = recipe.data
    if config.recordings:
        whole: Data = _recordings(config.paths, config.split, recipe, verify)
    else:
        whole = concatenate([open_set(path) for path in config.paths])
    return split(whole, recipe, load_test_data(recipe) if recipe.validation.on == "test" else None)


def load_test_data(recipe: Recipe, *, verify: bool = False) -> Data:
    """The recordings that [test] names; which of them are probes, and of what, its protocol decides.

    Raises `InvalidRecipe` where [test] names none, `InvalidDataSet` where the files hold none of them.
    """
    config, paths = recipe.test, recipe.test.paths or recipe.data.paths
    if not (config.paths or config.split or config.keep or config.protocol):
        raise InvalidRecipe(recipe.name, "[test] names no paths, split, keep or protocol: nothing to test on")
    if recipe.data.recordings or config.split:
        data: Data = _recordings(paths, config.split, recipe, verify)
    else:
        data = concatenate([open_set(path) for path in paths])
    data = data.select(selected(data, config.keep, everything=True))
    if not len(data):
        raise InvalidDataSet(data.name, "the recipe's [test] leaves nothing to test on")
    return data


def _recordings(paths: tuple[Path, ...], split: str | None, recipe: Recipe, verify: bool) -> ActionSet:
    """A source that is parsed for the first time takes a while: a line says how far it is."""
    if len(paths) > 1:
        raise InvalidRecipe(recipe.name, f"a data set with kind or split is one path, got {len(paths)}")
    kind, source = one_set(paths[0], recipe.data.kind)
    size = sum(file.stat().st_size for file in kind.files(source))
    with bar(f"reading {source.name}") as line:
        loaded = kept(kind, source, default_cache(), verify=verify, progress=line.of(size))
    return loaded.data if split is None else loaded.split(split)


def split(whole: Data, recipe: Recipe, test: Data | None = None) -> TrainingData:
    """Recordings kept, divided into those trained on and those held out.

    test: is held out instead, where the recipe's `validation.on` says so, and all that is kept is trained on.
    """
    config = recipe.data
    data = whole.select(selected(whole, config.keep, everything=True))
    out = np.zeros(len(data), bool) if test is not None else held_out_mask(data, config, recipe.seed)
    train = data.select(~out)
    if not len(train):
        raise InvalidDataSet(data.name, "the recipe's [data] leaves nothing to train on")
    if test is not None and (both := in_both(train, test)):
        reason = (
            f"{both} of the recordings that [test] names are trained on, too; keep them out by [data.keep] or a split"
        )
        raise InvalidRecipe(recipe.name, reason)
    names = names_of(train, config.label)
    labels = np.unique(names)
    if (labels == "").any():
        raise InvalidDataSet(data.name, f"some sequences have no label {config.label!r}")
    if config.limit is not None and config.limit < len(train):
        fewer = spread(names, config.limit, recipe.seed)
        train, names = train.select(fewer), names[fewer]
    pool = source_of(train, np.searchsorted(labels, names), recipe)
    held_out = _held_out(data.select(out) if test is None else test, labels, recipe)
    return TrainingData(pool, tuple(str(label) for label in labels), held_out)


def source_of(data: Data, labels: Integers, recipe: Recipe) -> ClipSource:
    """Single people whose clips are windows are kept in memory; recordings, and whatever else there is, stream.

    Raises `InvalidDataSet` if nothing is long enough, `LayoutMismatch` where the network's layout cannot be had.
    """
    layout, clip = layout_named(recipe.network.layout), recipe.clip
    if isinstance(data, SequenceSet):
        if (clip.people, clip.sampling, clip.origin) == (1, "windows", "given"):
            return Pool.of(data, labels, layout, clip)
        data = ActionSet.of_sequences(data)
    return Streamed.of(data, labels, layout, clip, official=recipe.augment.official)


def _held_out(data: Data, labels: Strings, recipe: Recipe) -> HeldOut | None:
    by_identity = recipe.data.label == "subject"
    if not by_identity:
        data = data.select(np.isin(names_of(data, recipe.data.label), labels))
    limit = recipe.validation.limit
    if limit is not None and len(data) > limit:
        data = data.select(np.linspace(0, len(data) - 1, limit).round().astype(np.int64))
    if not len(data):
        return None
    names = names_of(data, recipe.data.label)
    index = np.zeros(len(data), dtype=np.int64) if by_identity else np.searchsorted(labels, names)
    pool = source_of(data, index, recipe)
    return HeldOut(pool, data.select(pool.kept), by_identity, recipe.validation.batch, recipe.validation.clips)
