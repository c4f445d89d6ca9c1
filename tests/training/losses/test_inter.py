import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

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


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from(["paper", "official"]), st.sampled_from(["row", "symmetric", "batch"]))
def test_every_way_to_count_equals_the_formula_whatever_the_mode(seed, mode, counting):
    module = loss_module(mode=mode, counting=counting)
    features, labels, predictions = batch(seed=seed)
    module(features, labels, predictions)
    expected = formulas.confusion(labels.numpy(), predictions.numpy(), CLASSES, counting)
    assert (module.confusion.numpy() == expected).all()


@pytest.mark.parametrize(("mode", "counting"), [("paper", "row"), ("official", "batch")])
def test_a_mode_counts_as_its_source_does(mode, counting):
    assert InterConfig(mode=mode).counts == counting


@pytest.mark.parametrize("mean", ["unit", "raw"])
@pytest.mark.parametrize("used", ["correct", "all"])
def test_prototypes_equal_the_formula(mean, used):
    module = loss_module(prototype_mean=mean, prototypes_from=used, prototype_start="noise", momentum=0.7)
    before = module.prototypes.numpy().astype(np.float64)
    features, labels, predictions = batch(64)
    predictions = torch.where(torch.arange(64) % 2 == 0, labels, predictions)
    module(features, labels, predictions)
    right = (labels == predictions).numpy()
    expected = formulas.prototypes(
        before, features.numpy().astype(np.float64), labels.numpy(), right | (used == "all"), 0.7, raw=mean == "raw"
    )
    assert np.abs(module.prototypes.numpy() - expected).max() < 1e-6


def slope_along(module, direction, step):
    """Change of the loss a length, features moved along a direction; the module is as before afterwards."""
    features, labels, _ = batch(32, seed=1)
    state = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    losses = []
    for sign in (1, -1):
        losses.append(module(features + sign * step * direction, labels, labels).item())
        module.load_state_dict(state)
    return (losses[0] - losses[1]) / (2 * step)


@pytest.mark.parametrize("through", [True, False])
def test_the_gradient_runs_through_the_prototypes_only_if_asked_to(through):
    module = loss_module(prototype_gradient=through, momentum=0.3, fallback="prototype")
    module(*batch(64)[:2], batch(64)[1])
    module.rebuild()
    features, labels, _ = batch(32, seed=1)
    state = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    leaf = features.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(module(leaf, labels, labels), leaf)
    module.load_state_dict(state)
    direction = torch.randn(features.shape)
    measured = slope_along(module, direction, 1e-2)
    along = (gradient * direction).sum().item()
    assert (along == pytest.approx(measured, rel=0.02)) == through


def test_temperatures_of_the_three_sizes_are_the_recipes():
    module = loss_module(temperatures=(0.2, 0.3, 0.4), neighbours=2, overlap=0)
    module.confusion.copy_(torch.ones(CLASSES, CLASSES).tril())
    module.rebuild()
    size = module.families.sum(1)
    wanted = torch.where(size <= 2, 0.2, torch.where(size <= 4, 0.3, 0.4))
    assert torch.equal(module.temperatures, wanted)
    assert len(module.temperatures.unique()) > 1


def test_from_half_of_k_up_the_formula_drops_neighbours_that_share_nobody_and_the_published_code_keeps_them():
    confusion = torch.zeros(CLASSES, CLASSES)
    confusion[0, 1] = confusion[1, 2] = confusion[2, 3] = 5.0
    for overlap, kept in ((1, True), (2, False)):
        module = loss_module(neighbours=4, overlap=overlap, fallback="none")
        module.confusion.copy_(confusion)
        module.rebuild()
        assert bool(module.families[0, 1]) == kept
        official = loss_module(neighbours=4, overlap=overlap, neighbourhood="official")
        official.confusion.copy_(confusion)
        official.rebuild()
        assert official.families[0, 1]


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


def test_a_member_of_the_family_that_has_no_prototype_yet_is_no_rival():
    module = loss_module()
    module.families[0, 1] = True
    features, labels = torch.randn(4, DIM), torch.zeros(4, dtype=torch.long)
    assert module(features, labels, labels).item() == pytest.approx(0, abs=1e-6)
    module.prototype_seen[1] = True
    assert module(features, labels, labels) > 0.01


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
