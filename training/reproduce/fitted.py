"""How well a network fits what it was trained on, and how large it is: what an ablation has to show first."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from model.runtime import Classifier
from training.choose import Data, held_out_mask, names_of, spread
from training.data.action_set import ActionSet
from training.data.arrays import SequenceSet
from training.evaluate.actions import evaluate_actions
from training.recipe import Recipe
from training.run import Run
from training.sections import TestConfig
from training.split import load_test_data

MOST = 2000
"""Training recordings that are looked at, spread over all."""


def train_accuracy(classifier: Classifier, recipe: Recipe, *, progress: Callable[[int], Any] | None = None) -> float:
    """Share of the recordings that trained which are named right, unchanged; of `MOST` spread over all.

    progress: takes the number of recordings, and returns what is told of each.
    """
    data = at_most(as_recordings(_that_trained(recipe)), MOST)
    if recipe.data.label == "subject":
        data = replace(data, action=data.subject)
    return evaluate_actions(classifier, data, progress=progress(len(data)) if progress else None).accuracy


def _that_trained(recipe: Recipe) -> Data:
    """The recipe's training data without what was held out, and no more of it than its dose."""
    config = recipe.data
    test = TestConfig(paths=config.paths, split=config.split, keep=config.keep)
    data = load_test_data(recipe.model_copy(update={"test": test}))
    if recipe.validation.on != "test":
        data = data.select(~held_out_mask(data, config, recipe.seed))
    if config.limit is not None and config.limit < len(data):
        data = data.select(spread(names_of(data, config.label), config.limit, recipe.seed))
    return data


def as_recordings(data: Data) -> ActionSet:
    return ActionSet.of_sequences(data) if isinstance(data, SequenceSet) else data


def at_most(data: ActionSet, most: int) -> ActionSet:
    """At most so many recordings, spread evenly."""
    if len(data) <= most:
        return data
    return data.select(np.linspace(0, len(data) - 1, most).round().astype(np.int64))


def parameters(run: Run) -> int:
    """Weights that the run's losses train: without a projection that none of them sees."""
    network, embeds = run.network, _sees(run.recipe) == "embedding" or run.recipe.network.head == "cosine"
    parts = [network.backbone, network.head, *[network.neck] * embeds]
    seen = {_sees(run.recipe), run.recipe.network.tap if embeds else None}
    parts += [network.project_pooled] * bool(seen & {"pooled", "both"})
    parts += [network.project_graph] * bool(seen & {"graph", "both"})
    return sum(weight.numel() for part in parts for weight in part.parameters())


def _sees(recipe: Recipe) -> str | None:
    """What the contrastive losses see; None where there are none."""
    return recipe.loss.feature if recipe.loss.inter.enabled or recipe.loss.intra.enabled else None
