import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery import metrics
from gallery.open_set_metrics import (
    between_two,
    columns_at,
    draws_of,
    grid_of,
    interval_of,
    ratio_of,
    reaching,
    shares,
    worth_of,
)

SCORES = st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=40)
RATES = (0.01, 0.1, 0.5)


@given(SCORES, SCORES, st.integers(0, 2**32 - 1))
def test_the_row_of_the_data_says_exactly_what_the_plain_metrics_say(
    nonmated: list[float], mated: list[float], seed: int
) -> None:
    rng = np.random.default_rng(seed)
    first = rng.random(len(mated)) < 0.7
    grid = grid_of(nonmated, mated, RATES)
    strangers, mates = rng.integers(0, 5, len(nonmated)), rng.integers(0, 5, len(mated))
    everybody = draws_of(5, 1)[:1]
    false_positive = shares(everybody, reaching(nonmated, strangers, 5, grid), np.bincount(strangers, minlength=5))
    hits = reaching(np.array(mated)[first], mates[first], 5, grid)
    missed = 1 - shares(everybody, hits, np.bincount(mates, minlength=5))
    for rate in RATES:
        column = columns_at(false_positive, rate)[0]
        assert false_positive[0, column] <= rate + 1e-9
        assert missed[0, column] == pytest.approx(metrics.fnir_at_fpir(mated, first, nonmated, rate))


def test_a_thinned_grid_gives_nearly_the_same_rates() -> None:
    rng = np.random.default_rng(1)
    nonmated, mated = rng.normal(0, 1, 50_000), rng.normal(2, 1, 50_000)
    grid = grid_of(nonmated, mated, points=500)
    assert len(grid) < 1000
    column = np.searchsorted(grid, metrics.threshold_at_fpir(nonmated, 0.003))
    assert metrics.fpir(nonmated, grid[column]) == pytest.approx(0.003, rel=0.1)


def test_intervals_over_people_are_those_of_the_plain_bootstrap() -> None:
    rng = np.random.default_rng(2)
    owner = np.repeat(np.arange(40), 5)
    right = rng.random(200) < np.repeat(rng.random(40), 5)
    plain = metrics.bootstrap(lambda drawn: float(right[drawn].mean()), owner, draws=2000)
    counts = np.bincount(owner[right], minlength=40).astype(float)
    ours = interval_of(shares(draws_of(40, 2000), counts[:, None], np.full(40, 5.0))[:, 0], 40)
    assert (ours.value, ours.low, ours.high) == pytest.approx((plain.value, plain.low, plain.high), abs=0.02)


def test_nobody_erring_is_no_proof_that_nobody_will() -> None:
    clean = interval_of(np.zeros(101), 10)
    assert (clean.low, clean.value) == (0, 0)
    assert clean.high == pytest.approx(0.259, abs=0.001)
    assert interval_of(np.ones(101), 10).low == pytest.approx(1 - clean.high)


def test_what_there_is_not_is_not_a_number_but_no_error() -> None:
    assert np.isnan(interval_of(np.full(11, np.nan), 3).value)
    assert np.isnan(shares(draws_of(2, 1), np.zeros((2, 1)), np.zeros(2))).all()
    assert np.isinf(ratio_of(np.array([0.5, 0.5]), np.array([0.0, 0.0])).value)


def test_errors_that_fall_on_one_person_are_worth_less_than_those_that_fall_on_many() -> None:
    people, grid = 60, np.array([0.5])
    strangers = np.repeat(np.arange(people), 10)
    wrong = np.tile(np.arange(10) < 2, people)  # two of everybody's ten searches
    scores, searches, draws = np.ones(wrong.sum()), np.full(people, 10.0), draws_of(people, 1000)
    by_searcher = reaching(scores, strangers[wrong], people, grid)
    one = reaching(scores, np.zeros(wrong.sum(), int), people, grid)
    many = reaching(scores, np.arange(wrong.sum()) % people, people, grid)
    lamb, even = (between_two(draws, by_searcher, taken, searches)[:, 0] for taken in (one, many))
    assert lamb[0] == even[0] == pytest.approx(0.2)
    assert worth_of(lamb, 600) < 10
    assert worth_of(even, 600) == 600
