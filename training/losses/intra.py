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

    The memory is written in place: go backward before the next forward.
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
        self.floor = _OFFICIAL_FLOOR * exp(1 / config.temperature)
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
        place = (self.bank_pointer + torch.arange(len(anchors), device=anchors.device)) % self.config.bank
        memory, names = self._memory_with(anchors.detach(), labels, place)
        # Cosines by temperature: at most 33, so exp is safe as it is.
        warm = anchors / self.config.temperature
        # The batch is in the memory without its gradient; its own columns are computed again, with it.
        logits = (warm @ memory.T).index_copy(1, place, warm @ anchors.T)
        active = self.epoch >= self.start
        if self.official:
            active = active & (names >= 0).all()
        return self._contrast(logits, labels, place, names) * active

    def _memory_with(self, anchors: Tensor, labels: Tensor, place: Tensor) -> tuple[Tensor, Tensor]:
        """The memory with the batch at its `place`, and its labels; in training that is what is remembered."""
        if not self.training:
            return self.bank_features.index_copy(0, place, anchors), self.bank_labels.index_copy(0, place, labels)
        self.bank_pointer.add_(len(anchors)).remainder_(self.config.bank)
        return self.bank_features.index_copy_(0, place, anchors), self.bank_labels.index_copy_(0, place, labels)

    def _contrast(self, logits: Tensor, labels: Tensor, place: Tensor, names: Tensor) -> Tensor:
        same = (names == labels[:, None]).float()
        negative = (names >= 0).float() - same
        positive = same.scatter_(1, place[:, None], 0.0)
        raised = logits.exp()
        rest = (raised * negative).sum(dim=1, keepdim=True)
        # The smallest float is for anchors without negatives; the published code has its floor anyway.
        rest = rest + (self.floor if self.official else torch.finfo(raised.dtype).tiny)
        term = torch.log(raised * exp(-self.margin) + rest) - logits
        count = positive.sum(dim=1)
        each = (term * positive).sum(dim=1) / count.clamp(min=1)
        anchors_counted = len(labels) if self.official else (count > 0).sum().clamp(min=1)
        return each.sum() / anchors_counted
