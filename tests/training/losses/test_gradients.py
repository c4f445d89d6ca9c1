"""The written-out gradients against finite differences and against autograd."""

import torch
from torch.nn.functional import normalize

from training.losses.gradients import Shape, marginal, unit

HOW = Shape(temperature=0.5, shrink=0.9, floor=1e-3)


def problem() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    anchors = normalize(torch.randn(4, 5, dtype=torch.double), dim=1)
    memory = normalize(torch.randn(9, 5, dtype=torch.double), dim=1)
    place = torch.tensor([7, 8, 0, 1])
    same = torch.rand(4, 9) < 0.4
    weights = same.double().scatter(1, place[:, None], 0.0) / 3
    return anchors.requires_grad_(), memory, place, weights, (~same).double()


def by_autograd(anchors, memory, place, weights, negative):
    logits = anchors @ memory.index_copy(0, place, anchors).T / HOW.temperature
    rest = (logits.exp() * negative).sum(dim=1, keepdim=True) + HOW.floor
    return (weights * (torch.log(logits.exp() * HOW.shrink + rest) - logits)).sum()


def test_unit_has_the_gradient_of_a_division_by_length() -> None:
    torch.manual_seed(0)
    assert torch.autograd.gradcheck(unit, (torch.randn(3, 4, dtype=torch.double, requires_grad=True),))


def test_a_row_of_zeros_stays_and_gets_a_finite_gradient() -> None:
    vectors = torch.zeros(1, 3, requires_grad=True)
    unit(vectors).sum().backward()
    assert vectors.grad is not None
    assert torch.isfinite(vectors.grad).all()


def test_the_marginal_loss_and_its_gradient_are_those_of_autograd() -> None:
    anchors, memory, place, weights, negative = problem()
    expected = by_autograd(anchors, memory, place, weights, negative)
    (slope,) = torch.autograd.grad(expected, anchors)
    filled = memory.index_copy(0, place, anchors.detach())
    ours = marginal(anchors, filled, place, weights, negative, HOW)
    torch.testing.assert_close(ours, expected)
    torch.testing.assert_close(torch.autograd.grad(ours, anchors)[0], slope)
