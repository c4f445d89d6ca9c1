"""Intra-class marginal contrastive loss: pull hard positives past the closest negatives (Eq. 15)."""

from math import exp

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from training.losses.config import IntraConfig, epoch_of

# The published code adds this to the denominator, relative to the largest similarity.
_OFFICIAL_FLOOR = 1e-6


class IntraClassLoss(nn.Module):
    """Contrasts a batch with a memory of the last `bank` embeddings, itself included; the memory is in buffers.

    `paper` mode: margin inside the temperature, (s - eps) / tau; the memory is used from the first step; anchors
    without a positive do not count. `official` mode: s / tau - eps; 0 until the memory is full; all anchors count.
    """

    bank_features: Tensor
    bank_labels: Tensor
    bank_pointer: Tensor
    epoch: Tensor

    def __init__(self, dim: int, config: IntraConfig, epochs: int = 1) -> None:
        super().__init__()
        self.config = config
        self.start = epoch_of(config.start_epoch, epochs)
        self.official = config.mode == "official"
        self.margin = config.epsilon if self.official else config.epsilon / config.temperature
        self.register_buffer("bank_features", torch.zeros(config.bank, dim))
        self.register_buffer("bank_labels", torch.full((config.bank,), -1))
        self.register_buffer("bank_pointer", torch.zeros((), dtype=torch.long))
        self.register_buffer("epoch", torch.zeros((), dtype=torch.long))

    def set_epoch(self, epoch: int) -> None:
        """Once before each epoch (0-based)."""
        self.epoch.fill_(epoch)

    def forward(self, features: Tensor, labels: Tensor) -> Tensor:
        """Loss, a scalar. features: (batch, dim), labels: (batch,) class indices; batch at most the memory's size."""
        assert len(features) <= self.config.bank, "the batch does not fit into the memory"
        anchors = normalize(features.float(), dim=1)
        place, columns, column_labels = self._remember(anchors, labels)
        loss = self._contrast(anchors, labels, place, columns, column_labels)
        active = self.epoch >= self.start
        if self.official:
            active = active & (column_labels >= 0).all()
        return loss * active

    def _remember(self, anchors: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Where the batch now is in the memory, and the memory with the batch in it (with its gradient)."""
        batch = len(anchors)
        place = (self.bank_pointer + torch.arange(batch, device=anchors.device)) % self.config.bank
        columns = self.bank_features.index_copy(0, place, anchors)
        column_labels = self.bank_labels.index_copy(0, place, labels)
        if self.training:
            self.bank_features.copy_(columns.detach())
            self.bank_labels.copy_(column_labels)
            self.bank_pointer.add_(batch).remainder_(self.config.bank)
        return place, columns, column_labels

    def _contrast(
        self, anchors: Tensor, labels: Tensor, place: Tensor, columns: Tensor, column_labels: Tensor
    ) -> Tensor:
        # Cosines are at most 1: subtracting 1 / tau keeps exp in range without looking for the largest.
        logits = (anchors @ columns.T - 1) / self.config.temperature
        same = column_labels[None, :] == labels[:, None]
        negative = ~same & (column_labels >= 0)[None, :]
        positive = same.scatter(1, place[:, None], False)
        raised = logits.exp()
        rest = (raised * negative).sum(dim=1, keepdim=True)
        if self.official:
            rest = rest + _OFFICIAL_FLOOR
        smallest = torch.finfo(raised.dtype).tiny
        term = torch.log(raised * exp(-self.margin) + rest + smallest) - logits
        count = positive.sum(dim=1)
        each = torch.where(positive, term, 0).sum(dim=1) / count.clamp(min=1)
        anchors_counted = len(anchors) if self.official else (count > 0).sum().clamp(min=1)
        return each.sum() / anchors_counted
