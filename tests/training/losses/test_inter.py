import numpy as np
import pytest
import torch

from tests.training.losses import formulas
from tests.training.losses.recorded import recorded
from training.losses.config import InterConfig
from training.losses.inter import InterClassLoss

CLASSES, DIM = 12, 8


def loss_module(**changes):
    torch.manual_seed(0)
    return InterClassLoss(CLASSES, DIM, InterConfig(**{"start_epoch": 0, "neighbours": 4, "overlap": 1, **changes}))


def batch(size=16, seed=0):
    rng = np.random.default_rng(seed)
    features = torch.from_numpy(rng.normal(size=(size, DIM)).astype(np.float32))
    labels, predictions = torch.from_numpy(rng.integers(0, CLASSES, (2, size)))
    return features, labels, predictions


def test_official_mode_equals_the_recorded_module_in_families_prototypes_loss_and_gradient():
    r = recorded("inter_40classes.npz")
    config = InterConfig(
        mode="official", start_epoch=0, neighbours=int(r["top_k"]), overlap=int(r["overlap_threshold"])
    )
    module = InterClassLoss(40, 64, config)
    module.confusion.copy_(torch.from_numpy(r["confusion"]))
    module.prototypes.copy_(torch.from_numpy(r["prototypes_before"]))
    module.rebuild()
    assert (module.families.numpy() == r["families"]).all()
    features = torch.from_numpy(r["features"]).requires_grad_()
    loss = module(features, torch.from_numpy(r["labels"]), torch.from_numpy(r["logits"]).argmax(1))
    (gradient,) = torch.autograd.grad(loss, features)
    assert module.prototypes.numpy() == pytest.approx(r["prototypes_after"], abs=1e-6)
    assert loss.item() == pytest.approx(float(r["loss"]), abs=1e-5)
    assert gradient.numpy() == pytest.approx(r["gradient"], abs=1e-6)


def test_the_loss_equals_the_formula():
    module = loss_module(prototypes_from="all")
    features, labels, predictions = batch(64)
    module(features, labels, predictions)
    module.rebuild()
    features, labels, predictions = batch(32, seed=1)
    module.eval()
    expected = formulas.inter(
        features.numpy().astype(np.float64), labels.numpy(), module.prototypes.numpy(), module.families.numpy(), 4
    )
    assert module.families.any()
    assert module(features, labels, predictions).item() == pytest.approx(expected, abs=1e-5)


def test_confusions_count_class_i_taken_for_class_j_and_nothing_else():
    module = loss_module()
    labels, predictions = torch.tensor([0, 1, 1, 1]), torch.tensor([1, 1, 1, 1])
    module(torch.randn(4, DIM), labels, predictions)
    assert module.confusion.nonzero().tolist() == [[0, 1]]
    assert module.confusion[0, 1] == 1


def test_the_published_code_also_counts_the_victim_as_often_as_it_is_in_the_batch():
    module = loss_module(mode="official")
    module(torch.randn(4, DIM), torch.tensor([0, 1, 1, 1]), torch.tensor([1, 1, 1, 1]))
    assert module.confusion[0, 1] == 1
    assert module.confusion[1, 0] == 3


def test_symmetric_counts_both_ways_once_and_decay_fades_them_each_epoch():
    module = loss_module(symmetric=True, decay=0.5)
    module(torch.randn(4, DIM), torch.tensor([0, 1, 1, 1]), torch.tensor([1, 1, 1, 1]))
    module.set_epoch(1)
    assert (module.confusion[0, 1], module.confusion[1, 0]) == (0.5, 0.5)


def test_before_the_start_the_loss_is_zero_and_confusions_are_counted_one_epoch_early():
    module = loss_module(start_epoch=3)
    for epoch, counted, active in [(0, False, False), (1, False, False), (2, True, False), (3, True, True)]:
        module.set_epoch(epoch)
        before = module.confusion.sum()
        loss = module(*batch(seed=epoch))
        assert (module.confusion.sum() > before) == counted
        assert (loss > 0) == active


def test_a_class_never_confused_takes_the_nearest_prototypes_unless_told_not_to():
    with_fallback, without = loss_module(prototypes_from="all"), loss_module(prototypes_from="all", fallback="none")
    for module in (with_fallback, without):
        features, labels, _ = batch(64)
        module(features, labels, labels)
        module.rebuild()
    assert (with_fallback.families.sum(1) > 0).all()
    assert not without.families.any()


def test_prototypes_are_moving_means_of_the_samples_named_correctly():
    module = loss_module(momentum=0.75)
    first, second = torch.eye(DIM)[:2]
    labels = torch.tensor([2, 2])
    module(torch.stack([first, second]), labels, torch.tensor([2, 5]))
    assert torch.equal(module.prototypes[2], first)
    module(torch.stack([second, second]), labels, labels)
    assert module.prototypes[2].tolist() == pytest.approx((0.75 * first + 0.25 * second).tolist())
    assert module.prototype_seen.nonzero().flatten().tolist() == [2]


def test_a_sample_whose_class_has_no_prototype_yet_does_not_count_and_breaks_nothing():
    module = loss_module()
    features, labels, _ = batch()
    features.requires_grad_()
    loss = module(features, labels, (labels + 1) % CLASSES)
    (gradient,) = torch.autograd.grad(loss, features)
    assert loss == 0
    assert torch.isfinite(gradient).all()


def test_evaluation_changes_no_state():
    module = loss_module()
    module(*batch())
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    module.eval()(*batch(seed=1))
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())


def test_all_state_is_in_the_state_dict():
    names = {"confusion", "prototypes", "prototype_seen", "families", "temperatures", "epoch"}
    module = loss_module()
    assert set(module.state_dict()) == names
    module(*batch())
    module.set_epoch(1)
    other = loss_module()
    other.load_state_dict(module.state_dict())
    assert other(*batch(seed=1)) == module(*batch(seed=1))


def test_a_fixed_temperature_stays_whatever_the_families():
    module = loss_module(temperature="fixed", fixed_temperature=0.2)
    module(*batch(64))
    module.rebuild()
    assert module.temperatures.tolist() == pytest.approx([0.2] * CLASSES)
