"""The temporal unit: six branches of different reach over time, with a global joint."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from model.network.gradients import convolved, normalised, product
from model.network.pointwise import Pointwise

DILATIONS = (1, 2, 3, 4)
BRANCHES = len(DILATIONS) + 2


class TemporalConvolution(nn.Module):
    """DG-STGCN's multi-scale temporal unit: four dilated convolutions, a maximum and a strided copy.

    A further joint, the mean of all, goes through the same branches; its response comes back to every joint
    times that joint's coefficient. The six 1x1 convolutions at the branches' heads are one convolution here.
    """

    append_mean: Tensor

    def __init__(self, width: int, stride: int, joints: int, coefficients: int) -> None:
        super().__init__()
        # The global joint comes and goes by matrix products over the joints, which cost less than copies.
        append_mean = torch.cat([torch.eye(joints), torch.full((joints, 1), 1 / joints)], dim=1)
        self.register_buffer("append_mean", append_mean, persistent=False)
        self.stride = stride
        self.parts = branch_widths(width)
        self.coefficient = nn.Parameter(torch.zeros(coefficients))
        self.heads = Pointwise(width, width)
        self.heads_norm = nn.BatchNorm2d(width - self.parts[-1])
        self.dilated = nn.ModuleList(
            nn.Conv2d(part, part, (3, 1), stride=(stride, 1), padding=(d, 0), dilation=(d, 1))
            for part, d in zip(self.parts, DILATIONS, strict=False)
        )
        self.fuse_norm = nn.BatchNorm2d(width)
        self.fuse = Pointwise(width, width)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, values: Tensor) -> Tensor:
        """(N, C, T, V) to (N, C, ceil(T / stride), V)."""
        heads = self.heads(torch.matmul(values, self.append_mean.to(values.dtype)))
        active, copied = torch.split(heads, [sum(self.parts[:-1]), self.parts[-1]], dim=1)
        joined = self._branches(torch.relu(self.heads_norm(active)), copied)
        spread = torch.matmul(joined, self.spread_global().to(joined.dtype))
        fused: Tensor = self.norm(self.fuse(torch.relu(self.fuse_norm(spread))))
        return fused

    def in_training(self, values: Tensor, residual: Tensor | None) -> Tensor:
        """`forward` on a CPU in training, plus a residual of the shape that comes out, then ReLU.

        Channel by channel in memory; the global joint is appended to the heads, which are linear.
        """
        count, bias = sum(self.parts[:-1]), self.heads.bias
        assert bias is not None
        heads = _over_joints(product(values, self.heads.weight.flatten(1)), self.append_mean)
        active, copied = torch.split(heads, [count, self.parts[-1]], dim=1)
        active = normalised(self.heads_norm, active, bias[:count], relu=True)
        copied = copied + bias[count:, None, None].to(copied.dtype)
        joined = _channel_by_channel(self._branches(active.contiguous(), copied))
        spread = normalised(self.fuse_norm, _over_joints(joined, self.spread_global()), relu=True)
        return convolved(self.fuse, self.norm, spread, residual, relu=True)

    def _branches(self, active: Tensor, copied: Tensor) -> Tensor:
        """The dilated convolutions, the highest of three frames, and a strided copy, one after the other."""
        *dilated, pooled = torch.split(active, list(self.parts[:-1]), dim=1)
        parts = [convolution(part) for convolution, part in zip(self.dilated, dilated, strict=True)]
        parts.append(functional.max_pool2d(pooled, (3, 1), (self.stride, 1), (1, 0)))
        parts.append(copied[:, :, :: self.stride])
        return torch.cat(parts, dim=1)

    def spread_global(self) -> Tensor:
        """(V + 1, V): each joint's own response, and the last one's times that joint's coefficient."""
        joints = self.append_mean.shape[0]
        return torch.cat([self.append_mean[:, :joints], self.coefficient[None, :joints]])


def _over_joints(values: Tensor, matrix: Tensor) -> Tensor:
    """Planes (N, C, T, V) times (V, V'), without a copy where they are kept channel by channel."""
    return torch.matmul(values.transpose(0, 1), matrix.to(values.dtype)).transpose(0, 1)


def _channel_by_channel(planes: Tensor) -> Tensor:
    """The same planes in another order of memory, as `model.network.gradients` has them."""
    return planes.transpose(0, 1).contiguous().transpose(0, 1)


def branch_widths(width: int) -> tuple[int, ...]:
    """Channels of the six branches; the first takes what does not divide.

    >>> branch_widths(96), branch_widths(16)
    ((16, 16, 16, 16, 16, 16), (6, 2, 2, 2, 2, 2))
    """
    part = width // BRANCHES
    return (width - part * (BRANCHES - 1), *(part,) * (BRANCHES - 1))
