import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.metrics import Reals
from gallery.tail import Tail


def pareto(count: int, shape: float, seed: int) -> Reals:
    """Scores whose tail is a generalised Pareto distribution of scale 0.05, highest first."""
    uniform = np.random.default_rng(seed).random(count)
    drawn = -np.log(uniform) if shape == 0 else (uniform**-shape - 1) / shape
    return np.asarray(-np.sort(-0.05 * drawn))


def fitted(scores: Reals, independent: float | None = None) -> Tail:
    found = Tail.of(scores, np.ones(len(scores)), len(scores), independent or len(scores))
    assert found is not None
    return found


@pytest.mark.parametrize("shape", [-0.3, 0.0, 0.2])
def test_the_shape_is_found_and_the_fit_accepted(shape: float) -> None:
    tails = [fitted(pareto(20_000, shape, seed)) for seed in range(20)]
    assert np.mean([tail.shape for tail in tails]) == pytest.approx(shape, abs=0.03)
    assert sum(tail.fits for tail in tails) >= 17


def test_a_rate_too_small_to_be_counted_is_met_by_the_fit() -> None:
    thresholds = [fitted(pareto(2000, -0.2, seed)).threshold(0.0005) for seed in range(30)]
    true = 0.05 * (0.0005**0.2 - 1) / -0.2
    assert np.mean(thresholds) == pytest.approx(true, rel=0.03)


def test_scores_of_two_kinds_are_not_taken_for_one_tail() -> None:
    lump = np.concatenate([pareto(3000, -0.2, 0), np.full(60, 0.9)])
    assert not fitted(-np.sort(-lump)).fits


def test_few_independent_searches_have_no_tail() -> None:
    scores = pareto(20_000, -0.2, 0)
    assert Tail.of(scores, np.ones(len(scores)), len(scores), 40) is None
    few = fitted(scores, 70)
    assert few.beyond < 30
    assert not few.carries_on


@given(st.floats(-0.5, 0.3), st.floats(0.0, 0.4), st.floats(1e-6, 0.02), st.floats(1e-6, 0.02))
def test_a_smaller_rate_never_has_a_lower_threshold(shape: float, value: float, one: float, other: float) -> None:
    tail = Tail(start=0.3, share=0.1, shape=shape, scale=0.05, beyond=100, fit=1.0)
    strict, loose = sorted((one, other))
    assert tail.threshold(strict) >= tail.threshold(loose) - 1e-12
    at = tail.threshold(0.02)
    assert tail.carried_on(at, 0.02, strict) >= tail.carried_on(at, 0.02, loose) >= at - 1e-12
    # Further out it takes less of a shape on trust than the fit itself does.
    assert tail.carried_on(at, 0.02, strict) >= tail.threshold(strict) - 1e-9
