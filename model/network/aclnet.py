"""ACLNet: inputs, backbone, a pooled and a graph feature with their projections, a classification head."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from model.named_layouts import layout_named
from model.network.backbone import Backbone
from model.network.config import NetworkConfig
from model.network.inputs import Inputs

UNIT_EPS = 1e-12


class Outputs(NamedTuple):
    """What one forward pass gives.

    logits (N, classes); with the cosine head these are `cosine_scale` times cosines.
    pooled (N, width): the last block's map averaged over frames and joints. graph (N, V * V): its learned graph.
    pooled_projection, graph_projection (N, 256): for the contrastive losses, not of unit length.
    embedding (N, dim): what is compared at retrieval, of unit length; a function of `tap`'s projections.
    """

    logits: Tensor
    pooled: Tensor
    graph: Tensor
    pooled_projection: Tensor
    graph_projection: Tensor
    embedding: Tensor


class Cosine(nn.Module):
    """Cosine between an embedding and a direction for each class, times `scale`."""

    def __init__(self, dim: int, classes: int, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.weight = nn.Parameter(torch.empty(classes, dim).normal_(0, 0.01))

    def forward(self, embedding: Tensor) -> Tensor:
        return self.scale * functional.linear(embedding, functional.normalize(self.weight, dim=1))


class AclNet(nn.Module):
    """Clips (N, T, V, dims + 1), coordinates then confidence, T >= 8, to `Outputs`; with `config.people` M above 1,
    clips (N, M, T, V, dims + 1).

    Each person goes through the network as a clip of their own, and what comes out is averaged over all M: one that is
    absent (zeros) counts like the others, as in the published network.

    While alpha and beta of the last block are 0, as at the start, the graph feature is the same for every clip:
    the classification loss has to move them before a loss on the graph projection can say anything.
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        layout = layout_named(config.layout)
        self.inputs = Inputs(layout, config)
        self.backbone = Backbone(
            config.channels,
            layout.count,
            config.widths,
            config.strides,
            subsets=config.subsets,
            coefficients=max(config.joint_coefficients, layout.count),
        )
        self.dropout = nn.Dropout(config.dropout)
        self.project_pooled = nn.Linear(config.widths[-1], config.projection)
        self.project_graph = nn.Linear(layout.count**2, config.projection)
        self.neck: nn.Module = nn.BatchNorm1d(config.dim) if config.neck else nn.Identity()
        self.head: nn.Module
        if config.head == "cosine":
            self.head = Cosine(config.dim, config.classes, config.cosine_scale)
        else:
            self.head = nn.Linear(config.widths[-1], config.classes)
            nn.init.normal_(self.head.weight, 0, 0.01)
            nn.init.zeros_(self.head.bias)

    def forward(self, clips: Tensor) -> Outputs:
        features = self.backbone.planes(self.inputs(self._each_person(clips)))
        pooled = self.dropout(self._over_people(features.map.float().mean((2, 3))))
        graph = self._over_people(features.graph.float())
        pooled_projection, graph_projection = self.project_pooled(pooled), self.project_graph(graph)
        embedding = self._embedding(pooled_projection, graph_projection)
        logits = self.head(embedding if self.config.head == "cosine" else pooled)
        return Outputs(logits, pooled, graph, pooled_projection, graph_projection, embedding)

    def _each_person(self, clips: Tensor) -> Tensor:
        """Clips of `config.people` people to those of one each, (N * M, T, V, C)."""
        people = self.config.people
        assert clips.ndim == (4 if people == 1 else 5), tuple(clips.shape)
        assert people in (1, clips.shape[1]), tuple(clips.shape)
        return clips if people == 1 else clips.flatten(0, 1)

    def _over_people(self, values: Tensor) -> Tensor:
        """(N * M, C) to (N, C)."""
        people = self.config.people
        return values if people == 1 else torch.unflatten(values, 0, (-1, people)).mean(1)

    def _embedding(self, pooled: Tensor, graph: Tensor) -> Tensor:
        match self.config.tap:
            case "pooled":
                tapped = pooled
            case "graph":
                tapped = graph
            case "both":
                tapped = torch.cat([functional.normalize(pooled.float()), functional.normalize(graph.float())], dim=1)
        return functional.normalize(self.neck(tapped.float()), dim=1, eps=UNIT_EPS)


class EncoderGraph(nn.Module):
    """What an encoder bundle runs: clips as `AclNet` takes them to embeddings (N, dim) of unit length."""

    def __init__(self, network: AclNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, clips: Tensor) -> Tensor:
        outputs: Outputs = self.network(clips)
        return outputs.embedding


class ClassifierGraph(nn.Module):
    """What a classifier bundle runs: clips as `AclNet` takes them to probabilities (N, classes)."""

    def __init__(self, network: AclNet) -> None:
        super().__init__()
        self.network = network

    def forward(self, clips: Tensor) -> Tensor:
        outputs: Outputs = self.network(clips)
        return outputs.logits.softmax(dim=1)
