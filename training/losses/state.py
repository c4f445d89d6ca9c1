"""What a run has learned of its classes: who is confused with whom, their Motion Families and temperatures."""

import json
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from model.errors import InvalidRecipe
from model.sequence import Floats
from training.losses.inter import InterClassLoss
from training.recipe import load_recipe
from training.run import LABELS, LAST, RECIPE

_PREFIX = "objective.inter."


@dataclass(frozen=True, slots=True, eq=False)
class Affinity:
    """After the last epoch of a run; C classes in the order of `labels`.

    confusion: (C, C) counts of class i taken for class j. similarity: (C, C), w of Eq. 5. families: (C, C) bool, j is
    in W(i), Eq. 6. temperatures: (C,), Eq. 9. prototypes: (C, dim), Eq. 7; zeros for a class never seen.
    epoch: the last one (0-based). started: whether the families were in use by then.
    """

    labels: tuple[str, ...]
    confusion: Floats
    similarity: Floats
    families: NDArray[np.bool_]
    temperatures: Floats
    prototypes: Floats
    epoch: int
    started: bool


def affinity_of(run: Path) -> Affinity:
    """What `checkpoints/last.ckpt` of a run's directory holds.

    Families, similarity and temperatures are those that a next epoch would begin with: all of them follow from the
    confusions counted up to the end. Raises `InvalidRecipe` where the directory holds no such run, or one that was
    trained without the inter-class loss.
    """
    recipe = load_recipe(run / RECIPE)
    if not recipe.loss.inter.enabled:
        raise InvalidRecipe(str(run), "was trained with loss.inter.enabled = false: it has no Motion Families")
    saved = _saved(run)
    classes, dim = saved["prototypes"].shape
    loss = InterClassLoss(classes, dim, recipe.loss.inter, recipe.optim.epochs)
    try:
        loss.load_state_dict(saved)
    except RuntimeError as error:
        raise InvalidRecipe(str(run), f"{LAST} does not fit its recipe: {_first_line(error)}") from error
    loss.rebuild()
    return _read(loss, tuple(json.loads((run / LABELS).read_text(encoding="utf-8"))))


def _saved(run: Path) -> dict[str, Tensor]:
    try:
        checkpoint = torch.load(run / LAST, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise InvalidRecipe(str(run), f"is not the directory of a run: {LAST} is missing") from error
    except (OSError, RuntimeError, EOFError, UnpicklingError) as error:
        raise InvalidRecipe(str(run), f"{LAST} cannot be read; it may be cut off: {_first_line(error)}") from error
    tensors = checkpoint["state_dict"]
    found = {name.removeprefix(_PREFIX): value for name, value in tensors.items() if name.startswith(_PREFIX)}
    if "prototypes" not in found:
        raise InvalidRecipe(str(run), f"{LAST} holds no state of the inter-class loss")
    return found


def _first_line(error: Exception) -> str:
    """What torch says, without its advice of many lines."""
    return " ".join(str(error).split("\n")[:2]).replace("\t", "")


def _read(loss: InterClassLoss, labels: tuple[str, ...]) -> Affinity:
    epoch = int(loss.epoch)
    return Affinity(
        labels, loss.confusion.numpy(), loss.similarity().numpy(), loss.families.numpy(), loss.temperatures.numpy(),
        loss.prototypes.numpy(), epoch, started=epoch >= loss.start,
    )  # fmt: skip
