"""The backbone: data normalisation and a chain of blocks of a spatial and a temporal unit."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from model.network.gradients import convolved, in_training
from model.network.spatial import GraphConvolution, Spatial
from model.network.temporal import TemporalConvolution


class Features(NamedTuple):
    """map: (N, M, C, T', V), T' after the strides. graph: (N, V * V), the last block's learned graph, its static
    part left out, averaged over persons and channels."""

    map: Tensor
    graph: Tensor


class Block(nn.Module):
    """A spatial and a temporal unit with a residual around both (none around a first block)."""

    def __init__(
        self, channels: int, width: int, stride: int, joints: int, *, subsets: int, coefficients: int, residual: bool
    ) -> None:
        super().__init__()
        self.spatial = GraphConvolution(channels, width, joints, subsets)
        self.temporal = TemporalConvolution(width, stride, joints, coefficients)
        self.stride = stride
        self.residual: nn.Module | None = None
        if residual and channels == width and stride == 1:
            self.residual = nn.Identity()
        elif residual:
            self.residual = nn.Sequential(nn.Conv2d(channels, width, 1, stride=(stride, 1)), nn.BatchNorm2d(width))

    def forward(self, values: Tensor, want_graph: bool = False) -> Spatial:
        spatial: Spatial = self.spatial(values, want_graph)
        if in_training(self, values):
            return Spatial(self.temporal.in_training(spatial.values, self._around(values)), spatial.graph)
        out = self.temporal(spatial.values)
        if self.residual is not None:
            out = out + self.residual(values)
        return Spatial(torch.relu(out), spatial.graph)

    def _around(self, values: Tensor) -> Tensor | None:
        if isinstance(self.residual, nn.Sequential):
            return convolved(self.residual[0], self.residual[1], values[:, :, :: self.stride])
        return None if self.residual is None else values


class DataNorm(nn.BatchNorm1d):
    """Batch normalisation of each channel of each joint, in planes (N, C, T, V); its order is joint by joint."""

    def forward(self, values: Tensor) -> Tensor:
        n, c, t, v = values.shape
        if self.training:
            normed = super().forward(values.permute(0, 3, 1, 2).reshape(n, v * c, t)).reshape(n, v, c, t)
            if in_training(self, values):  # channel by channel in memory, and so they stay
                return normed.permute(2, 0, 3, 1).contiguous().transpose(0, 1)
            return normed.permute(0, 2, 3, 1).contiguous()
        assert self.running_mean is not None
        assert self.running_var is not None
        scale = self.weight / torch.sqrt(self.running_var + self.eps)
        shift = self.bias - self.running_mean * scale
        scale, shift = (each.reshape(v, 1, c).transpose(0, 2) for each in (scale, shift))
        return values * scale + shift


class Backbone(nn.Module):
    """(N, M, T, V, C) clips of M persons to `Features`. The published one has ten blocks from 96 to 384 channels."""

    def __init__(
        self,
        channels: int,
        joints: int,
        widths: Sequence[int],
        strides: Sequence[int],
        *,
        subsets: int = 8,
        coefficients: int = 25,
    ) -> None:
        super().__init__()
        self.joints = joints
        self.data_norm = DataNorm(joints * channels)
        self.blocks = nn.ModuleList(
            Block(before, width, stride, joints, subsets=subsets, coefficients=coefficients, residual=i > 0)
            for i, (before, width, stride) in enumerate(zip([channels, *widths], widths, strides, strict=False))
        )

    def forward(self, clips: Tensor) -> Features:
        n, m, _t, v, _c = clips.shape
        values, graph = self.planes(clips.flatten(0, 1).permute(0, 3, 1, 2))
        return Features(torch.unflatten(values, 0, (n, m)), graph.reshape(n, m, v * v).mean(1))

    def planes(self, values: Tensor) -> Features:
        """Planes (N, C, T, V) of one person each to a map (N, C', T', V) and a graph (N, V * V)."""
        values = self.data_norm(values)
        for block in self.blocks[:-1]:
            values, _ = block(values)
        values, graph = self.blocks[-1](values, want_graph=True)
        assert graph is not None
        return Features(values, graph.flatten(1))
