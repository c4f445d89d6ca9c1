"""Lightning's trainer as a recipe and the machine have it."""

import logging
import signal
import warnings
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.loggers import TensorBoardLogger
from lightning.pytorch.strategies import DDPStrategy

from model.errors import InvalidRecipe
from training.distributed import Ranks
from training.loop import Training
from training.recipe import Recipe

_PRECISION: dict[str, Any] = {"fp32": "32-true", "bf16": "bf16-mixed", "fp16": "16-mixed"}


class Events(TensorBoardLogger):
    """TensorBoard's events and nothing beside them: the recipe is kept elsewhere."""

    def save(self) -> None:
        self.experiment.flush()


class Terminated(L.Callback):
    """One of several processes ends on SIGTERM as on Ctrl-C.

    Lightning would have them exchange the news first, and wait for ever for one that is already gone.
    """

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        del pl_module
        if trainer.world_size > 1:
            signal.signal(signal.SIGTERM, signal.default_int_handler)


def check_machine(recipe: Recipe, world: int) -> None:
    """Raises `InvalidRecipe` for what cannot be trained here, by so many processes."""
    if recipe.optim.precision == "fp16" and not torch.cuda.is_available():
        reason = "optim.precision: fp16 needs a CUDA GPU, and there is none here; bf16 and fp32 train anywhere"
        raise InvalidRecipe(recipe.name, reason)
    if recipe.sampler.batch % world:
        reason = f"a batch of {recipe.sampler.batch} clips cannot be shared evenly by {world} devices"
        raise InvalidRecipe(recipe.name, reason)


def make_trainer(
    recipe: Recipe, out: Path, until: int | None, ranks: Ranks, callbacks: list[L.Callback]
) -> L.Trainer:  # fmt: skip
    """Trains until that epoch, or the recipe's last."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return L.Trainer(
            accelerator="auto" if ranks.world == 1 else _accelerator(),
            strategy="auto" if ranks.world == 1 else _strategy(),
            devices=ranks.local_world,
            num_nodes=ranks.world // ranks.local_world,
            use_distributed_sampler=False,
            precision=_PRECISION[recipe.optim.precision],
            max_epochs=min(until or recipe.optim.epochs, recipe.optim.epochs),
            gradient_clip_val=recipe.optim.clip_norm,
            accumulate_grad_batches=recipe.optim.accumulate,
            check_val_every_n_epoch=min(recipe.validation.every, recipe.optim.epochs),  # a short run has a best, too
            num_sanity_val_steps=0,
            enable_progress_bar=False,
            enable_model_summary=False,
            enable_checkpointing=False,
            logger=Events(out, name="", version="", default_hp_metric=False),
            log_every_n_steps=10,
            callbacks=[*callbacks, Terminated()],
        )


def _accelerator() -> str:
    return "gpu" if torch.cuda.is_available() else "cpu"


def _strategy() -> DDPStrategy:
    """Not every recipe's losses reach every weight; moving statistics are averaged in the loop, not sent around."""
    backend = "nccl" if torch.cuda.is_available() else "gloo"
    return DDPStrategy(process_group_backend=backend, find_unused_parameters=True, broadcast_buffers=False)


def run(trainer: L.Trainer, module: Training, checkpoint: Path | None) -> None:
    """Fit; Lightning's exit on Ctrl-C becomes a KeyboardInterrupt again.

    Raises `InvalidRecipe` where the GPU's memory is too small for a batch.
    """
    handler = signal.getsignal(signal.SIGINT)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trainer.fit(module, ckpt_path=checkpoint, weights_only=True)
    except SystemExit as stop:
        raise KeyboardInterrupt from stop
    except torch.OutOfMemoryError as error:
        reason = (
            f"a batch of {module.batches.size} clips does not fit into the GPU's memory; halve sampler.classes and "
            f"double optim.accumulate ({module.recipe.optim.accumulate}): as many clips make a step then"
        )
        raise InvalidRecipe(module.recipe.name, reason) from error
    finally:
        if signal.getsignal(signal.SIGINT) is not handler:
            signal.signal(signal.SIGINT, handler)
