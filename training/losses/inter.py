"""Inter-class affinity contrastive loss: a sample against the prototypes of its own Motion Family (Eq. 3-9)."""

import torch
from torch import Tensor, nn

from training.losses import affinity
from training.losses.config import InterConfig, epoch_of
from training.losses.gradients import family, unit


class InterClassLoss(nn.Module):
    """Keeps who is confused with whom and a prototype for each class; all of it is in buffers.

    `official` mode is the published code's reading: confusions are also counted from the victim's side, as often
    as that class is in the batch; a class may be in its own family; the gradient also runs through the prototypes.
    """

    confusion: Tensor
    prototypes: Tensor
    prototype_seen: Tensor
    families: Tensor
    temperatures: Tensor
    epoch: Tensor

    def __init__(self, classes: int, dim: int, config: InterConfig, epochs: int = 1) -> None:
        super().__init__()
        self.config = config
        self.start = epoch_of(config.start_epoch, epochs)
        self.official = config.mode == "official"
        self.register_buffer("confusion", torch.zeros(classes, classes))
        # The published code starts from noise and drags it along; ours starts from the first mean that it sees.
        self.register_buffer("prototypes", torch.randn(classes, dim) if self.official else torch.zeros(classes, dim))
        self.register_buffer("prototype_seen", torch.full((classes,), self.official))
        self.register_buffer("families", torch.zeros(classes, classes, dtype=torch.bool))
        self.register_buffer("temperatures", torch.full((classes,), affinity.TEMPERATURES[0]))
        self.register_buffer("epoch", torch.zeros((), dtype=torch.long))

    def set_epoch(self, epoch: int) -> None:
        """Once before each epoch (0-based): fade the confusions and, from the start on, rebuild the families."""
        self.epoch.fill_(epoch)
        self.confusion.mul_(self.config.decay)
        if epoch >= self.start:
            self.rebuild()

    @torch.no_grad()
    def rebuild(self) -> None:
        """Motion Families and temperatures from the confusions counted so far."""
        k, overlap = self.config.neighbours, self.config.overlap
        if self.official:
            member = affinity.official_families(affinity.official_neighbours(self.confusion, k), overlap)
        else:
            near = affinity.neighbours(self.confusion, k)
            if self.config.fallback == "prototype":
                empty = ~near.any(dim=1, keepdim=True)
                near = near | (empty & affinity.nearest_prototypes(self.prototypes, self.prototype_seen, k))
            member = affinity.families(near, k, overlap, self.config.affinity)
        self.families.copy_(member)
        if self.config.temperature == "dynamic":
            self.temperatures.copy_(affinity.family_temperatures(member, k))
        else:
            self.temperatures.fill_(self.config.fixed_temperature)

    def forward(self, features: Tensor, labels: Tensor, predictions: Tensor) -> Tensor:
        """Loss, a scalar. features: (batch, dim); labels, predictions: (batch,) class indices.

        Counts and prototypes are brought up to date; before the start epoch the loss is 0.
        """
        features = features.float()
        if self.training:
            self._record(labels, predictions)
        prototypes = self._update_prototypes(features, labels, predictions)
        return self._contrast(features, labels, prototypes) * (self.epoch >= self.start)

    @torch.no_grad()
    def _record(self, labels: Tensor, predictions: Tensor) -> None:
        counted = self.epoch >= self.start - self.config.record_epochs
        wrong = ((predictions != labels) & counted).float()
        self.confusion.index_put_((labels, predictions), wrong, accumulate=True)
        if self.official:
            present = torch.bincount(labels, minlength=len(self.confusion)).float()
            self.confusion.index_put_((predictions, labels), wrong * present[predictions], accumulate=True)
        elif self.config.symmetric:
            self.confusion.index_put_((predictions, labels), wrong, accumulate=True)

    def _update_prototypes(self, features: Tensor, labels: Tensor, predictions: Tensor) -> Tensor:
        """Moving averages (classes, dim) of class means, stored; with gradient in official mode.   # Eq. 7"""
        if not self.training:
            return self.prototypes
        points = features if self.official else unit(features.detach())
        every = not self.official and self.config.prototypes_from == "all"
        used = (torch.ones_like(labels) if every else predictions == labels).to(points.dtype)
        count = torch.zeros_like(self.temperatures).index_add_(0, labels, used)
        total = torch.zeros_like(self.prototypes).index_add(0, labels, points * used[:, None])
        # What a class keeps of its prototype: all if it is not in the batch, nothing of one never set.
        keep = torch.where(count > 0, self.config.momentum * self.prototype_seen, 1.0)
        taken = (1 - keep) / count.clamp(min=1)
        updated = torch.addcmul(self.prototypes * keep[:, None], total, taken[:, None])
        self.prototypes.copy_(updated.detach())
        self.prototype_seen.logical_or_(count > 0)
        return updated

    def _contrast(self, features: Tensor, labels: Tensor, prototypes: Tensor) -> Tensor:
        warm = unit(features) / self.temperatures[labels][:, None]
        # Cosines by temperature: at most 33, so exp is safe as it is.
        logits = warm @ unit(prototypes).T
        rivals = (self.families & self.prototype_seen).float()[labels]
        usable = self.prototype_seen[labels][:, None].to(logits.dtype)
        return family(logits, labels, rivals, usable / usable.sum().clamp(min=1))
