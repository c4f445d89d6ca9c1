import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gallery.likelihood import cost, evidence_of, likelihood


def scores(people: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Of mates and strangers; both normal, so that log10 of the ratio is 4 (2 s - 1) / (2 * 0.2 ** 2 * ln 10)."""
    rng = np.random.default_rng(seed)
    return rng.normal(0.6, 0.2, people), rng.normal(0.4, 0.2, people * (people - 1) // 2)


def test_the_ratio_is_that_of_the_densities() -> None:
    mated, nonmated = scores(2000, seed=0)
    evidence = evidence_of(mated, nonmated, 2000)
    for score in (0.3, 0.5, 0.7):
        expected = (score - 0.5) * 0.2 / 0.2**2 / np.log(10)
        assert likelihood(evidence, score) == pytest.approx(expected, abs=0.12)


@settings(max_examples=40, deadline=None)
@given(st.integers(3, 60), st.integers(0, 1000), st.floats(-1, 1), st.floats(-1, 1))
def test_a_higher_score_is_never_less_evidence(people: int, seed: int, one: float, other: float) -> None:
    evidence = evidence_of(*scores(people, seed), people)
    low, high = (likelihood(evidence, score) for score in sorted((one, other)))
    assert low is not None
    assert high is not None
    assert low <= high


def test_few_people_show_no_overwhelming_evidence() -> None:
    ranges = []
    for people in (10, 100, 1000):
        mated, nonmated = np.full(people, 0.9), np.linspace(-0.5, 0.5, people * 5)
        evidence = evidence_of(mated, nonmated, people)
        ranges.append((likelihood(evidence, -1.0), likelihood(evidence, 1.0)))
    assert -1.2 < ranges[0][0] < ranges[0][1] < 2.0
    assert ranges[2][0] < ranges[1][0] < ranges[0][0]
    assert ranges[2][1] > ranges[1][1] > ranges[0][1]


def test_scores_that_say_nothing_are_no_evidence() -> None:
    rng = np.random.default_rng(0)
    evidence = evidence_of(rng.random(500), rng.random(5000), 500)
    assert cost(evidence, rng.random(500), rng.random(5000)) == pytest.approx(1.0, abs=0.02)
    assert evidence_of([0.5], [0.1, 0.2], 3) == ()


def test_strangers_who_count_more_weigh_more() -> None:
    mated, nonmated = scores(200, seed=1)
    heavy = np.where(nonmated > 0.6, 5.0, 1.0)
    plain, weighted = evidence_of(mated, nonmated, 200), evidence_of(mated, nonmated, 200, mass=heavy)
    assert (likelihood(weighted, 0.7) or 0) < (likelihood(plain, 0.7) or 0)
