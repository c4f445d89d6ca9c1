"""The functions whose gradients are written out: against autograd's, in float64."""

import pytest
import torch
from torch.autograd import gradcheck
from torch.nn import functional

from model.network.gradients import in_training, normalised, product


def _random(*shape, channel_by_channel=True):
    values = torch.randn(shape, dtype=torch.float64)
    if channel_by_channel:
        values = values.transpose(0, 1).contiguous().transpose(0, 1)
    return values.requires_grad_()


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def _norm(channels):
    norm = torch.nn.BatchNorm2d(channels).double()
    torch.nn.init.normal_(norm.weight)
    torch.nn.init.normal_(norm.bias)
    return norm


@pytest.mark.parametrize("ordered", [True, False])
def test_a_product_is_a_convolution_whatever_the_order_of_memory(ordered):
    values, weight = _random(2, 3, 4, 5, channel_by_channel=ordered), _random(6, 3)
    torch.testing.assert_close(product(values, weight), functional.conv2d(values, weight[..., None, None]))
    assert gradcheck(product, (values, weight))


@pytest.mark.parametrize("relu", [True, False])
@pytest.mark.parametrize("around", [True, False])
def test_a_norm_with_its_sum_and_relu_is_these_three(relu, around):
    ours, library = _norm(3), _norm(3)
    library.load_state_dict(ours.state_dict())
    values, residual = _random(2, 3, 4, 5), _random(2, 3, 4, 5) if around else None
    expected = library(values) + (residual if around else 0)
    torch.testing.assert_close(
        normalised(ours, values, None, residual, relu=relu), expected.relu() if relu else expected
    )
    torch.testing.assert_close(dict(ours.state_dict()), dict(library.state_dict()))
    parameters = (values, ours.weight, ours.bias, *([residual] if around else []))

    def of_parameters(values, _weight, _bias, residual=None):
        return normalised(ours, values, None, residual, relu=relu)

    assert gradcheck(of_parameters, parameters)


def test_a_constant_that_a_norm_takes_out_again_need_not_be_added_but_is_remembered():
    ours, library, values, constant = _norm(3), _norm(3), _random(2, 3, 4, 5), _random(3, 1)[:, 0]
    library.load_state_dict(ours.state_dict())
    added = library(values + constant[:, None, None])
    out = normalised(ours, values, constant)
    torch.testing.assert_close(out, added)
    torch.testing.assert_close(ours.running_mean, library.running_mean)
    (gradient,) = torch.autograd.grad(out.sin().sum(), constant)
    assert gradient.abs().max() == 0


def test_means_far_from_zero_cost_no_digits():
    values = torch.randn(4, 2, 50, 5) + 1000
    ours, library = torch.nn.BatchNorm2d(2), torch.nn.BatchNorm2d(2).double()
    torch.testing.assert_close(normalised(ours, values).double(), library(values.double()), atol=1e-3, rtol=0)


def test_nothing_is_differentiated_twice():
    values, weight = _random(2, 3, 4, 5), _random(6, 3)
    (gradient,) = torch.autograd.grad(product(values, weight).square().sum(), weight, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        gradient.sum().backward()


def test_they_serve_in_training_on_a_cpu_only():
    module, values = torch.nn.Identity(), torch.zeros(1)
    assert in_training(module.train(), values)
    assert not in_training(module.eval(), values)
    assert not in_training(module.train(), torch.zeros(1, device="meta"))
