"""The whole objective: cross-entropy, inter-class and intra-class affinity contrast (Eq. 16)."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from model.network.aclnet import Outputs
from model.network.config import NetworkConfig
from training.losses.config import LossConfig
from training.losses.inter import InterClassLoss
from training.losses.intra import IntraClassLoss


class Terms(NamedTuple):
    """Total and its unweighted terms, scalars; a term that is not enabled is 0. correct: (batch,) bool."""

    total: Tensor
    ce: Tensor
    inter: Tensor
    intra: Tensor
    correct: Tensor


class Objective(nn.Module):
    """`Outputs` of the network and labels (batch,) to `Terms`. All state of the losses is in buffers."""

    margin: Tensor

    def __init__(self, network: NetworkConfig, config: LossConfig, epochs: int) -> None:
        super().__init__()
        self.config = config
        self.full_margin = config.ce.margin * network.cosine_scale if network.head == "cosine" else 0.0
        self.rise = config.ce.margin_rise * epochs
        self.register_buffer("margin", torch.tensor(self.full_margin))
        dim = network.dim if config.feature == "embedding" else network.projection
        self.inter = InterClassLoss(network.classes, dim, config.inter, epochs) if config.inter.enabled else None
        self.intra = IntraClassLoss(dim, config.intra, epochs) if config.intra.enabled else None

    def set_epoch(self, epoch: int) -> None:
        """Once before each epoch (0-based)."""
        self.margin.fill_(self.full_margin * (min(1.0, epoch / self.rise) if self.rise else 1.0))
        for loss in (self.inter, self.intra):
            if loss is not None:
                loss.set_epoch(epoch)

    def forward(self, outputs: Outputs, labels: Tensor) -> Terms:
        logits = outputs.logits.float()
        predictions = logits.detach().argmax(dim=1)
        ce = self._cross_entropy(logits, labels)
        features = self._features(outputs).float()
        inter = intra = torch.zeros((), device=ce.device)
        if self.inter is not None:
            inter = self.inter(features, labels, predictions)
        if self.intra is not None:
            intra = self.intra(features, labels)
        total = ce + self.config.inter.weight * inter + self.config.intra.weight * intra  # Eq. 16
        return Terms(total, ce.detach(), inter.detach(), intra.detach(), predictions == labels)

    def _cross_entropy(self, logits: Tensor, labels: Tensor) -> Tensor:
        if self.full_margin:
            logits = logits.scatter_add(1, labels[:, None], -self.margin.expand(len(labels), 1))
        return functional.cross_entropy(logits, labels, label_smoothing=self.config.ce.label_smoothing)

    def _features(self, outputs: Outputs) -> Tensor:
        match self.config.feature:
            case "embedding":
                return outputs.embedding
            case "pooled":
                return outputs.pooled_projection
            case "graph":
                return outputs.graph_projection
