import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.training.losses import formulas
from tests.training.losses.recorded import recorded
from training.losses.config import IntraConfig
from training.losses.intra import IntraClassLoss

DIM = 6


def batches(count, size, classes=4, seed=0):
    rng = np.random.default_rng(seed)
    return [(rng.normal(size=(size, DIM)).astype(np.float32), rng.integers(0, classes, size)) for _ in range(count)]


def feed(module, features, labels):
    return module(torch.from_numpy(features), torch.from_numpy(labels))


def test_official_mode_equals_the_recorded_module_step_for_step_and_in_its_gradient():
    r = recorded("intra_bank64.npz")
    config = IntraConfig(mode="official", bank=64, temperature=float(r["temperature"]), epsilon=float(r["epsilon"]))
    module = IntraClassLoss(64, config)
    for features, labels, expected in zip(r["features"], r["labels"], r["losses"], strict=True):
        leaf = torch.from_numpy(features).requires_grad_()
        loss = module(leaf, torch.from_numpy(labels))
        assert loss.item() == pytest.approx(float(expected), abs=1e-5)
    (gradient,) = torch.autograd.grad(loss, leaf)
    assert gradient.numpy() == pytest.approx(r["gradient_last"], abs=1e-6)


@pytest.mark.parametrize("mode", ["paper", "official"])
def test_the_loss_equals_the_formula_over_batch_and_memory(mode):
    module = IntraClassLoss(DIM, IntraConfig(mode=mode, bank=24, epsilon=0.2))
    steps = batches(3, 8)
    *earlier, (features, labels) = steps
    for step in earlier:
        feed(module, *step)
    memory, memory_labels = (np.concatenate(parts) for parts in zip(*earlier, strict=True))
    expected = formulas.intra(
        features.astype(np.float64), labels, memory.astype(np.float64), memory_labels, 0.1, 0.2,
        official=mode == "official",
    )  # fmt: skip
    assert feed(module, features, labels).item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("mode", ["paper", "official"])
@pytest.mark.parametrize("margin", ["cosine", "exponent"])
@pytest.mark.parametrize("anchors", ["positive", "all"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_margin_anchors_and_reduction_are_chosen_apart_from_the_mode(mode, margin, anchors, reduction):
    config = IntraConfig(mode=mode, margin=margin, anchors=anchors, reduction=reduction, bank=24, full_memory=False)
    module = IntraClassLoss(DIM, config)
    (memory, memory_labels), (features, labels) = batches(2, 8, classes=5, seed=3)
    labels[0] = 9  # an anchor without positives
    feed(module, memory, memory_labels)
    expected = formulas.intra(
        features.astype(np.float64), labels, memory.astype(np.float64), memory_labels, 0.1, 0.1,
        official=mode == "official", margin=margin, every=anchors == "all", reduction=reduction,
    )  # fmt: skip
    assert feed(module, features, labels).item() == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("training", [True, False])
def test_without_a_memory_the_batch_is_compared_with_itself_as_in_the_paper(training):
    module = IntraClassLoss(DIM, IntraConfig(bank=0)).train(training)
    for features, labels in batches(2, 8):
        nothing = np.empty((0, DIM)), np.empty(0, np.int64)
        expected = formulas.intra(features.astype(np.float64), labels, *nothing, 0.1, 0.1, official=False)
        leaf = torch.from_numpy(features).requires_grad_()
        loss = module(leaf, torch.from_numpy(labels))
        loss.backward()
        assert loss.item() == pytest.approx(expected, rel=1e-4)
        assert leaf.grad is not None
        assert leaf.grad.norm() > 0


def test_the_published_form_may_use_a_half_empty_memory_and_the_papers_may_wait():
    official = IntraClassLoss(DIM, IntraConfig(mode="official", bank=16, full_memory=False))
    paper = IntraClassLoss(DIM, IntraConfig(bank=16, full_memory=True))
    first, second = batches(2, 8)
    assert feed(official, *first) > 0
    assert feed(paper, *first) == 0
    assert feed(paper, *second) > 0


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 9), st.integers(9, 30))
def test_the_memory_holds_the_latest_whatever_the_batch_and_its_size(size, bank):
    module = IntraClassLoss(DIM, IntraConfig(bank=bank))
    steps = batches(6, size)
    for step in steps:
        feed(module, *step)
    latest = formulas.unit(np.concatenate([features for features, _ in steps])[-bank:])
    held = module.bank_features[module.bank_labels >= 0].numpy()
    assert len(held) == len(latest)
    assert sorted(held.round(4).tolist()) == sorted(latest.round(4).tolist())


def test_the_paper_uses_a_half_empty_memory_and_the_published_code_waits_until_it_is_full():
    paper, official = (IntraClassLoss(DIM, IntraConfig(mode=mode, bank=16)) for mode in ("paper", "official"))
    first, second = batches(2, 8)
    assert feed(paper, *first) > 0
    assert feed(official, *first) == 0
    assert feed(official, *second) > 0


def test_epsilon_in_the_paper_is_that_of_the_published_code_times_the_temperature():
    features, labels = batches(1, 12, classes=2)[0]
    paper = IntraClassLoss(DIM, IntraConfig(bank=12, epsilon=0.01, temperature=0.1))
    official = IntraClassLoss(DIM, IntraConfig(mode="official", bank=12, epsilon=0.1, temperature=0.1))
    assert feed(paper, features, labels).item() == pytest.approx(feed(official, features, labels).item(), rel=1e-3)


def test_a_larger_margin_leaves_less_to_gain_from_positives_that_are_close_already():
    features, labels = batches(1, 12)[0]
    losses = [feed(IntraClassLoss(DIM, IntraConfig(bank=12, epsilon=e)), features, labels) for e in (0.0, 0.2, 0.5)]
    assert losses[0] > losses[1] > losses[2]


def test_without_positives_the_loss_is_zero_and_its_gradient_finite():
    module = IntraClassLoss(DIM, IntraConfig(bank=8))
    features = torch.randn(4, DIM, requires_grad=True)
    loss = module(features, torch.arange(4))
    (gradient,) = torch.autograd.grad(loss, features)
    assert loss == 0
    assert torch.equal(gradient, torch.zeros(4, DIM))


def test_nothing_but_the_batch_gets_a_gradient_and_evaluation_remembers_nothing():
    module = IntraClassLoss(DIM, IntraConfig(bank=16))
    (first, first_labels), (second, second_labels) = batches(2, 8)
    feed(module, first, first_labels)
    assert not module.bank_features.requires_grad
    before = module.bank_features.clone()
    feed(module.eval(), second, second_labels)
    assert torch.equal(module.bank_features, before)


def test_all_state_is_in_the_state_dict():
    module = IntraClassLoss(DIM, IntraConfig(bank=16))
    assert set(module.state_dict()) == {"bank_features", "bank_labels", "bank_pointer", "epoch"}
