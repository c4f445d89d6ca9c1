"""How well a network fits what it was trained on, and how large it is: what an ablation has to show first."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from model.runtime import Classifier
from training.data.action_set import ActionSet
from training.evaluate.actions import evaluate_actions
from training.recipe import Recipe
from training.run import Run
from training.sections import TestConfig
from training.split import load_test_data

MOST = 2000
"""Training recordings that are looked at, spread over all."""


def train_accuracy(classifier: Classifier, recipe: Recipe, *, progress: Callable[[int], Any] | None = None) -> float:
    """Share of the recipe's training recordings that are named right, unchanged; of `MOST` spread over all.

    progress: takes the number of recordings, and returns what is told of each.
    """
    data = load_test_data(_on_training(recipe))
    if not isinstance(data, ActionSet):
        data = ActionSet.of_sequences(data)
    if len(data) > MOST:
        data = data.select(np.linspace(0, len(data) - 1, MOST).round().astype(np.int64))
    if recipe.data.label == "subject":
        data = replace(data, action=data.subject)
    return evaluate_actions(classifier, data, progress=progress(len(data)) if progress else None).accuracy


def _on_training(recipe: Recipe) -> Recipe:
    """The recipe with its training data as its test."""
    data = recipe.data
    return recipe.model_copy(update={"test": TestConfig(paths=data.paths, split=data.split, keep=data.keep)})


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
