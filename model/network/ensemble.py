"""Several networks over the same clips as one graph: what an ensemble of streams runs."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from model.bundle import Task
from model.network.aclnet import AclNet, ClassifierGraph, EncoderGraph


class EncoderEnsemble(nn.Module):
    """Clips as `AclNet` takes them to embeddings (N, sum of dims) of unit length.

    Each network's embedding times the square root of its share, one after the other: the cosine of two of these is the
    weighted mean of the networks' cosines.
    """

    def __init__(self, networks: Sequence[AclNet], weights: Sequence[float]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(EncoderGraph(network) for network in networks)
        self.roots = tuple(math.sqrt(share) for share in shares_of(weights, len(networks)))

    def forward(self, clips: Tensor) -> Tensor:
        return torch.cat([root * one(clips) for one, root in zip(self.networks, self.roots, strict=True)], dim=1)


class ClassifierEnsemble(nn.Module):
    """Clips as `AclNet` takes them to the weighted mean of the networks' probabilities, (N, classes)."""

    def __init__(self, networks: Sequence[AclNet], weights: Sequence[float]) -> None:
        super().__init__()
        self.networks = nn.ModuleList(ClassifierGraph(network) for network in networks)
        self.shares = shares_of(weights, len(networks))

    def forward(self, clips: Tensor) -> Tensor:
        each = [share * one(clips) for one, share in zip(self.networks, self.shares, strict=True)]
        return torch.stack(each).sum(0)


def graph_of(task: Task, networks: Sequence[AclNet], weights: Sequence[float]) -> nn.Module:
    """What a bundle of that task runs, in evaluation mode. networks: one or more; weights: as many."""
    if len(networks) == 1:
        return (EncoderGraph(networks[0]) if task == "encoder" else ClassifierGraph(networks[0])).eval()
    made: type[nn.Module] = EncoderEnsemble if task == "encoder" else ClassifierEnsemble
    return made(networks, weights).eval()


def shares_of(weights: Sequence[float], count: int) -> tuple[float, ...]:
    """Weights, as many as there are networks and each above 0, as shares of their sum.

    >>> shares_of((2, 2, 1), 3)
    (0.4, 0.4, 0.2)
    """
    assert len(weights) == count, f"{len(weights)} weights for {count} networks"
    assert all(weight > 0 and math.isfinite(weight) for weight in weights), weights
    return tuple(weight / sum(weights) for weight in weights)
