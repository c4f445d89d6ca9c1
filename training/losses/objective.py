"""The whole objective: cross-entropy, inter-class and intra-class affinity contrast (Eq. 16)."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from model.network.aclnet import Outputs
from model.network.config import NetworkConfig
from training.losses.config import LossConfig
from training.losses.gradients import unit
from training.losses.inter import InterClassLoss
from training.losses.intra import IntraClassLoss
from training.losses.ranks import Share, gathered, ranks


class Terms(NamedTuple):
    """Total and its unweighted terms, scalars; a term that is not enabled is 0. correct: (batch,) bool.

    In a distributed run all of it is of the whole batch, on every rank. The gradient of `total` is that which, averaged
    over the ranks as DistributedDataParallel does, is the whole batch's.
    """

    total: Tensor
    ce: Tensor
    inter: Tensor
    intra: Tensor
    correct: Tensor


class Objective(nn.Module):
    """`Outputs` of the network and labels (batch,) to `Terms`. All state of the losses is in buffers.

    In a distributed run each rank gives its slice of one batch: slices of one length, in the order of the ranks.
    """

    margin: Tensor

    def __init__(self, network: NetworkConfig, config: LossConfig, epochs: int) -> None:
        super().__init__()
        self.config = config
        self.full_margin = config.ce.margin * network.cosine_scale if network.head == "cosine" else 0.0
        self.rise = config.ce.margin_rise * epochs
        self.register_buffer("margin", torch.tensor(self.full_margin))
        dim = {"embedding": network.dim, "both": 2 * network.projection}.get(config.feature, network.projection)
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
        own = whole = Share(self._features(outputs).float(), labels, predictions, ce.detach())
        if (count := ranks()) > 1:
            whole = gathered(own)
        inter = intra = torch.zeros((), device=ce.device)
        if self.inter is not None:
            inter = self.inter(whole.features, whole.labels, whole.predictions)
        if self.intra is not None:
            intra = self.intra(whole.features, whole.labels)
        contrast = self.config.inter.weight * inter + self.config.intra.weight * intra
        total = ce + contrast  # Eq. 16
        if count > 1:
            # Gradients are averaged over ranks: cross-entropy of slices so becomes that of the batch, but each rank
            # has the contrasts' gradient by its own slice only.
            pull = ce + count * contrast
            total = (whole.ce + contrast).detach() + (pull - pull.detach())
        correct = whole.predictions == whole.labels
        return Terms(total, whole.ce, inter.detach(), intra.detach(), correct)

    def _cross_entropy(self, logits: Tensor, labels: Tensor) -> Tensor:  # Eq. 2
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
            case "both":
                return torch.cat([unit(outputs.pooled_projection.float()), unit(outputs.graph_projection.float())], 1)
