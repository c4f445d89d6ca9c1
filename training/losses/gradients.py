"""Functions of the losses with their gradients written out: fewer operations than autograd would do.

The losses are many small operations on small matrices, where starting an operation costs more than the arithmetic.
None of them can be differentiated twice.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

_SHORTEST = 1e-12


class Shape(NamedTuple):
    """temperature: of the cosines. shrink: exp(-epsilon / temperature), the margin. floor: added to the sum."""

    temperature: float
    shrink: float
    floor: float


class _Unit(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, vectors: Tensor) -> Tensor:
        length = torch.linalg.vector_norm(vectors, dim=1, keepdim=True).clamp_min_(_SHORTEST)
        unit: Tensor = vectors / length
        ctx.save_for_backward(unit, length)
        return unit

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        unit, length = ctx.saved_tensors
        along = (gradient * unit).sum(dim=1, keepdim=True)
        return torch.addcmul(gradient, unit, along, value=-1).div_(length)


class _Marginal(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, anchors: Tensor, memory: Tensor, place: Tensor, weights: Tensor, negative: Tensor, how: Shape
    ) -> Tensor:
        # As few passes over (n, m) as there can be, and as few arrays: fresh memory costs as much as a pass.
        logits = torch.mm(anchors / how.temperature, memory.T)
        raised = logits.exp()
        rivals = raised * negative
        total = torch.add(rivals.sum(dim=1, keepdim=True) + how.floor, raised, alpha=how.shrink)
        pull = weights / total
        slope = raised.mul_(pull).mul_(how.shrink).sub_(weights).addcmul_(rivals, pull.sum(dim=1, keepdim=True))
        loss = torch.dot(weights.flatten(), total.log_().sub_(logits).flatten())
        # An anchor is compared with the memory, and stands in it for the other anchors.
        gradient = torch.mm(slope, memory).addmm_(slope[:, place].T, anchors)
        ctx.save_for_backward(gradient.div_(how.temperature))
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (saved,) = ctx.saved_tensors
        return saved * gradient, None, None, None, None, None


class _Family(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, logits: Tensor, labels: Tensor, rivals: Tensor, weights: Tensor) -> Tensor:
        raised = logits.exp()
        own = raised.gather(1, labels[:, None])
        against = raised.mul_(rivals)
        total = against.sum(dim=1, keepdim=True).add_(own)
        loss = (weights * (total / own).log_()).sum()
        scale = weights / total
        gradient = against.mul_(scale).scatter_add_(1, labels[:, None], own * scale - weights)
        ctx.save_for_backward(gradient)
        return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        (saved,) = ctx.saved_tensors
        return saved * gradient, None, None, None


def unit(vectors: Tensor) -> Tensor:
    """Rows (n, dim) scaled to length 1; a row of zeros stays."""
    result: Tensor = _Unit.apply(vectors)  # type: ignore[no-untyped-call]
    return result


def marginal(anchors: Tensor, memory: Tensor, place: Tensor, weights: Tensor, negative: Tensor, how: Shape) -> Tensor:
    """Weighted sum of -log(e^s / (shrink e^s + sum over negatives of e^v + floor)); Eq. 15 for every positive.

    s, v: cosines of anchors (n, dim) and memory (m, dim) by temperature, small enough for exp. The anchors stand in
    the memory at `place` (n,). weights: (n, m), 0 where it is no positive; negative: (n, m), 1 where it is a rival.
    """
    result: Tensor = _Marginal.apply(anchors, memory, place, weights, negative, how)  # type: ignore[no-untyped-call]
    return result


def family(logits: Tensor, labels: Tensor, rivals: Tensor, weights: Tensor) -> Tensor:
    """Weighted sum of -log(e^own / (e^own + sum over rivals of e^other)); Eq. 8.

    logits: (n, classes), small enough for exp; labels: (n,) each one's own class; rivals: (n, classes), 1 where a class
    is in its Motion Family; weights: (n, 1).
    """
    result: Tensor = _Family.apply(logits, labels, rivals, weights)  # type: ignore[no-untyped-call]
    return result
