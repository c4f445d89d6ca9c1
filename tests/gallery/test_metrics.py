from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gallery import metrics

SCORES = st.floats(-1, 1, width=32)


def test_a_perfect_encoder_scores_exactly_one() -> None:
    people = [f"s{i}" for i in range(30)]
    scores = np.eye(30)
    found = metrics.ranks(scores, people, people)
    assert metrics.rank1(found) == 1.0
    assert metrics.fnir_at_fpir(scores.max(1), [True] * 30, np.zeros(30), 0.01) == 0.0


def test_an_encoder_that_gives_everybody_the_same_embedding_recognises_nobody() -> None:
    people = ["ann", "bob", "eve"]
    assert metrics.rank1(metrics.ranks(np.ones((3, 3)), people, people)) == 0.0


def test_a_random_encoder_is_right_about_once_in_n() -> None:
    people = [f"s{i}" for i in range(50)]
    rng = np.random.default_rng(0)
    found = metrics.ranks(rng.random((5000, 50)), rng.choice(people, 5000), people)
    assert metrics.rank1(found) == pytest.approx(1 / 50, abs=0.01)


def test_probes_without_a_mate_count_neither_for_nor_against() -> None:
    found = metrics.ranks([[0.9, 0.1], [0.9, 0.1]], ["ann", "stranger"], ["ann", "bob"])
    assert metrics.rank1(found) == 1.0
    assert np.isnan(metrics.rank1([0, 0]))


@given(arrays(np.float64, st.integers(1, 60), elements=SCORES), st.sampled_from([0.0, 0.01, 0.1, 0.25, 0.5, 1.0]))
def test_no_more_strangers_than_asked_for_reach_the_threshold_and_a_lower_one_lets_more_in(
    nonmated: np.ndarray, rate: float
) -> None:
    threshold = metrics.threshold_at_fpir(nonmated, rate)
    assert metrics.fpir(nonmated, threshold) <= rate
    if rate < 1:
        assert metrics.fpir(nonmated, np.nextafter(threshold, -np.inf)) > rate


@given(
    arrays(np.float64, st.integers(1, 30), elements=SCORES),
    arrays(np.float64, st.integers(1, 30), elements=SCORES),
    st.integers(0, 2**30 - 1),
)
def test_every_point_of_the_det_curve_is_what_its_threshold_gives(
    mated: np.ndarray, nonmated: np.ndarray, bits: int
) -> None:
    first = np.array([bool(bits >> i & 1) for i in range(len(mated))])
    for threshold, false_positive, false_negative in zip(*metrics.det(mated, first, nonmated), strict=True):
        assert false_positive == pytest.approx(metrics.fpir(nonmated, threshold), abs=1e-12)
        assert false_negative == pytest.approx(metrics.fnir(mated, first, threshold), abs=1e-12)


def test_the_mean_of_the_best_scores_of_a_subject_with_fewer_templates_is_the_mean_of_all() -> None:
    scores, names = metrics.by_subject([[0.2, 0.9, 0.4]], ["ann", "bob", "ann"], best=3)
    assert names.tolist() == ["ann", "bob"]
    assert scores[0] == pytest.approx([0.3, 0.9])


def test_the_bootstrap_draws_subjects_so_one_subject_alone_gives_no_interval() -> None:
    right = np.array([1.0, 0.0, 1.0, 1.0])
    interval = metrics.bootstrap(lambda drawn: float(right[drawn].mean()), ["ann"] * 4, draws=50)
    assert (interval.low, interval.value, interval.high) == (0.75, 0.75, 0.75)


def test_the_interval_covers_the_truth_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    covered = 0

    def figure(right: np.ndarray) -> Callable[[np.ndarray], float]:
        return lambda drawn: float(right[drawn].mean())

    for seed in range(100):
        skill = rng.random(40)
        subjects = np.repeat(np.arange(40), 5)
        right = (rng.random(200) < np.repeat(skill, 5)).astype(float)
        found = metrics.bootstrap(figure(right), subjects.astype(str), draws=200, seed=seed)
        covered += found.low <= 0.5 <= found.high
    assert 86 <= covered <= 100
