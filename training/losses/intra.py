"""Intra-class marginal contrastive loss: pull hard positives past the closest negatives (Eq. 15)."""

from math import exp

import torch
from torch import Tensor, nn

from training.losses.config import IntraConfig, epoch_of
from training.losses.gradients import Shape, marginal, unit

# The published code adds this to the denominator, relative to the largest similarity.
_OFFICIAL_FLOOR = 1e-6


class IntraClassLoss(nn.Module):
    """Contrasts a batch with a memory of the last `bank` embeddings, itself included; the memory is in buffers.

    What the published code does otherwise than the paper is in `IntraConfig`. The memory is written in place: go
    backward before the next forward.
    """

    bank_features: Tensor
    bank_labels: Tensor
    bank_pointer: Tensor
    steps: Tensor
    epoch: Tensor

    def __init__(self, dim: int, config: IntraConfig, epochs: int = 1) -> None:
        super().__init__()
        self.config = config
        self.start = epoch_of(config.start_epoch, epochs)
        # The smallest float is for anchors without negatives; the published code has its floor anyway.
        floor = _OFFICIAL_FLOOR * exp(1 / config.temperature) if config.official else torch.finfo(torch.float32).tiny
        self.how = Shape(config.temperature, exp(-config.exponent), floor)
        self.register_buffer("bank_features", torch.zeros(config.bank, dim))
        self.register_buffer("bank_labels", torch.full((config.bank,), -1))
        self.register_buffer("bank_pointer", torch.zeros((), dtype=torch.long))
        self.register_buffer("steps", torch.arange(config.bank), persistent=False)
        self.register_buffer("epoch", torch.zeros((), dtype=torch.long))

    def set_epoch(self, epoch: int) -> None:
        """Once before each epoch (0-based)."""
        self.epoch.fill_(epoch)

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        """Loss, a scalar. features: (batch, dim), labels: (batch,) class indices; batch at most the memory's size."""
        anchors = unit(features.float())
        place, memory, names = self._memory_with(anchors.detach(), labels)
        active = self.epoch >= self.start
        if self.config.waits:
            active = active & (names >= 0).all()
        return self._contrast(anchors, memory, labels, place, names) * active

    def _memory_with(self, anchors: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Where the batch stands, the memory with it, and its labels; in training that is what is remembered."""
        size = self.config.bank
        if not size:
            return torch.arange(len(anchors), device=anchors.device), anchors, labels
        assert len(anchors) <= size, "the batch does not fit into the memory"
        place = (self.bank_pointer + self.steps[: len(anchors)]) % size
        if not self.training:
            held, names = (
                self.bank_features.index_copy(0, place, anchors),
                self.bank_labels.index_copy(0, place, labels),
            )
            return place, held, names
        self.bank_pointer.add_(len(anchors)).remainder_(size)
        held, names = self.bank_features.index_copy_(0, place, anchors), self.bank_labels.index_copy_(0, place, labels)
        return place, held, names

    def _contrast(self, anchors: Tensor, memory: Tensor, labels: Tensor, place: Tensor, names: Tensor) -> Tensor:
        """The margin that Eq. 10-14 ask of each positive against all negatives, for every anchor.   # Eq. 15"""
        # In place, on floats: several times as fast as a comparison that makes booleans first.
        same = (names.float() - labels[:, None].float()).eq_(0)
        negative = (names >= 0).float() - same
        positive = same.scatter_(1, place[:, None], 0.0)
        count = positive.sum(dim=1, keepdim=True)
        counted = len(labels) if self.config.every_anchor else (count > 0).sum().clamp(min=1)
        each = count.clamp_(min=1) if self.config.reduction == "mean" else 1.0
        weights = positive.div_(each * counted)
        return marginal(anchors, memory, place, weights, negative, self.how)
