import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from gallery.metrics import cmc
from training.evaluate.reid_metrics import (
    average_precision,
    average_precision_with_itself,
    best_first,
    first_rank,
    found_in,
    inverse_negative_penalty,
    mean_of,
)


def found(scores, mates, allowed=None):
    mates = np.asarray(mates, dtype=bool)
    return found_in(best_first(scores, mates), mates, np.ones_like(mates) if allowed is None else allowed)


MATES = arrays(bool, array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=12))


@given(MATES)
def test_a_perfect_encoder_scores_exactly_1(mates):
    hits = found(mates.astype(np.float32), mates)
    has_mate = mates.any(axis=1)
    for figure in (average_precision(hits), inverse_negative_penalty(hits)):
        assert (figure[has_mate] == 1.0).all()
        assert np.isnan(figure[~has_mate]).all()
    if has_mate.any():
        assert mean_of(average_precision(hits)) == 1.0
        assert cmc(first_rank(hits), 1)[0] == 1.0


@given(MATES)
def test_an_encoder_that_gives_everybody_the_same_finds_mates_last(mates):
    hits = found(np.zeros(mates.shape, np.float32), mates)
    others = (~mates).sum(axis=1)
    assert np.array_equal(first_rank(hits), np.where(mates.any(axis=1), others + 1, 0))


@given(MATES, st.randoms(use_true_random=False))
def test_figures_are_those_of_the_definition(mates, random):
    scores = np.array([[random.choice([0.0, 0.25, 0.5, 0.75]) for _ in row] for row in mates])
    hits = found(scores, mates)
    for i, row in enumerate(mates):
        # By hand: a mate's rank counts everybody not worse, and of equal mates one after another.
        ranked = sorted(range(len(row)), key=lambda k: (-scores[i, k], row[k]))
        ranks = [place + 1 for place, k in enumerate(ranked) if row[k]]
        if not ranks:
            assert np.isnan(average_precision(hits)[i])
            continue
        precision = [(n + 1) / rank for n, rank in enumerate(ranks)]
        assert first_rank(hits)[i] == ranks[0]
        assert average_precision(hits)[i] == pytest.approx(np.mean(precision))
        assert inverse_negative_penalty(hits)[i] == pytest.approx(len(ranks) / ranks[-1])


@given(MATES)
def test_a_probe_in_its_own_gallery_scores_no_worse(mates):
    hits = found(np.zeros(mates.shape), mates)
    true, flattered = average_precision(hits), average_precision_with_itself(hits)
    assert (flattered[mates.any(axis=1)] >= true[mates.any(axis=1)]).all()


def test_what_may_not_be_found_is_as_if_it_were_not_there():
    scores = np.array([[0.9, 0.8, 0.7, 0.6]])
    mates = np.array([[True, False, False, True]])
    allowed = np.array([[False, True, True, True]])
    assert found(scores, mates, allowed).tolist() == [[False, False, True, False]]
    fewer = found(scores[:, 1:], mates[:, 1:])
    assert average_precision(found(scores, mates, allowed)) == average_precision(fewer)
    assert inverse_negative_penalty(found(scores, mates, allowed)) == inverse_negative_penalty(fewer)


def test_nothing_to_find_is_no_figure():
    nothing = np.zeros((2, 0), bool)
    assert first_rank(nothing).tolist() == [0, 0]
    assert np.isnan(average_precision(nothing)).all()
    assert np.isnan(inverse_negative_penalty(nothing)).all()
    assert np.isnan(mean_of(average_precision(nothing)))
