"""A run's directory: what was trained, how, and the weights.

recipe.toml      the resolved recipe
run.json         commit, versions, figures of every epoch, why it ended
labels.json      class names in order of their index
weights.pt       the best network's tensors (a plain state dict)
epochs/          epoch-NNN.pt (from 1): the same of the epochs that the recipe keeps
checkpoints/     last.ckpt, best.ckpt: everything that resuming needs
events.out...    for TensorBoard
"""

import json
import os
import pickle
import platform
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from model.errors import InvalidRecipe
from model.network.aclnet import AclNet
from training.recipe import Recipe, load_recipe
from training.toml import to_toml

RECIPE, ABOUT, LABELS, WEIGHTS = "recipe.toml", "run.json", "labels.json", "weights.pt"
LAST, BEST = Path("checkpoints/last.ckpt"), Path("checkpoints/best.ckpt")
EPOCHS = "epochs"
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


def load_run(path: Path, epoch: int | None = None) -> Run:
    """The best network of a run's directory, or that of a kept epoch (from 1).

    Raises `InvalidRecipe` where something is missing, damaged, or does not fit together.
    """
    weights = WEIGHTS if epoch is None else epoch_file(epoch)
    for name in (RECIPE, LABELS, ABOUT, weights):
        if not (path / name).is_file():
            raise InvalidRecipe(str(path), f"is not the directory of a trained run: {name} is missing")
    recipe = load_recipe(path / RECIPE)
    labels = read_labels(path)
    if len(labels) != recipe.network.classes:
        raise InvalidRecipe(str(path), f"{LABELS} names {len(labels)} classes, {RECIPE} {recipe.network.classes}")
    network = AclNet(recipe.network)
    _put_weights(network, path / weights)
    return Run(path, recipe, network.eval(), labels, read_about(path))


def _put_weights(network: AclNet, path: Path) -> None:
    """Every tensor of the network from the file, and no other."""
    found = _loaded(path)
    check_fits(found, network.state_dict(), path)
    network.load_state_dict(found)


def check_checkpoint(path: Path, wanted: Mapping[str, Tensor]) -> None:
    """Raises `InvalidRecipe` if a checkpoint is damaged, or has not these tensors."""
    found = _loaded(path)
    check_fits(found.get("state_dict") if isinstance(found, dict) else None, wanted, path)


def check_fits(found: object, wanted: Mapping[str, Tensor], path: Path) -> None:
    """Raises `InvalidRecipe` that names tensors which are missing, unknown, or of another shape."""
    if not isinstance(found, dict):
        raise InvalidRecipe(str(path), "holds no tensors by name")
    wrong = {
        "missing": wanted.keys() - found.keys(),
        "unknown": found.keys() - wanted.keys(),
        "of another shape": {n for n in wanted.keys() & found.keys() if found[n].shape != wanted[n].shape},
    }
    reasons = [f"{len(names)} {how} ({', '.join(sorted(names)[:3])})" for how, names in wrong.items() if names]
    if reasons:
        raise InvalidRecipe(str(path), f"does not fit the recipe beside it: tensors {'; '.join(reasons)}")


def _loaded(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise InvalidRecipe(str(path), f"is damaged, or no file of weights ({type(error).__name__})") from error


def finished(path: Path) -> bool:
    """Whether the run in a directory came to its end, by its epochs or by its patience; False where there is none."""
    if not all((path / name).is_file() for name in (RECIPE, LABELS, WEIGHTS, ABOUT)):
        return False
    about = read_about(path)
    if "ended" in about:
        return about["ended"] is not None
    return len(about["epochs"]) >= load_recipe(path / RECIPE).optim.epochs  # of runs before it was written down


def epoch_file(epoch: int) -> Path:
    """Where a run keeps the weights of an epoch (from 1), below its directory."""
    return Path(EPOCHS) / f"epoch-{epoch:03d}.pt"


def begin_run(
    path: Path, recipe: Recipe, labels: tuple[str, ...], circumstances: Mapping[str, Any] | None = None
) -> None:  # fmt: skip
    """Write what is known before the first step. circumstances: what run.json is to say beyond recipe and versions."""
    (path / LAST).parent.mkdir(parents=True, exist_ok=True)
    write_text(path / RECIPE, to_toml(recipe.model_dump(mode="json")))
    write_text(path / LABELS, json.dumps(labels, ensure_ascii=False, indent=1))
    write_about(path, {**_about(recipe, labels), **(circumstances or {})})


def note_resumption(path: Path, devices: int) -> None:
    """Write into run.json after which epoch, by which code and on how many devices a run is gone on with."""
    about = read_about(path)
    now = {"after": len(about["epochs"]), "at": _now(), "commit": _commit(), "devices": devices}
    write_about(path, about | {"resumed": [*about.get("resumed", []), now]})


def read_about(path: Path) -> dict[str, Any]:
    """run.json of a run's directory; raises `InvalidRecipe` if it is damaged."""
    about = _json(path / ABOUT)
    if not isinstance(about, dict) or "epochs" not in about:
        raise InvalidRecipe(str(path / ABOUT), "is not what a run writes")
    return about


def read_labels(path: Path) -> tuple[str, ...]:
    """Class names of a run's directory in order of their index; raises `InvalidRecipe` if they are damaged."""
    labels = _json(path / LABELS)
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise InvalidRecipe(str(path / LABELS), "is no list of names")
    return tuple(labels)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InvalidRecipe(str(path), f"is damaged: {error}") from error


def write_about(path: Path, about: dict[str, Any]) -> None:
    write_text(path / ABOUT, json.dumps(about, ensure_ascii=False, indent=1) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write whole or not at all."""
    with whole(path) as part:
        part.write_text(text, encoding="utf-8")


def save_weights(path: Path, network: AclNet, name: str | Path = WEIGHTS) -> None:
    """The network's tensors into a file of a run's directory, whole or not at all."""
    (path / name).parent.mkdir(exist_ok=True)
    with whole(path / name) as part:
        torch.save({name: tensor.cpu() for name, tensor in network.state_dict().items()}, part)


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """A path to write to, that becomes `path` if nothing interrupts, and is gone otherwise."""
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _about(recipe: Recipe, labels: tuple[str, ...]) -> dict[str, Any]:
    return {
        "name": recipe.name,
        "started": _now(),
        "commit": _commit(),
        "seed": recipe.seed,
        "classes": len(labels),
        "versions": {"python": platform.python_version(), **{name: _version(name) for name in _PACKAGES}},
        "processors": os.cpu_count(),
        "epochs": [],
        "best": None,
        "ended": None,
    }


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


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
