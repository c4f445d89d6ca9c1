"""Two processes against one: the same batches, losses, gradients and memories, across epochs and a resumption."""

import pytest
import torch
from torch.multiprocessing.spawn import spawn

from tests.training.losses import ranks_work
from tests.training.losses.ranks_work import RECIPES

WORLD = 2


@pytest.fixture(scope="module")
def ranks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ranks")
    spawn(ranks_work.work, args=(WORLD, folder), nprocs=WORLD)
    return [torch.load(folder / f"{rank}.pt", weights_only=True) for rank in range(WORLD)]


@pytest.fixture(scope="module", params=RECIPES)
def recipe(request):
    return request.param


@pytest.fixture(scope="module")
def alone(recipe):
    return ranks_work.train(RECIPES[recipe])


def test_every_rank_tells_the_figures_of_the_whole_batch(ranks, alone, recipe):
    assert (alone["told"][-1, 1:4] > 0).all()
    for rank in ranks:
        torch.testing.assert_close(rank[recipe]["told"], alone["told"], atol=1e-5, rtol=1e-4)


def test_averaged_over_ranks_each_gradient_is_that_of_the_whole_batch(ranks, alone, recipe):
    for rank in ranks:
        for ours, expected in zip(rank[recipe]["gradients"], alone["gradients"], strict=True):
            for name, gradient in expected.items():
                torch.testing.assert_close(ours[name], gradient, atol=1e-5, rtol=1e-4)


def test_all_that_the_losses_remember_is_equal_on_all_ranks_and_is_what_one_process_remembers(ranks, alone, recipe):
    first, second = (rank[recipe]["state"] for rank in ranks)
    for name, expected in alone["state"].items():
        assert torch.equal(first[name], second[name]), name
        torch.testing.assert_close(first[name], expected, atol=1e-5, rtol=1e-4, msg=name)


def test_a_resumed_run_ends_where_one_without_a_stop_does(recipe):
    whole, resumed = (ranks_work.train(RECIPES[recipe], resume_at=at) for at in (None, 2))
    for name, tensor in whole["state"].items():
        assert torch.equal(resumed["state"][name], tensor), name
