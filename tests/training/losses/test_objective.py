import pytest
import torch
from torch.nn.functional import cross_entropy

from model.network.aclnet import AclNet
from model.network.config import NetworkConfig
from training.losses.config import LossConfig
from training.losses.objective import Objective

LABELS = torch.tensor([0, 0, 1, 2, 1, 2])


def network(**changes):
    return NetworkConfig(classes=3, widths=(8, 16), strides=(1, 2), dim=12, **changes)


def outputs(config):
    torch.manual_seed(0)
    return AclNet(config)(torch.rand(6, 16, 17, 3))


def losses(**sections):
    return LossConfig.model_validate({"inter": {"start_epoch": 0}, "intra": {"bank": 8}} | sections)


@pytest.mark.parametrize("feature", ["embedding", "pooled", "graph", "both"])
@pytest.mark.parametrize("tap", ["pooled", "graph", "both"])
def test_the_total_is_the_weighted_sum_of_the_terms_whatever_they_see(feature, tap):
    config = network(tap=tap)
    objective = Objective(config, losses(feature=feature), epochs=10)
    terms = objective(outputs(config), LABELS)
    assert terms.total.item() == pytest.approx((terms.ce + 0.1 * terms.inter + 0.1 * terms.intra).item())
    assert terms.intra > 0


def test_with_both_contrasts_off_it_is_cross_entropy():
    config = network()
    objective = Objective(config, losses(inter={"enabled": False}, intra={"enabled": False}), epochs=10)
    out = outputs(config)
    terms = objective(out, LABELS)
    assert terms.total.item() == pytest.approx(cross_entropy(out.logits, LABELS).item())
    assert terms.correct.tolist() == (out.logits.argmax(1) == LABELS).tolist()


def test_the_margin_of_the_cosine_head_rises_to_its_height_and_stays():
    config = network(head="cosine", cosine_scale=10.0)
    objective = Objective(config, losses(ce={"margin": 0.2, "margin_rise": 0.4}), epochs=10)
    margins = []
    for epoch in (0, 2, 4, 9):
        objective.set_epoch(epoch)
        margins.append(objective.margin.item())
    assert margins == pytest.approx([0.0, 1.0, 2.0, 2.0])
    out = outputs(config)
    lowered = out.logits - 2 * torch.nn.functional.one_hot(LABELS, 3)
    assert objective(out, LABELS).ce.item() == pytest.approx(cross_entropy(lowered, LABELS).item(), abs=1e-5)
