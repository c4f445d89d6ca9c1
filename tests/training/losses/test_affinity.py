import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tests.training.losses import formulas
from training.losses import affinity

CONFUSIONS = hnp.arrays(np.int64, st.integers(2, 14).map(lambda n: (n, n)), elements=st.integers(0, 6))


def distinct(confusion):
    """The same without ties, which `topk` and a stable sort may break differently."""
    rng = np.random.default_rng(0)
    noise = rng.permuted(np.tile(np.arange(confusion.shape[1]), (len(confusion), 1)), axis=1) / 100
    return np.where(confusion > 0, confusion + noise, 0).astype(np.float32)


@settings(max_examples=60, deadline=None)
@given(CONFUSIONS, st.integers(1, 12))
def test_neighbours_are_the_k_most_confused_never_oneself_and_never_without_a_count(confusion, k):
    confusion = distinct(confusion)
    near = affinity.neighbours(torch.from_numpy(confusion), k).numpy()
    assert [set(np.flatnonzero(row)) for row in near] == formulas.neighbours(confusion, k)
    assert not near.diagonal().any()
    assert not near[confusion == 0].any()


@settings(max_examples=60, deadline=None)
@given(CONFUSIONS, st.integers(1, 12), st.integers(0, 6), st.sampled_from(["pairwise", "contextual", "both"]))
def test_affinity_and_families_equal_the_formulas(confusion, k, overlap, parts):
    confusion = distinct(confusion)
    near = affinity.neighbours(torch.from_numpy(confusion), k)
    w = affinity.affinity(near, parts)
    assert np.abs(w.numpy() - formulas.similarity(confusion, k, parts)).max() < 1e-6
    ours = affinity.families(w, k, overlap).numpy()
    assert (ours == formulas.family(confusion, k, overlap, parts)).all()


@settings(max_examples=40, deadline=None)
@given(CONFUSIONS, st.integers(1, 12), st.integers(0, 6))
def test_the_published_affinity_equals_its_loops_ties_zeros_and_oneself_included(confusion, k, overlap):
    near = [set(np.argsort(-row, kind="stable")[:k].tolist()) for row in confusion]
    indicator = affinity.official_neighbours(torch.from_numpy(confusion.astype(np.float32)), k)
    assert [set(np.flatnonzero(row)) for row in indicator.numpy()] == near
    expected = formulas.official_weights(near, k, overlap)
    weights = affinity.official_affinity(indicator, k, overlap).numpy()
    assert np.abs(weights - expected).max() < 1e-6
    assert (affinity.official_families(torch.from_numpy(weights)).numpy() == (expected > 0)).all()


def test_with_full_rows_the_formula_and_the_published_code_give_one_family():
    rng = np.random.default_rng(1)
    confusion = torch.from_numpy(rng.permuted(np.tile(np.arange(1, 41.0), (40, 1)), axis=1).astype(np.float32))
    confusion.fill_diagonal_(0)
    w = affinity.affinity(affinity.neighbours(confusion, 10))
    official = affinity.official_affinity(affinity.official_neighbours(confusion, 10), 10, 4)
    assert torch.equal(affinity.families(w, 10, 4), affinity.official_families(official))


def test_the_published_code_fills_an_empty_row_with_the_first_classes_and_so_with_the_class_itself():
    near = affinity.official_neighbours(torch.zeros(12, 12), 10)
    assert near[3].nonzero().flatten().tolist() == list(range(10))


def test_nearest_prototypes_are_among_those_seen_and_not_oneself():
    prototypes = torch.tensor([[1.0, 0.0], [0.9, 0.1], [0.0, 1.0], [0.0, 0.0]])
    near = affinity.nearest_prototypes(prototypes, torch.tensor([True, True, True, False]), 1)
    assert near.int().tolist() == [[0, 1, 0, 0], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 0]]


@pytest.mark.parametrize(("size", "tau"), [(0, 0.1), (10, 0.1), (11, 0.5), (20, 0.5), (21, 1.0), (39, 1.0)])
def test_larger_families_are_warmer(size, tau):
    member = torch.zeros(40, 40, dtype=torch.bool)
    member[:, :size] = True
    assert affinity.family_temperatures(member, 10).tolist() == pytest.approx([tau] * 40)
