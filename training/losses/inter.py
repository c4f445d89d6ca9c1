"""Inter-class affinity contrastive loss: a sample against the prototypes of its own Motion Family (Eq. 3-9)."""

import torch
from torch import Tensor, nn

from training.losses import affinity
from training.losses.config import InterConfig, epoch_of
from training.losses.gradients import family, unit


class InterClassLoss(nn.Module):
    """Keeps who is confused with whom and a prototype for each class; all of it is in buffers.

    What the published code does otherwise than the paper is in `InterConfig`. One thing it does is not offered: it
    rebuilds the families after the first batch of an epoch instead of before it.
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
        noisy = config.noisy_start
        self.register_buffer("confusion", torch.zeros(classes, classes))
        self.register_buffer("prototypes", torch.randn(classes, dim) if noisy else torch.zeros(classes, dim))
        self.register_buffer("prototype_seen", torch.full((classes,), noisy))
        self.register_buffer("families", torch.zeros(classes, classes, dtype=torch.bool))
        self.register_buffer("temperatures", torch.full((classes,), config.temperatures[0]))
        self.register_buffer("epoch", torch.zeros((), dtype=torch.long))

    def set_epoch(self, epoch: int) -> None:
        """Once before each epoch (0-based): fade the confusions and, from the start on, rebuild the families."""
        self.epoch.fill_(epoch)
        self.confusion.mul_(self.config.decay)
        if epoch >= self.start:
            self.rebuild()

    @torch.no_grad()
    def rebuild(self) -> None:
        """Motion Families and temperatures from the confusions counted so far.   # Eq. 6, 9"""
        config, similarity = self.config, self.similarity()
        if config.official_neighbourhood:
            member = affinity.official_families(similarity)
        else:
            member = affinity.families(similarity, config.neighbours, config.overlap)
        self.families.copy_(member)
        if config.temperature == "dynamic":
            self.temperatures.copy_(affinity.family_temperatures(member, config.neighbours, config.temperatures))
        else:
            self.temperatures.fill_(config.fixed_temperature)

    @torch.no_grad()
    def similarity(self) -> Tensor:
        """Affinity similarity w (classes, classes) by the confusions counted so far.   # Eq. 3-5"""
        config, k = self.config, self.config.neighbours
        if config.official_neighbourhood:
            near = affinity.official_neighbours(self.confusion, k)
            return affinity.official_affinity(near, k, config.overlap)
        near = affinity.neighbours(self.confusion, k)
        if config.fallback == "prototype":
            empty = ~near.any(dim=1, keepdim=True)
            near = near | (empty & affinity.nearest_prototypes(self.prototypes, self.prototype_seen, k))
        return affinity.affinity(near, config.affinity)

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
        match self.config.counts:
            case "symmetric":
                self.confusion.index_put_((predictions, labels), wrong, accumulate=True)
            case "batch":
                present = torch.zeros_like(self.temperatures).index_add_(0, labels, torch.ones_like(wrong))
                self.confusion.index_put_((predictions, labels), wrong * present[predictions], accumulate=True)

    def _update_prototypes(self, features: Tensor, labels: Tensor, predictions: Tensor) -> Tensor:
        """Moving averages (classes, dim) of class means, stored; with gradient if it goes through them.   # Eq. 7"""
        if not self.training:
            return self.prototypes
        config = self.config
        points = features if config.through_prototypes else features.detach()
        points = points if config.raw_means else unit(points)
        used = (torch.ones_like(labels) if config.prototypes_from == "all" else predictions == labels).to(points.dtype)
        # A product adds in one order; index_add on a GPU does not, and ranks would drift apart by rounding.
        mine = points.new_zeros(len(labels), len(self.prototypes)).scatter_(1, labels[:, None], used[:, None])
        count, total = mine.sum(dim=0), mine.T @ points
        # What a class keeps of its prototype: all if it is not in the batch, nothing of one never set.
        keep = torch.where(count > 0, config.momentum * self.prototype_seen, 1.0)
        taken = (1 - keep) / count.clamp(min=1)
        updated = torch.addcmul(self.prototypes * keep[:, None], total, taken[:, None])
        self.prototypes.copy_(updated.detach())
        self.prototype_seen.logical_or_(count > 0)
        return updated

    def _contrast(self, features: Tensor, labels: Tensor, prototypes: Tensor) -> Tensor:
        """Mean over the samples whose class has a prototype, all as unit vectors (section III.D).   # Eq. 8"""
        warm = unit(features) / self.temperatures[labels][:, None]
        # Cosines by temperature: at most 33, so exp is safe as it is.
        logits = warm @ unit(prototypes).T
        rivals = (self.families[labels] & self.prototype_seen).float()
        usable = self.prototype_seen[labels][:, None].to(logits.dtype)
        return family(logits, labels, rivals, usable / usable.sum().clamp(min=1))
