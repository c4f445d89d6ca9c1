"""What runs leave behind, without training: recipes on a small recording, random weights, reports, kept epochs."""

from pathlib import Path

import torch

from tests.training.random_runs import random_network, random_recipe, random_run
from tests.training.reproduce import made_up
from tests.training.shapes import write_recording
from training.losses.inter import InterClassLoss
from training.recipe import Recipe
from training.reproduce.choices import Choices
from training.reproduce.report import Report, digest, write_report
from training.run import LAST, WEIGHTS, epoch_file
from training.toml import to_toml

ACTIONS = ("phone call", "action 1", "action 2", "action 3")


def recipe_of(folder: Path, **sections: object) -> Recipe:
    """Four actions of KARD's 15 joints, recorded with four people."""
    data = write_recording(folder, "kard", per_class=6, frames=24)
    values = {
        "name": "kard-small",
        "data": {"paths": [str(data)], "label": "action"},
        "test": {"paths": [str(data)]},
        "network": {"layout": "kard-15", "dims": 3},
        "clip": {"dims": 3, "stride": 8},
        "loss": {"inter": {"neighbours": 2, "overlap": 1}},
    }
    return random_recipe("action", classes=len(ACTIONS), **{**values, **sections})


def choices_of(folder: Path, recipe: Recipe, **changed: object) -> Choices:
    """What is there and nothing more: no run of these tests is trained."""
    file = folder / "recipe.toml"
    file.write_text(to_toml(recipe.model_dump(mode="json")))
    return Choices(**({"runs": folder / "runs", "recipe": file, "only_report": True} | changed))


def place(folder: Path, recipe: Recipe, variant: str, seed: int = 1) -> Path:
    return folder / "runs" / recipe.name / variant / f"seed-{seed}"


def leave_run(folder: Path, recipe: Recipe, report: Report, labels: tuple[str, ...] = ACTIONS) -> Path:
    """A run with random weights, tested as the report says."""
    path = place(folder, recipe, report.variant, report.seed)
    path.mkdir(parents=True)
    random_run(path, recipe.model_copy(update={"seed": report.seed}), labels=labels)
    leave_report(folder, recipe, report.model_copy(update={"weights": digest(path / WEIGHTS)}))
    return path


def leave_report(folder: Path, recipe: Recipe, report: Report) -> Path:
    """A report alone, whose run has been put elsewhere."""
    path = place(folder, recipe, report.variant, report.seed)
    path.mkdir(parents=True, exist_ok=True)
    write_report(path, report.model_copy(update={"recipe": recipe.name}))
    return path


def leave_confusions(path: Path, recipe: Recipe, counts: torch.Tensor) -> None:
    """The state of the inter-class loss after the last epoch, with those counts (true, given)."""
    loss = InterClassLoss(len(counts), recipe.network.dim, recipe.loss.inter, recipe.optim.epochs)
    loss.confusion.copy_(counts)
    loss.epoch.fill_(recipe.optim.epochs - 1)
    (path / LAST).parent.mkdir(exist_ok=True)
    tensors = {f"objective.inter.{name}": tensor for name, tensor in loss.state_dict().items()}
    torch.save({"state_dict": tensors}, path / LAST)


def keep_epochs(path: Path, recipe: Recipe, epochs: tuple[int, ...]) -> None:
    for epoch in epochs:
        file = path / epoch_file(epoch)
        file.parent.mkdir(exist_ok=True)
        torch.save(random_network(recipe, seed=epoch).state_dict(), file)


def actions_report(**changed: object) -> Report:
    """Of the small recording's actions, 'phone call' and 'action 2' taken for each other."""
    report = made_up.actions(**changed)
    confusion = [[6, 0, 4, 0], [0, 9, 0, 1], [5, 0, 5, 0], [0, 0, 1, 9]]
    report.figures["confusion"] = {"labels": list(ACTIONS), "counts": confusion}
    classes = zip(ACTIONS, (0.6, 0.9, 0.5, 0.9), strict=True)
    report.figures["classes"] = {label: {"accuracy": share, "sequences": 10, "people": 4} for label, share in classes}
    return report
