"""Train by a recipe into a run's directory, or go on where a run was stopped."""

import tempfile
from pathlib import Path

import torch
from rich.console import Console

from model.errors import InvalidRecipe
from model.named_layouts import layout_named
from training.batches import Batches
from training.callbacks import Keeper, Watch
from training.distributed import Ranks, check_devices, launch
from training.loop import Training
from training.recipe import Recipe, load_recipe
from training.run import (
    LAST,
    RECIPE,
    begin_run,
    check_checkpoint,
    finished,
    note_resumption,
    read_about,
    read_labels,
    write_about,
)
from training.split import TrainingData, load_training_data
from training.start import check_data, circumstances, first_look, print_summary
from training.toml import to_toml
from training.trainer import check_machine, make_trainer, run


def fit(
    recipe: Recipe, out: Path, *, resume: bool = False, until: int | None = None, console: Console | None = None,
    data: TrainingData | None = None, devices: int = 1,
) -> None:  # fmt: skip
    """Train into `out`. `until` stops after that many epochs, with the schedule of all of them.

    devices: processes, each with a GPU, or on the processor where there is none; they share every batch. To resume a
    run that is finished is to leave it as it is. Raises `InvalidRecipe` where `out` holds another run, or, to resume,
    none, or the machine cannot do what the recipe says; `InvalidDataSet` where the data are wrong or hopeless;
    `KeyboardInterrupt` on Ctrl-C, with the last whole epoch kept.
    """
    ranks = Ranks.here()
    _check(recipe, out, resume=resume)
    check_machine(recipe, max(devices, ranks.world))
    console = console or Console(stderr=True, quiet=not ranks.first)
    if resume and finished(out):
        console.print(f"{out} is finished: there is nothing to go on with", highlight=False, soft_wrap=True)
    elif devices > 1 and ranks.world == 1:
        assert data is None, "data that are loaded here do not reach other processes"
        _fit_in_processes(recipe, out, resume, until, devices)
    else:
        _fit_here(recipe, out, data or load_training_data(recipe, verify=ranks.first), console, resume, until, ranks)


def _check(recipe: Recipe, out: Path, *, resume: bool) -> None:
    late = [epoch for epoch in recipe.optim.keep_epochs if not 1 <= epoch <= recipe.optim.epochs]
    if late:
        raise InvalidRecipe(recipe.name, f"optim.keep_epochs: {late[0]} is not one of {recipe.optim.epochs} epochs")
    if not resume:
        if (out / LAST).exists():
            raise InvalidRecipe(recipe.name, f"{out} holds a run already; go on with --resume, or choose another --out")
        return
    if not (out / LAST).is_file():
        raise InvalidRecipe(recipe.name, f"{out} holds no checkpoint to resume from; begin without --resume")
    before = load_recipe(out / RECIPE)
    if before != recipe.with_classes(before.network.classes):
        raise InvalidRecipe(recipe.name, f"differs from {out / RECIPE}; resume with that file")


def _fit_in_processes(recipe: Recipe, out: Path, resume: bool, until: int | None, devices: int) -> None:
    check_devices(devices)
    if recipe.data.recordings:
        load_training_data(recipe, verify=False)  # parsed once, before several processes would do it at the same time
    with tempfile.TemporaryDirectory() as folder:
        resolved = Path(folder) / RECIPE
        resolved.write_text(to_toml(recipe.model_dump(mode="json")), encoding="utf-8")
        options = [*(["--resume"] if resume else []), *(["--until", str(until)] if until else [])]
        launch("training.worker", ["--recipe", str(resolved), "--out", str(out), *options], devices)


def _fit_here(
    recipe: Recipe, out: Path, data: TrainingData, console: Console, resume: bool, until: int | None, ranks: Ranks
) -> None:  # fmt: skip
    recipe = recipe.with_classes(len(data.labels))
    check_data(recipe, data)
    first_look(recipe, data, console)
    if recipe.threads:
        torch.set_num_threads(max(1, recipe.threads // ranks.local_world))
    torch.manual_seed(recipe.seed)
    module = Training(recipe, Batches(data.pool, layout_named(recipe.network.layout), recipe), data.held_out, ranks)
    if resume:
        _check_resumed(recipe, out, data, ranks, console)
        check_checkpoint(out / LAST, module.state_dict())
        if ranks.first:
            note_resumption(out, ranks.world)
    elif ranks.first:
        begin_run(out, recipe, data.labels, circumstances(recipe, data, module))
    print_summary(recipe, data, module, console)
    keeper = Keeper(out, recipe.optim.keep_epochs, recipe.optim.patience)
    trainer = make_trainer(recipe, out, until, ranks, [keeper, Watch(console)])
    run(trainer, module, out / LAST if resume else None)
    if ranks.first and (why := keeper.why_ended(trainer.current_epoch, recipe.optim.epochs)):
        write_about(out, read_about(out) | {"ended": {"epochs": trainer.current_epoch, "why": why}})


def _check_resumed(recipe: Recipe, out: Path, data: TrainingData, ranks: Ranks, console: Console) -> None:
    """Raises `InvalidRecipe` if the data have become others; says where other weights will come out."""
    if read_labels(out) != data.labels:
        raise InvalidRecipe(recipe.name, f"the data have other classes now than when {out} was begun")
    before = read_about(out).get("devices", 1)
    if before != ranks.world:
        console.print(
            f"begun on {before} device(s), going on on {ranks.world}: not to the same weights as without a stop",
            highlight=False, soft_wrap=True,
        )  # fmt: skip
