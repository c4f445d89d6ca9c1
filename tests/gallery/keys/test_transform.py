import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.keys.transform import apply, from_bytes, new_transform, to_bytes, undo
from model.errors import InvalidArchive


def embeddings(n, dim, seed=0):
    found = np.random.default_rng(seed).normal(size=(n, dim))
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


@given(st.integers(1, 48), st.integers(1, 9))
def test_scores_are_unchanged(dim, n):
    plain = embeddings(n, dim)
    turned = apply(new_transform(dim), plain)
    assert turned.dtype == np.float32
    # float32 of the transform and of the result
    np.testing.assert_allclose(turned.astype(float) @ turned.T, plain.astype(float) @ plain.T, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(turned, axis=1), 1, atol=1e-6)


@given(st.integers(1, 48))
def test_whoever_has_the_transform_can_undo_it(dim):
    plain, transform = embeddings(5, dim), new_transform(dim)
    np.testing.assert_allclose(undo(transform, apply(transform, plain)), plain, atol=1e-6)


@given(st.integers(1, 24))
def test_a_transform_is_kept_as_bytes(dim):
    transform = new_transform(dim)
    np.testing.assert_array_equal(from_bytes(to_bytes(transform), dim), transform)


def test_embeddings_under_two_transforms_are_not_alike():
    plain = embeddings(200, 64)
    alike = np.sum(apply(new_transform(64), plain) * apply(new_transform(64), plain), axis=1)
    # A cosine of independent directions has a standard deviation of 1/sqrt(64).
    assert np.abs(alike).mean() < 0.2


def test_transforms_are_spread_evenly():
    # Of Haar-distributed matrices (dim 3) the entries have mean 0 and variance 1/3, and half are reflections.
    drawn = np.stack([new_transform(3) for _ in range(600)])
    assert np.abs(drawn.mean(axis=0)).max() < 0.15
    assert np.abs((drawn**2).mean(axis=0) - 1 / 3).max() < 0.08
    assert 0.35 < (np.linalg.det(drawn) > 0).mean() < 0.65


@pytest.mark.parametrize(
    "content",
    [
        b"",
        np.eye(4, dtype="<f4").tobytes()[:-4],
        np.ones((4, 4), "<f4").tobytes(),
        np.full((4, 4), np.nan, "<f4").tobytes(),
    ],
)
def test_what_is_no_orthogonal_matrix_is_refused(content):
    with pytest.raises(InvalidArchive):
        from_bytes(content, 4)
