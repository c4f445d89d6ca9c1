"""Which clips make which batch: a function of (seed, epoch, step) alone, so that a run resumes exactly."""

import math

import numpy as np

from model.layout import Layout
from model.sequence import Floats
from training.augment import augment
from training.pool import Integers, Pool
from training.recipe import Recipe
from training.sections import SamplerConfig


class Batches:
    """Batches of a run. `steps` is how many there are in an epoch."""

    def __init__(self, pool: Pool, layout: Layout, recipe: Recipe) -> None:
        self.pool, self.layout, self.recipe = pool, layout, recipe
        self.size = recipe.sampler.batch
        self.steps = recipe.optim.steps or math.ceil(len(pool) / self.size)
        self._planned: tuple[int, Integers] | None = None

    def make(self, epoch: int, step: int) -> tuple[Floats, Integers]:
        """Clips (batch, T, V, C) and labels (batch,) of one step (both 0-based)."""
        which = self._plan(epoch)[step]
        rng = np.random.default_rng([self.recipe.seed, epoch, step])
        change = self.recipe.augment
        speed = np.ones(len(which))
        if change.speed:
            speed = rng.uniform(1 - change.speed, 1 + change.speed, len(which))
        room = self.pool.lengths[which] - 1 - (self.pool.clip.frames - 1) * speed
        first = rng.random(len(which)) * np.maximum(room, 0)
        first = first if change.speed else np.rint(first)
        clips = self.pool.cut(which, first, speed)
        return augment(clips, self.layout, change, rng), self.pool.labels[which]

    def _plan(self, epoch: int) -> Integers:
        if self._planned is None or self._planned[0] != epoch:
            rng = np.random.default_rng([self.recipe.seed, epoch])
            self._planned = epoch, plan(self.pool.labels, self.steps, self.recipe.sampler, rng)
        return self._planned[1]


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
