"""The training loop as a LightningModule: batches by (epoch, step), losses, averaged weights, validation."""

import copy
import math
from typing import Any

import lightning as L
import numpy as np
import torch
from torch import Tensor, nn

from model.network.aclnet import AclNet
from training.batches import Batches
from training.losses.objective import Objective, Terms
from training.recipe import Recipe
from training.sections import OptimConfig
from training.validation import HeldOut, Scores


class Training(L.LightningModule):
    """Trains `network`; `best_network` is what is validated and kept.

    Lightning hands out step numbers only: the batch is made here from (seed, epoch, step), which is what makes a
    resumed run equal to one that was never stopped. scores: of the held-out sequences after this epoch, if any.
    """

    def __init__(self, recipe: Recipe, batches: Batches, held_out: HeldOut | None) -> None:
        super().__init__()
        self.recipe, self.batches, self.held_out = recipe, batches, held_out
        self.network = AclNet(recipe.network)
        self.objective = Objective(recipe.network, recipe.loss, recipe.optim.epochs)
        self.averaged: AclNet | None = None
        if recipe.optim.ema:
            self.averaged = copy.deepcopy(self.network).requires_grad_(False)
        self.scores: Scores = {}
        self._outputs: list[Tensor] = []

    @property
    def best_network(self) -> AclNet:
        return self.averaged or self.network

    def train_dataloader(self) -> range:
        return range(self.batches.steps)

    def val_dataloader(self) -> list[Any]:
        return [] if self.held_out is None else list(range(len(self.held_out.batches())))

    def training_step(self, _: Tensor | int, batch_idx: int) -> Tensor:
        if batch_idx == 0:
            self.objective.set_epoch(self.current_epoch)
            self.scores = {}
        torch.manual_seed(seed_of(self.recipe.seed, self.current_epoch, batch_idx))  # for dropout
        clips, labels = self.batches.make(self.current_epoch, batch_idx)
        outputs = self.network(torch.from_numpy(clips).to(self.device))
        with torch.autocast(self.device.type, enabled=False):
            terms: Terms = self.objective(outputs, torch.from_numpy(labels).to(self.device))
        named = {"loss": terms.total, "ce": terms.ce, "inter": terms.inter, "intra": terms.intra}
        named["accuracy"] = terms.correct.float().mean()
        self.log_dict(
            {f"train/{name}": value.detach() for name, value in named.items()},
            on_step=False, on_epoch=True, batch_size=len(labels),
        )  # fmt: skip
        return terms.total

    def on_train_batch_end(self, *_: object) -> None:
        if self.averaged is not None:
            # Young averages forget faster, or the random start would stay in them.
            decay = min(self.recipe.optim.ema, (1 + self.global_step) / (10 + self.global_step))
            average_into(self.averaged, self.network, decay)

    def on_validation_epoch_start(self) -> None:
        self._outputs = []

    def validation_step(self, _: Tensor | int, batch_idx: int) -> None:
        assert self.held_out is not None
        clips = self.held_out.pool.centred(self.held_out.batches()[batch_idx])
        outputs = self.best_network.eval()(torch.from_numpy(clips).to(self.device))
        self._outputs.append((outputs.embedding if self.held_out.by_identity else outputs.logits).float().cpu())

    def on_validation_epoch_end(self) -> None:
        assert self.held_out is not None
        self.scores = self.held_out.score(torch.cat(self._outputs).numpy())
        self._outputs = []
        self.log_dict({f"held_out/{name}": value for name, value in self.scores.items()})

    def configure_optimizers(self) -> Any:  # one of Lightning's many shapes
        config = self.recipe.optim
        optimizer = make_optimizer(self.network, config)
        total = config.epochs * self.batches.steps
        schedule: torch.optim.lr_scheduler.LRScheduler
        if config.schedule == "onecycle":
            schedule = torch.optim.lr_scheduler.OneCycleLR(
                optimizer, config.lr, total_steps=total, cycle_momentum=False
            )
        else:
            schedule = torch.optim.lr_scheduler.LambdaLR(
                optimizer, lambda step: cosine_share(step, total, config.warmup)
            )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def seed_of(*numbers: int) -> int:
    """One seed from several numbers."""
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


def make_optimizer(network: nn.Module, config: OptimConfig) -> torch.optim.Optimizer:
    """SGD with Nesterov momentum decays all weights, as published; AdamW spares biases, norms and single numbers."""
    if config.kind == "sgd":
        return torch.optim.SGD(
            network.parameters(), config.lr, momentum=config.momentum, nesterov=config.momentum > 0,
            weight_decay=config.weight_decay,
        )  # fmt: skip
    decayed = [p for p in network.parameters() if p.ndim > 1]
    spared = [p for p in network.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": config.weight_decay}, {"params": spared, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, config.lr)


def cosine_share(step: int, total: int, warmup: float) -> float:
    """Share of the full learning rate at a step: up in a straight line, then down to 0 along a cosine.

    >>> [round(cosine_share(step, 100, 0.1), 2) for step in (0, 9, 10, 55, 100)]
    [0.1, 1.0, 1.0, 0.5, 0.0]
    """
    rise = int(total * warmup)
    if step < rise:
        return (step + 1) / rise
    return (1 + math.cos(math.pi * min(1.0, (step - rise) / max(1, total - rise)))) / 2


@torch.no_grad()
def average_into(average: nn.Module, network: nn.Module, decay: float) -> None:
    """average <- decay * average + (1 - decay) * network, parameters and buffers; whole numbers are copied."""
    new = network.state_dict()
    for name, old in average.state_dict().items():
        if old.is_floating_point():
            old.lerp_(new[name], 1 - decay)
        else:
            old.copy_(new[name])
