"""The step of the losses never asks the device for a number: under fake tensors, which have none, asking raises."""

import pytest
import torch
from torch import distributed
from torch._subclasses.fake_tensor import (
    DataDependentOutputException,
    DynamicOutputShapeException,
    FakeTensorMode,
)
from torch.testing._internal.distributed.fake_pg import FakeStore

from model.network.aclnet import Outputs
from model.network.config import NetworkConfig
from training.losses.config import LossConfig
from training.losses.objective import Objective

CLASSES, DIM, BATCH = 7, 8, 12
NETWORK = NetworkConfig(classes=CLASSES, widths=(8,), strides=(1,), dim=DIM, head="cosine")
RECIPES = {
    "paper": {"ce": {"margin": 0.2}, "inter": {"start_epoch": 1}},
    "official": {"feature": "graph", "inter": {"mode": "official"}, "intra": {"mode": "official"}},
    "all else": {
        "feature": "both",
        "inter": {"symmetric": True, "affinity": "contextual", "temperature": "fixed", "prototypes_from": "all"},
        "intra": {"bank": 0, "reduction": "sum", "anchors": "all"},
    },
}


@pytest.fixture
def fake():
    with FakeTensorMode() as mode:
        yield mode


def outputs():
    logits, graph, pooled = (torch.randn(BATCH, width, requires_grad=True) for width in (CLASSES, DIM, DIM))
    return Outputs(logits, pooled, graph, pooled, graph, torch.nn.functional.normalize(pooled))


ASK = {
    "a number": lambda: torch.ones(()).item(),
    "a truth": lambda: bool(torch.ones(3).any()),
    "a shape that follows from values": lambda: torch.arange(3)[torch.ones(3) > 0],
    "the largest label": lambda: torch.arange(3).bincount(minlength=4),
}


@pytest.mark.parametrize("question", ASK)
def test_asking_fake_tensors_raises(fake, question):
    with pytest.raises((DataDependentOutputException, DynamicOutputShapeException)):
        ASK[question]()


@pytest.fixture(params=[1, 2])
def ranks(request):
    """One process, or two of which the other one is only said to be there."""
    if request.param > 1:
        distributed.init_process_group("fake", store=FakeStore(), rank=1, world_size=request.param)
    yield request.param
    if request.param > 1:
        distributed.destroy_process_group()


@pytest.mark.parametrize("recipe", RECIPES)
def test_no_step_waits_for_the_device(ranks, fake, recipe):
    objective = Objective(NETWORK, LossConfig.model_validate(RECIPES[recipe]), epochs=4)
    for epoch in range(3):
        objective.set_epoch(epoch)
        for _ in range(2):
            made = outputs()
            terms = objective(made, torch.randint(0, CLASSES, (BATCH,)))
            terms.total.backward()
            assert len(terms.correct) == ranks * BATCH
            assert made.logits.grad is not None
            assert made.graph_projection.grad is not None or made.pooled_projection.grad is not None
