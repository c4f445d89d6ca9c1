"""Which clips make which batch: a function of (seed, epoch, step) alone, so that a run resumes exactly."""

import math
from typing import Protocol

import numpy as np

from model.layout import Layout
from model.sequence import Floats
from training.ahead import Ahead
from training.augment import augment, refuse
from training.pool import Integers
from training.recipe import Recipe
from training.sections import SamplerConfig


class ClipSource(Protocol):
    """What clips are cut from: `training.pool.Pool` in memory, `training.streamed.Streamed` from disk.

    labels: (n,) class numbers. kept: (n,) index of each in the set it came from; what is too short is left out.
    Clips are (n, T, V, dims + 1), or with several people (n, people, T, V, dims + 1).
    """

    @property
    def labels(self) -> Integers: ...

    @property
    def kept(self) -> Integers: ...

    def __len__(self) -> int: ...

    def draw(self, which: Integers, speed: float, rng: np.random.Generator) -> Floats:
        """A random clip of each of `which` (n,); at most by the share `speed` faster or slower."""
        ...

    def fixed(self, which: Integers, count: int = 1) -> Floats:
        """`count` clips of each of `which` (n,), one after the other: the same whenever asked."""
        ...

    def widths(self, which: Integers) -> Integers | None:
        """Widths (n,) of the images that pixels are of, 0 where unknown; None where none is known."""
        ...


class Batches:
    """Batches of a run. `steps` is how many there are in an epoch.

    Raises `InvalidRecipe` for changes to clips that these clips cannot undergo.
    """

    def __init__(self, pool: ClipSource, layout: Layout, recipe: Recipe) -> None:
        refuse(recipe, layout)
        self.pool, self.layout, self.recipe = pool, layout, recipe
        self.size = recipe.sampler.batch
        self.steps = recipe.optim.steps or math.ceil(len(pool) / self.size)
        self._planned: tuple[int, Integers] | None = None
        self._ahead = Ahead(self._made, self.steps, recipe.optim.epochs)

    def make(self, epoch: int, step: int) -> tuple[Floats, Integers]:
        """Clips (batch, T, V, C), or (batch, people, T, V, C), and labels (batch,) of one step (both 0-based)."""
        return self._ahead.get(epoch, step)

    def _made(self, epoch: int, step: int) -> tuple[Floats, Integers]:
        which = self._plan(epoch)[step]
        rng = np.random.default_rng([self.recipe.seed, epoch, step])
        change = self.recipe.augment
        clips = self.pool.draw(which, change.speed, rng)
        return augment(clips, self.layout, change, rng, widths=self.pool.widths(which)), self.pool.labels[which]

    def _plan(self, epoch: int) -> Integers:
        planned = self._planned
        if planned is None or planned[0] != epoch:
            rng = np.random.default_rng([self.recipe.seed, epoch])
            planned = self._planned = epoch, plan(self.pool.labels, self.steps, self.recipe.sampler, rng)
        return planned[1]


def plan(labels: Integers, steps: int, config: SamplerConfig, rng: np.random.Generator) -> Integers:
    """Indices (steps, batch) of the sequences of an epoch.

    `plain`: every sequence once before any comes twice. `pk`: every batch has `per_class` of each of `classes`
    classes; classes, and the sequences of each class, take turns in random order.
    """
    if config.kind == "plain":
        return _turns(np.arange(len(labels)), steps * config.batch, rng).reshape(steps, config.batch)
    members = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    chosen = _chosen_classes(len(members), steps, config.classes, rng)
    needed = np.bincount(chosen.ravel(), minlength=len(members)) * config.per_class
    queues = [_turns(member, int(count), rng) for member, count in zip(members, needed, strict=True)]
    out = np.empty((steps * config.classes, config.per_class), dtype=np.int64)
    flat = chosen.ravel()
    for label, queue in enumerate(queues):
        out[flat == label] = queue.reshape(-1, config.per_class)
    return out.reshape(steps, config.batch)


def _chosen_classes(count: int, steps: int, wanted: int, rng: np.random.Generator) -> Integers:
    """Classes (steps, wanted): different ones within a batch, as long as there are enough."""
    rows = [rng.permutation(count)[:wanted] for _ in range(steps)]
    if wanted <= count:
        return np.stack(rows)
    return np.stack([_turns(np.arange(count), wanted, rng) for _ in range(steps)])


def _turns(items: Integers, count: int, rng: np.random.Generator) -> Integers:
    """`count` items in random order, each once before any comes again."""
    rounds = math.ceil(count / len(items))
    shuffled = [rng.permutation(items) for _ in range(rounds)]
    return np.concatenate(shuffled)[:count] if shuffled else items[:0]
