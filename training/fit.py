"""Train by a recipe into a run's directory, or go on where a run was stopped."""

import logging
import signal
import warnings
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from rich.console import Console

from model.errors import InvalidRecipe
from model.named_layouts import layout_named
from training.batches import Batches
from training.callbacks import Keeper, Watch
from training.loop import Training
from training.recipe import Recipe, load_recipe
from training.run import LAST, RECIPE, begin_run, read_about, write_about
from training.split import TrainingData, load_training_data

_PRECISION: dict[str, Any] = {"fp32": "32-true", "bf16": "bf16-mixed"}


class Events(TensorBoardLogger):
    """TensorBoard's events and nothing beside them: the recipe is kept elsewhere."""

    def save(self) -> None:
        self.experiment.flush()


def fit(
    recipe: Recipe, out: Path, *, resume: bool = False, until: int | None = None, console: Console | None = None,
    data: TrainingData | None = None,
) -> None:  # fmt: skip
    """Train into `out`. `until` stops after that many epochs, with the schedule of all of them.

    Raises `InvalidRecipe` where `out` holds another run, or, to resume, none; `KeyboardInterrupt` on Ctrl-C, with
    the last whole epoch kept.
    """
    _check(recipe, out, resume=resume)
    data = data or load_training_data(recipe)
    recipe = recipe.with_classes(len(data.labels))
    if not resume:
        begin_run(out, recipe, data.labels)
    console = console or Console(stderr=True)
    if recipe.threads:
        torch.set_num_threads(recipe.threads)
    torch.manual_seed(recipe.seed)
    batches = Batches(data.pool, layout_named(recipe.network.layout), recipe)
    module = Training(recipe, batches, data.held_out)
    console.print(_summary(recipe, data, batches, module), highlight=False, soft_wrap=True)
    trainer = _trainer(recipe, out, console, until)
    _run(trainer, module, out / LAST if resume else None)
    if trainer.current_epoch >= recipe.optim.epochs:
        write_about(out, read_about(out) | {"ended": {"epochs": trainer.current_epoch, "why": "epochs"}})


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


def _trainer(recipe: Recipe, out: Path, console: Console, until: int | None) -> L.Trainer:
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return L.Trainer(
            accelerator="auto",
            devices=1,
            precision=_PRECISION[recipe.optim.precision],
            max_epochs=min(until or recipe.optim.epochs, recipe.optim.epochs),
            gradient_clip_val=recipe.optim.clip_norm,
            check_val_every_n_epoch=recipe.validation.every,
            num_sanity_val_steps=0,
            enable_progress_bar=False,
            enable_model_summary=False,
            enable_checkpointing=False,
            logger=Events(out, name="", version="", default_hp_metric=False),
            log_every_n_steps=10,
            callbacks=[Keeper(out, recipe.optim.keep_epochs), Watch(console)],
        )


def _run(trainer: L.Trainer, module: Training, checkpoint: Path | None) -> None:
    """Fit; Lightning's exit on Ctrl-C becomes a KeyboardInterrupt again."""
    handler = signal.getsignal(signal.SIGINT)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trainer.fit(module, ckpt_path=checkpoint, weights_only=True)
    except SystemExit as stop:
        raise KeyboardInterrupt from stop
    finally:
        if signal.getsignal(signal.SIGINT) is not handler:
            signal.signal(signal.SIGINT, handler)


def _summary(recipe: Recipe, data: TrainingData, batches: Batches, module: Training) -> str:
    weights = sum(p.numel() for p in module.network.parameters())
    held_out = len(data.held_out.pool) if data.held_out else 0
    return (
        f"{recipe.name}: {len(data.pool)} sequences of {len(data.labels)} classes, {held_out} held out; "
        f"{recipe.optim.epochs} epochs of {batches.steps} steps of {batches.size} clips; {weights:,} weights"
    )
