"""What comes before the first step: the data are read and looked at, and it is said what is going to happen."""

from collections.abc import Iterator

import numpy as np
import torch
from rich.console import Console

from model.errors import InvalidDataSet, InvalidRecipe
from model.named_layouts import layout_named
from training.batches import Batches
from training.first_look import look
from training.loop import Training
from training.pool import Pool
from training.recipe import Recipe
from training.sections import AugmentConfig
from training.split import TrainingData

ON_TEST = (
    "CHOSEN ON THE TEST SPLIT: the best epoch is looked up in the answers. The figures of this run are too good, and "
    "fit for comparison with papers that did the same only; run.json says so."
)


def check_data(recipe: Recipe, data: TrainingData) -> None:
    """Raises `InvalidRecipe` where these data cannot be trained on as the recipe says."""
    if recipe.optim.patience and data.held_out is None:
        raise InvalidRecipe(recipe.name, "optim.patience waits for a better score, but nothing is held out to have one")


def first_look(recipe: Recipe, data: TrainingData, console: Console) -> None:
    """Say what looks wrong with the data; raises `InvalidDataSet` where training is hopeless.

    At clips as they are: what augmentation does to them is not the data's fault.
    """
    plain = recipe.model_copy(update={"augment": AugmentConfig(mirror=0)})
    layout = layout_named(recipe.network.layout)
    clips, labels = Batches(data.pool, layout, plain).make(0, 0)
    counts = np.bincount(data.pool.labels, minlength=len(data.labels))
    lengths = data.pool.lengths if isinstance(data.pool, Pool) else None
    findings = look(clips, labels, recipe, layout, data.labels, counts, lengths)
    for notice in (*findings.notices, *_choice(data)):
        console.print(f"look at the data: {notice}", style="yellow", markup=False, highlight=False, soft_wrap=True)
    if findings.refused:
        raise InvalidDataSet(", ".join(str(path) for path in recipe.data.paths), findings.refused)


def _choice(data: TrainingData) -> Iterator[str]:
    """Why the held-out people cannot tell a good epoch from a bad one."""
    held_out = data.held_out
    if held_out is None or not held_out.by_identity:
        return
    if len(np.unique(held_out.data.subject)) < 2:
        yield "one person is held out, who is always found: the first epoch will pass for the best; hold out more"
    elif not held_out.searched:
        yield (
            "nobody held out has a sequence to be searched for beside the one that is enrolled: the first epoch will "
            "pass for the best; hold out people with several sequences"
        )


def circumstances(recipe: Recipe, data: TrainingData, module: Training) -> dict[str, object]:
    """What run.json says about how it is trained, beyond recipe and versions."""
    return {
        "selected_on": recipe.validation.on if data.held_out else "last epoch",
        "devices": module.ranks.world,
        "device": torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu",
        "lr": module.lr,
    }


def print_summary(recipe: Recipe, data: TrainingData, module: Training, console: Console) -> None:
    """One line of what is trained, on what and how; a loud one if the best epoch is chosen on the test split."""
    weights = sum(p.numel() for p in module.network.parameters())
    held_out = len(data.held_out.pool) if data.held_out else 0
    optim, batches = recipe.optim, module.batches
    parts = [
        f"{recipe.name}: {len(data.pool)} sequences of {len(data.labels)} classes, {held_out} held out",
        f"{optim.epochs} epochs of {batches.steps} steps of {batches.size} clips",
        f"{weights:,} weights",
    ]
    if optim.accumulate > 1:
        parts.append(f"weights change every {optim.accumulate} steps")
    if optim.lr_batch:
        parts.append(f"learning rate {module.lr:g}: {optim.lr:g} for {optim.lr_batch} clips")
    if module.ranks.world > 1:
        parts.append(f"{module.ranks.world} devices")
    console.print("; ".join(parts), markup=False, highlight=False, soft_wrap=True)
    if recipe.validation.on == "test":
        console.print(ON_TEST, style="bold red", highlight=False, soft_wrap=True)
