"""Train by a recipe into a run's directory, or go on where a run was stopped."""

import tempfile
from pathlib import Path

import torch
from rich.console import Console

from model.errors import InvalidDataSet, InvalidRecipe
from model.named_layouts import layout_named
from training.batches import Batches
from training.callbacks import Keeper, Watch
from training.distributed import Ranks, check_devices, launch
from training.first_look import look
from training.loop import Training
from training.recipe import Recipe, load_recipe
from training.run import LAST, RECIPE, begin_run, finished, read_about, read_labels, write_about
from training.sections import AugmentConfig
from training.split import TrainingData, load_training_data
from training.toml import to_toml
from training.trainer import check_machine, make_trainer, run

ON_TEST = (
    "CHOSEN ON THE TEST SPLIT: the best epoch is looked up in the answers. The figures of this run are too good, and "
    "fit for comparison with papers that did the same only; run.json says so."
)


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
        _fit_here(recipe, out, data or load_training_data(recipe), console, resume=resume, until=until, ranks=ranks)


def _check(recipe: Recipe, out: Path, *, resume: bool) -> None:
    if not resume:
        if (out / LAST).exists():
            raise InvalidRecipe(recipe.name, f"{out} holds a run already; go on with --resume, or choose another --out")
        return
    if not (out / LAST).is_file():
        raise InvalidRecipe(recipe.name, f"{out} holds no checkpoint to resume from")
    before = load_recipe(out / RECIPE)
    if before != recipe.with_classes(before.network.classes):
        raise InvalidRecipe(recipe.name, f"differs from {out / RECIPE}; resume with that file")


def _fit_in_processes(recipe: Recipe, out: Path, resume: bool, until: int | None, devices: int) -> None:
    check_devices(devices)
    with tempfile.TemporaryDirectory() as folder:
        resolved = Path(folder) / RECIPE
        resolved.write_text(to_toml(recipe.model_dump(mode="json")), encoding="utf-8")
        options = [*(["--resume"] if resume else []), *(["--until", str(until)] if until else [])]
        launch("training.worker", ["--recipe", str(resolved), "--out", str(out), *options], devices)


def _fit_here(
    recipe: Recipe, out: Path, data: TrainingData, console: Console, *, resume: bool, until: int | None, ranks: Ranks
) -> None:  # fmt: skip
    recipe = recipe.with_classes(len(data.labels))
    _check_patience(recipe, data)
    batches = Batches(data.pool, layout_named(recipe.network.layout), recipe)
    _first_look(recipe, data, console)
    if resume:
        _go_on(recipe, out, data, ranks, console)
    if recipe.threads:
        torch.set_num_threads(recipe.threads)
    torch.manual_seed(recipe.seed)
    module = Training(recipe, batches, data.held_out, ranks)
    if not resume and ranks.first:
        begin_run(out, recipe, data.labels, _circumstances(recipe, data, module))
    _print_summary(recipe, data, module, console)
    keeper = Keeper(out, recipe.optim.keep_epochs, recipe.optim.patience)
    trainer = make_trainer(recipe, out, until, ranks, [keeper, Watch(console)])
    run(trainer, module, out / LAST if resume else None)
    if ranks.first and (why := keeper.why_ended(trainer.current_epoch, recipe.optim.epochs)):
        write_about(out, read_about(out) | {"ended": {"epochs": trainer.current_epoch, "why": why}})


def _check_patience(recipe: Recipe, data: TrainingData) -> None:
    if recipe.optim.patience and data.held_out is None:
        raise InvalidRecipe(recipe.name, "optim.patience waits for a better score, but nothing is held out to score on")
    late = [epoch for epoch in recipe.optim.keep_epochs if not 1 <= epoch <= recipe.optim.epochs]
    if late:
        raise InvalidRecipe(recipe.name, f"optim.keep_epochs: {late[0]} is not one of {recipe.optim.epochs} epochs")


def _first_look(recipe: Recipe, data: TrainingData, console: Console) -> None:
    """At clips as they are: what augmentation did to them is nobody's fault."""
    plain = recipe.model_copy(update={"augment": AugmentConfig(mirror=0)})
    layout = layout_named(recipe.network.layout)
    clips, labels = Batches(data.pool, layout, plain).make(0, 0)
    findings = look(clips, labels, recipe, layout, data.labels)
    for notice in findings.notices:
        console.print(f"[yellow]data:[/yellow] {notice}", highlight=False, soft_wrap=True)
    if findings.refused:
        raise InvalidDataSet(", ".join(str(path) for path in recipe.data.paths), findings.refused)


def _go_on(recipe: Recipe, out: Path, data: TrainingData, ranks: Ranks, console: Console) -> None:
    """Raises `InvalidRecipe` if the data have become others; says where figures may differ in the last digits."""
    if read_labels(out) != data.labels:
        raise InvalidRecipe(recipe.name, f"the data have other classes now than when {out} was begun")
    before = read_about(out).get("devices", 1)
    if before != ranks.world:
        console.print(
            f"begun on {before} devices, going on on {ranks.world}: not to the same weights as without a stop",
            highlight=False, soft_wrap=True,
        )  # fmt: skip


def _circumstances(recipe: Recipe, data: TrainingData, module: Training) -> dict[str, object]:
    """What run.json says about how it is trained, beyond the recipe."""
    selected_on = recipe.validation.on if data.held_out else "last epoch"
    cuda = torch.cuda.is_available()
    return {
        "selected_on": selected_on,
        "devices": module.ranks.world,
        "device": torch.cuda.get_device_name() if cuda else "cpu",
        "lr": module.lr,
    }


def _print_summary(recipe: Recipe, data: TrainingData, module: Training, console: Console) -> None:
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
    console.print("; ".join(parts), highlight=False, soft_wrap=True)
    if recipe.validation.on == "test":
        console.print(f"[bold red]{ON_TEST}[/bold red]", highlight=False, soft_wrap=True)
