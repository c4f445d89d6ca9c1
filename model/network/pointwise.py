"""A 1x1 convolution that is fast on a CPU."""

import torch
from torch import Tensor, nn


class Pointwise(nn.Conv2d):
    """`Conv2d` with a kernel of 1, computed as one matrix product for each clip.

    The same numbers and the same parameters; but the convolution of the CPU library re-orders every tensor into
    blocks of channels and back, which costs as much as the product itself at the widths used here. An exported
    graph keeps the convolution, which its engine fuses with what follows; training has its own way (`gradients`).
    """

    def __init__(self, channels: int, width: int) -> None:
        super().__init__(channels, width, 1)

    def forward(self, values: Tensor) -> Tensor:
        if values.is_cuda or torch.compiler.is_compiling():
            return super().forward(values)
        assert self.bias is not None
        n, _, t, v = values.shape
        weight = self.weight.flatten(1).expand(n, -1, -1)
        return torch.baddbmm(self.bias[:, None], weight, values.flatten(2)).view(n, -1, t, v)
