"""The temporal unit's branches for training on a CPU: products of matrices, with their gradients written out."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

TAPS = 3


class _Branches(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, active: Tensor, copied: Tensor, stride: int, dilations: Sequence[int], *kernels: Tensor
    ) -> Tensor:
        ctx.stride, ctx.dilations, ctx.frames = stride, dilations, active.shape[2]
        padded = _padded(active.transpose(0, 1), max(dilations))
        count = (ctx.frames - 1) // stride + 1
        shape = (active.shape[1] + copied.shape[1], len(active), count, active.shape[3])
        joined = active.new_empty(shape)
        at = 0
        for dilation, weight, bias in _convolutions(dilations, kernels):
            part = slice(at, at := at + len(weight))
            taps = torch.cat(_taps(padded[part], dilation, ctx)).flatten(1)
            torch.addmm(bias[:, None].to(taps.dtype), weight.to(taps.dtype), taps, out=joined[part].flatten(1))
        before, here, after = _taps(padded[at:], 1, ctx)
        torch.maximum(torch.maximum(before, here), after, out=joined[at : len(padded)])
        joined[len(padded) :] = copied.transpose(0, 1)[:, :, ::stride]
        ctx.save_for_backward(padded, joined[at : len(padded)], *kernels)
        return joined.transpose(0, 1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        padded, highest, *kernels = ctx.saved_tensors
        given, pushed = torch.zeros_like(padded), gradient.transpose(0, 1).contiguous()
        slopes: list[Tensor] = []
        at = 0
        for dilation, weight, _ in _convolutions(ctx.dilations, kernels):
            part = slice(at, at := at + len(weight))
            here = pushed[part].flatten(1)
            taps = torch.cat(_taps(padded[part], dilation, ctx)).flatten(1)
            slopes += [torch.mm(here, taps.t()), here.sum(1)]
            shares = torch.mm(weight.t().to(here.dtype), here).view(TAPS, -1, *pushed.shape[1:])
            for place, share in zip(_taps(given[part], dilation, ctx), shares, strict=True):
                place.add_(share)
        _to_highest(_taps(given[at:], 1, ctx), _taps(padded[at:], 1, ctx), highest, pushed[at : len(padded)])
        margin = max(ctx.dilations)
        of_active = given[:, :, margin : margin + ctx.frames].transpose(0, 1)
        return of_active, _spaced(pushed[len(padded) :], ctx), None, None, *slopes


def _convolutions(dilations: Sequence[int], kernels: Sequence[Tensor]) -> Iterator[tuple[int, Tensor, Tensor]]:
    return zip(dilations, kernels[::2], kernels[1::2], strict=True)


def _padded(values: Tensor, margin: int) -> Tensor:
    """(C, N, T, V) with as many frames of zeros at either end."""
    c, n, t, v = values.shape
    padded = values.new_empty(c, n, t + 2 * margin, v)
    padded[:, :, :margin] = 0
    padded[:, :, margin + t :] = 0
    padded[:, :, margin : margin + t] = values
    return padded


def _taps(padded: Tensor, dilation: int, ctx: Any) -> list[Tensor]:
    """Of every frame that counts: the one `dilation` before it, itself, the one as much after; views."""
    first = max(ctx.dilations) - dilation
    return [
        padded[:, :, start : start + ctx.frames : ctx.stride] for start in range(first, first + 3 * dilation, dilation)
    ]


def _to_highest(given: Sequence[Tensor], candidates: Sequence[Tensor], highest: Tensor, pushed: Tensor) -> None:
    """Adds the gradient of a maximum to where it came from; the earliest of equals has all of it."""
    left = pushed
    for place, candidate in zip(given[:-1], candidates[:-1], strict=True):
        taken = left * (candidate == highest)
        place.add_(taken)
        left = left - taken
    given[-1].add_(left)


def _spaced(pushed: Tensor, ctx: Any) -> Tensor:
    """The gradient of every `stride`-th frame as one of all frames, (N, C, T, V)."""
    if ctx.stride == 1:
        return pushed.transpose(0, 1)
    c, n, _, v = pushed.shape
    spaced = pushed.new_zeros(c, n, ctx.frames, v)
    spaced[:, :, :: ctx.stride] = pushed
    return spaced.transpose(0, 1)


def branches(active: Tensor, copied: Tensor, dilated: Iterable[nn.Module], stride: int) -> Tensor:
    """The dilated convolutions over time, the highest of three frames, and a strided copy, one after the other.

    active: (N, C, T, V), none negative (so that zeros before the first frame and after the last are never the highest
    ones that count); a part of the channels for each convolution, the rest for the maximum. copied: (N, C', T, V).
    """
    kernels: list[Tensor] = []
    dilations: list[int] = []
    for convolution in dilated:
        assert isinstance(convolution, nn.Conv2d)
        assert convolution.bias is not None
        dilations.append(convolution.dilation[0])
        kernels += [convolution.weight.squeeze(3).transpose(1, 2).flatten(1), convolution.bias]
    result: Tensor = _Branches.apply(active, copied, stride, dilations, *kernels)  # type: ignore[no-untyped-call]
    return result
