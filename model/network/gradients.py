"""Functions of the layers for training on a CPU, with their gradients written out.

Planes (N, C, T, V) are kept here channel by channel: in memory (C, N, T, V), so that a 1x1 convolution of the whole
batch is one product of matrices, and so is the gradient of its weight. Planes in another order are right too; they
cost a copy. None of these functions can be differentiated twice. Under autocast the products are bfloat16, and what
is averaged is float32.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional

# Numbers of which a batch's variance is taken at a time: they stay in the cache between the passes over them.
_IN_CACHE = 1 << 17


def in_training(module: nn.Module, values: Tensor) -> bool:
    """Whether these functions serve: in training, on a CPU, and not while a compiler or an exporter looks on."""
    return module.training and values.device.type == "cpu" and not torch.compiler.is_compiling()


def rows(planes: Tensor) -> Tensor:
    """Planes (N, C, ...) as a matrix (C, N * ...), a view where memory is in that order."""
    return planes.transpose(0, 1).flatten(1)


def at_least_float(values: Tensor) -> Tensor:
    """Float32 where it is less."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def _planes(matrix: Tensor, like: Tensor) -> Tensor:
    """A matrix (C', N * ...) as planes (N, C', ...) of the shape of `like`."""
    return matrix.view(len(matrix), like.shape[0], *like.shape[2:]).transpose(0, 1)


class _Product(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor, weight: Tensor) -> Tensor:
        ctx.save_for_backward(values, weight)
        return _planes(torch.mm(weight, rows(values)), values)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor]:
        values, weight = ctx.saved_tensors
        matrix = rows(gradient)
        given = torch.mm(weight.to(matrix.dtype).t(), matrix)
        return _planes(given, values), torch.mm(matrix, rows(values).to(matrix.dtype).t())


class Running(NamedTuple):
    """A batch normalisation's running averages, and how they move."""

    mean: Tensor
    variance: Tensor
    momentum: float
    eps: float


class _Norm(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, values: Tensor, weight: Tensor, bias: Tensor, constant: Tensor | None, residual: Tensor | None,
        running: Running, relu: bool,
    ) -> Tensor:  # fmt: skip
        matrix = rows(values)
        mean, variance = _statistics(matrix)
        _remember(running, mean if constant is None else mean + constant, variance, matrix.shape[1])
        out = functional.batch_norm(matrix[None], mean, variance, weight, bias, False, 0.0, running.eps)[0]
        if residual is not None:
            out.add_(rows(residual))
        if relu:
            out.relu_()
        result = _planes(out, values)
        inverse = (variance + running.eps).rsqrt_()
        ctx.relu, ctx.eps, ctx.constant, ctx.residual = relu, running.eps, constant is not None, residual is not None
        ctx.save_for_backward(values, weight, mean, inverse, *([result] if relu else []))
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        values, weight, mean, inverse, *out = ctx.saved_tensors
        matrix = rows(gradient)
        if ctx.relu:
            matrix = torch.ops.aten.threshold_backward(matrix, rows(out[0]), 0)
        given, slope, shift = torch.ops.aten.native_batch_norm_backward(
            matrix[None], rows(values)[None], weight, None, None, mean, inverse, True, ctx.eps, [True, True, True]
        )
        of_constant = torch.zeros_like(shift) if ctx.constant else None
        of_residual = _planes(matrix, values) if ctx.residual else None
        return _planes(given[0], values), slope, shift, of_constant, of_residual, None, None


def _statistics(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and biased variance of each row, in two passes: several times faster than the library's, which adds the
    values up one by one."""
    wide, count = torch.promote_types(matrix.dtype, torch.float32), matrix.shape[1]
    mean = matrix.sum(1, dtype=wide).div_(count)
    step = max(1, _IN_CACHE // count)
    off = torch.empty(min(step, len(matrix)), count, dtype=wide)
    length = torch.empty_like(mean)
    for part, centre, result in zip(*(torch.split(each, step) for each in (matrix, mean, length)), strict=True):
        here = torch.sub(part, centre[:, None], out=off[: len(part)])
        torch.linalg.vector_norm(here, dim=1, out=result)
    return mean, length.square_().div_(count)


def _remember(running: Running, mean: Tensor, variance: Tensor, count: int) -> None:
    """The running averages, of the unbiased variance."""
    running.mean.lerp_(mean, running.momentum)
    running.variance.lerp_(variance * (count / max(1, count - 1)), running.momentum)


def product(values: Tensor, weight: Tensor) -> Tensor:
    """A 1x1 convolution without a bias: planes (N, C, T, V) and a weight (C', C) to planes (N, C', T, V)."""
    result: Tensor = _Product.apply(values, weight)  # type: ignore[no-untyped-call]
    return result


def normalised(
    norm: nn.BatchNorm2d, values: Tensor, constant: Tensor | None = None, residual: Tensor | None = None, *,
    relu: bool = False,
) -> Tensor:  # fmt: skip
    """Batch normalisation of planes in training, plus planes of the same shape, then ReLU, as far as wanted.

    constant: (C,), what was not added to the values, since it only moves the mean: the running mean is told of it,
    and its gradient is 0.
    """
    assert norm.running_mean is not None
    assert norm.running_var is not None
    assert norm.num_batches_tracked is not None
    assert norm.momentum is not None
    norm.num_batches_tracked.add_(1)
    running = Running(norm.running_mean, norm.running_var, norm.momentum, norm.eps)
    result: Tensor = _Norm.apply(values, norm.weight, norm.bias, constant, residual, running, relu)  # type: ignore[no-untyped-call]
    return result


def convolved(
    convolution: nn.Module, norm: nn.Module, values: Tensor, residual: Tensor | None = None, *, relu: bool = False
) -> Tensor:
    """A 1x1 convolution and what `normalised` does to it; its bias is what need not be added."""
    assert isinstance(convolution, nn.Conv2d)
    assert isinstance(norm, nn.BatchNorm2d)
    planes = product(values, convolution.weight.flatten(1))
    return normalised(norm, planes, convolution.bias, residual, relu=relu)
