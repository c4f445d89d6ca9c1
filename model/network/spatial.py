"""The spatial unit: a graph convolution whose graphs are learned, one for each channel and clip."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from model.network.gradients import at_least_float, convolved, in_training
from model.network.pointwise import Pointwise

STATIC_MEAN, STATIC_STD = 0.04, 0.02


class Spatial(NamedTuple):
    """values: (N, C, T, V). graph: (N, V, V) mean over channels of the learned graph, or None if not asked for."""

    values: Tensor
    graph: Tensor | None


class GraphConvolution(nn.Module):
    """DG-STGCN's dynamic group graph convolution, as ACLNet configures it.

    The channels are divided among `subsets` groups. Each channel's graph is the sum of its group's static graph
    (random at the start: no skeleton is drawn into it), alpha times a channel-wise relation (CTR: tanh of the
    difference of two joints' responses) and beta times its group's adaptive one (ADA: softmax of their products).
    Responses are averaged over time before their 1x1 convolution: equal to the other order, T times cheaper.
    """

    def __init__(self, channels: int, width: int, joints: int, subsets: int) -> None:
        super().__init__()
        self.subsets, self.joints = subsets, joints
        self.static = nn.Parameter(torch.empty(subsets, joints, joints).normal_(STATIC_MEAN, STATIC_STD))
        # The published network has one gate for each subset and uses the first: kept for equal counts and weights.
        self.alpha = nn.Parameter(torch.zeros(subsets))
        self.beta = nn.Parameter(torch.zeros(subsets))
        self.pre = nn.Sequential(Pointwise(channels, width), nn.BatchNorm2d(width), nn.ReLU())
        self.relation = nn.Conv1d(channels, 2 * width, 1)
        self.post = Pointwise(width, width)
        self.norm = nn.BatchNorm2d(width)
        self.down: nn.Module = nn.Identity()
        if channels != width:
            self.down = nn.Sequential(Pointwise(channels, width), nn.BatchNorm2d(width))

    def forward(self, values: Tensor, want_graph: bool = False) -> Spatial:
        if in_training(self, values):
            return self._train(values, want_graph)
        first, second = self.relation(values.mean(2)).chunk(2, dim=1)
        channelwise = torch.tanh(first.unsqueeze(3) - second.unsqueeze(2))  # (N, C, V, V)
        alpha, adaptive = self.alpha[0].to(channelwise.dtype), self._adaptive(first, second) * self.beta[0]
        groups = (self.static + adaptive).unsqueeze(2).to(channelwise.dtype)  # (N, K, 1, V, V)
        graphs = torch.addcmul(groups, torch.unflatten(channelwise, 1, (self.subsets, -1)), alpha).flatten(1, 2)
        joined = torch.matmul(self.pre(values), graphs)  # over the source joint: (N, C, T, V)
        out = torch.relu(self.norm(self.post(joined)) + self.down(values))
        graph = alpha * channelwise.mean(1) + adaptive.mean(1) if want_graph else None
        return Spatial(out, graph)

    def _adaptive(self, first: Tensor, second: Tensor) -> Tensor:
        first, second = (torch.unflatten(each, 1, (self.subsets, -1)) for each in (first, second))
        return torch.matmul(first.transpose(2, 3), second).softmax(dim=-2)

    def _train(self, values: Tensor, want_graph: bool) -> Spatial:
        """The same, channel by channel in memory."""
        n, c, _, v = values.shape
        mean = values.mean(2).transpose(0, 1).reshape(c, n * v)
        bias = self.relation.bias
        assert bias is not None
        responses = torch.addmm(bias[:, None], self.relation.weight.flatten(1), mean)
        first, second = torch.chunk(at_least_float(responses).view(-1, n, v), 2)  # (C, N, V)
        adaptive = self._adaptive(first.transpose(0, 1), second.transpose(0, 1)).transpose(0, 1) * self.beta[0]
        heads = convolved(self.pre[0], self.pre[1], values, relu=True)
        groups = self.static[:, None] + adaptive  # (K, N, V, V)
        relation = torch.tanh(first[:, :, :, None] - second[:, :, None, :])  # (C, N, V, V)
        graphs = torch.addcmul(groups[:, None], relation.view(self.subsets, -1, n, v, v), self.alpha[0]).flatten(0, 1)
        joined = torch.matmul(heads.transpose(0, 1), graphs.to(heads.dtype)).transpose(0, 1)
        around = convolved(self.down[0], self.down[1], values) if isinstance(self.down, nn.Sequential) else values
        out = convolved(self.post, self.norm, joined, around, relu=True)
        return Spatial(out, self.alpha[0] * relation.mean(0) + adaptive.mean(0) if want_graph else None)
