"""The training loop as a LightningModule: batches by (epoch, step), losses, averaged weights, validation."""

import copy
import math
from typing import Any

import lightning as L
import numpy as np
import torch
from torch import Tensor

from model.network.aclnet import AclNet
from training.batches import Batches
from training.distributed import Ranks
from training.losses.objective import Objective, Terms
from training.optimizer import average_into, make_optimizer, make_schedule, rate
from training.recipe import Recipe
from training.validation import HeldOut, Scores


class Training(L.LightningModule):
    """Trains `network`; `best_network` is what is validated and kept.

    Lightning hands out step numbers only: the batch is made here from (seed, epoch, step), which is what makes a
    resumed run equal to one that was never stopped. Of several processes each takes its rows of the same batch.
    scores: of the held-out sequences after this epoch, if any; the same in every process.
    """

    def __init__(self, recipe: Recipe, batches: Batches, held_out: HeldOut | None, ranks: Ranks | None = None) -> None:
        super().__init__()
        self.recipe, self.batches, self.held_out, self.ranks = recipe, batches, held_out, ranks or Ranks()
        self.network = AclNet(recipe.network)
        self.objective = Objective(recipe.network, recipe.loss, recipe.optim.epochs)
        self.averaged: AclNet | None = None
        if recipe.optim.ema:
            self.averaged = copy.deepcopy(self.network).requires_grad_(False)
        self.scores: Scores = {}
        self._outputs: dict[int, Tensor] = {}

    @property
    def best_network(self) -> AclNet:
        return self.averaged or self.network

    @property
    def lr(self) -> float:
        """The highest learning rate of the run."""
        return rate(self.recipe.optim, self.batches.size)

    def train_dataloader(self) -> range:
        return range(self.batches.steps)

    def val_dataloader(self) -> list[Any]:
        """As many turns in every process; one that has no batch left does nothing in its last turn."""
        if self.held_out is None:
            return []
        return list(range(math.ceil(len(self.held_out.batches()) / self.ranks.world)))

    def training_step(self, _: Tensor | int, batch_idx: int) -> Tensor:
        if batch_idx == 0:
            self.objective.set_epoch(self.current_epoch)
            self.scores = {}
        torch.manual_seed(self.ranks.seed(self.recipe.seed, self.current_epoch, batch_idx))  # for dropout
        clips, labels = self.ranks.rows(*self.batches.make(self.current_epoch, batch_idx))
        outputs = self.network(torch.from_numpy(clips).to(self.device))
        with torch.autocast(self.device.type, enabled=False):
            terms: Terms = self.objective(outputs, torch.from_numpy(labels).to(self.device))
        self._log(terms, len(labels))
        return terms.total * self._share(batch_idx)

    def _log(self, terms: Terms, batch: int) -> None:
        named = {"loss": terms.total, "ce": terms.ce, "inter": terms.inter, "intra": terms.intra}
        named["accuracy"] = terms.correct.float().mean()
        self.log_dict(
            {f"train/{name}": value.detach() for name, value in named.items()},
            on_step=False, on_epoch=True, batch_size=batch,
        )  # fmt: skip

    def _share(self, batch_idx: int) -> float:
        """What makes a step the mean of its batches, where the last one of an epoch has fewer of them."""
        accumulate, steps = self.recipe.optim.accumulate, self.batches.steps
        rest = steps % accumulate
        return accumulate / rest if batch_idx >= steps - rest else 1.0

    def on_train_batch_end(self, _outputs: object, _batch: object, batch_idx: int) -> None:
        last = batch_idx + 1 == self.batches.steps
        if self.averaged is not None and (last or (batch_idx + 1) % self.recipe.optim.accumulate == 0):
            # Young averages forget faster, or the random start would stay in them.
            decay = min(self.recipe.optim.ema, (1 + self.global_step) / (10 + self.global_step))
            average_into(self.averaged, self.network, decay)
        if last:
            self._share_statistics()

    def _share_statistics(self) -> None:
        """Means and variances of the normalisation: of all processes' rows.

        Once an epoch is enough: they are moving averages, so the mean of the averages is the average of the means.
        """
        for network in (self.network, self.averaged):
            if network is not None:
                self.ranks.average([buffer for buffer in network.buffers() if buffer.is_floating_point()])

    def on_validation_epoch_start(self) -> None:
        self._outputs = {}

    def validation_step(self, _: Tensor | int, batch_idx: int) -> None:
        assert self.held_out is not None
        mine = batch_idx * self.ranks.world + self.ranks.rank
        if mine < len(self.held_out.batches()):
            outputs = self.best_network.eval()(torch.from_numpy(self.held_out.make(mine)).to(self.device))
            values = (outputs.embedding if self.held_out.by_identity else outputs.logits).float().cpu().numpy()
            self._outputs[mine] = torch.from_numpy(self.held_out.over_clips(values))

    def on_validation_epoch_end(self) -> None:
        assert self.held_out is not None
        self.scores = self.held_out.score(self._all_outputs(self.held_out).cpu().numpy())
        self._outputs = {}
        self.log_dict({f"held_out/{name}": value for name, value in self.scores.items()})

    def _all_outputs(self, held_out: HeldOut) -> Tensor:
        """Of every held-out sequence (n, dim or classes), those of the other processes among them."""
        batches = held_out.batches()
        width = self.recipe.network.dim if held_out.by_identity else self.recipe.network.classes
        every = torch.zeros(sum(len(rows) for rows in batches), width, device=self.device)
        starts = np.cumsum([0, *(len(rows) for rows in batches)])
        for number, outputs in self._outputs.items():
            every[starts[number] : starts[number + 1]] = outputs
        return self.ranks.add(every)

    def configure_optimizers(self) -> Any:  # one of Lightning's many shapes
        config = self.recipe.optim
        optimizer = make_optimizer(self.network, config, self.lr)
        steps = config.epochs * math.ceil(self.batches.steps / config.accumulate)
        schedule = make_schedule(optimizer, config, self.lr, steps)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}
