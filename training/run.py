"""A run's directory: what was trained, how, and the weights.

recipe.toml      the resolved recipe
run.json         commit, versions, figures of every epoch
labels.json      class names in order of their index
weights.pt       the best network's tensors (a plain state dict)
checkpoints/     last.ckpt, best.ckpt: everything that resuming needs
events.out...    for TensorBoard
"""

import json
import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from model.errors import InvalidRecipe
from model.network.aclnet import AclNet
from training.recipe import Recipe, load_recipe
from training.toml import to_toml

RECIPE, ABOUT, LABELS, WEIGHTS = "recipe.toml", "run.json", "labels.json", "weights.pt"
LAST, BEST = Path("checkpoints/last.ckpt"), Path("checkpoints/best.ckpt")
_PACKAGES = ("torch", "lightning", "numpy")
_ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, eq=False)
class Run:
    """A finished (or at least once validated) run. network: in evaluation mode, on the CPU."""

    path: Path
    recipe: Recipe
    network: AclNet
    labels: tuple[str, ...]
    about: dict[str, Any]


def load_run(path: Path) -> Run:
    """The best network of a run's directory; raises `InvalidRecipe` where something is missing."""
    for name in (RECIPE, LABELS, WEIGHTS, ABOUT):
        if not (path / name).is_file():
            raise InvalidRecipe(str(path), f"is not the directory of a trained run: {name} is missing")
    recipe = load_recipe(path / RECIPE)
    network = AclNet(recipe.network)
    network.load_state_dict(torch.load(path / WEIGHTS, map_location="cpu", weights_only=True))
    labels = tuple(json.loads((path / LABELS).read_text(encoding="utf-8")))
    about = json.loads((path / ABOUT).read_text(encoding="utf-8"))
    return Run(path, recipe, network.eval(), labels, about)


def begin_run(path: Path, recipe: Recipe, labels: tuple[str, ...]) -> None:
    """Write what is known before the first step."""
    (path / LAST).parent.mkdir(parents=True, exist_ok=True)
    write_text(path / RECIPE, to_toml(recipe.model_dump(mode="json")))
    write_text(path / LABELS, json.dumps(labels, ensure_ascii=False, indent=1))
    write_about(path, _about(recipe, labels))


def read_about(path: Path) -> dict[str, Any]:
    about: dict[str, Any] = json.loads((path / ABOUT).read_text(encoding="utf-8"))
    return about


def write_about(path: Path, about: dict[str, Any]) -> None:
    write_text(path / ABOUT, json.dumps(about, ensure_ascii=False, indent=1) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def save_weights(path: Path, network: AclNet) -> None:
    part = path / f".{WEIGHTS}.part"
    torch.save({name: tensor.cpu() for name, tensor in network.state_dict().items()}, part)
    part.replace(path / WEIGHTS)


def _about(recipe: Recipe, labels: tuple[str, ...]) -> dict[str, Any]:
    return {
        "name": recipe.name,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "seed": recipe.seed,
        "classes": len(labels),
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in _PACKAGES}},
        "processors": os.cpu_count(),
        "epochs": [],
        "best": None,
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _commit() -> str | None:
    """The commit that this code is at, `-changed` behind it where files differ; None outside a checkout."""
    try:
        found = subprocess.run(  # noqa: S603
            ["git", "-C", str(_ROOT), "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty=-changed"],  # noqa: S607
            capture_output=True, text=True, check=True, timeout=20,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return found.stdout.strip() or None
