import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.intervals import (
    drawn_again,
    few_errors,
    group_shares,
    people_needed,
    per_subject,
    share_interval,
    wilson,
    worth,
)
from gallery.metrics import decibels, miss_rate, rate_of_decibels, smallest_rate


@given(st.integers(0, 500), st.integers(1, 500))
def test_wilson_holds_the_share_and_stays_a_share(errors: int, more: int) -> None:
    found = wilson(errors, errors + more)
    assert 0 <= found.low <= found.value <= found.high <= 1


def test_wilson_of_nothing_says_nothing() -> None:
    found = wilson(0, 0)
    assert math.isnan(found.value)
    assert (found.low, found.high) == (0.0, 1.0)


@given(st.floats(1e-4, 0.5), st.integers(3, 5000), st.floats(1, 50_000))
def test_with_as_many_further_people_as_are_said_to_be_needed_the_rule_of_3_is_met(
    rate: float, people: int, searches: float
) -> None:
    more = people_needed(rate, people, searches)
    enough = searches / people * (people + more)
    assert smallest_rate(enough) <= rate * (1 + 1e-6)
    if more:
        assert smallest_rate(searches / people * (people + more - 1)) > rate * (1 - 1e-6)


@given(st.floats(0.0001, 0.99))
def test_a_rate_survives_its_decibels(rate: float) -> None:
    assert rate_of_decibels(decibels(rate)) == pytest.approx(rate)


def test_thirty_errors_are_enough() -> None:
    assert few_errors(0.05, 599)
    assert not few_errors(0.05, 600)


def test_an_interval_over_subjects_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    covered = 0
    for seed in range(200):
        skill = rng.random(40)
        wrong = rng.random(400) < np.repeat(skill, 10)
        owner = np.repeat(np.arange(40), 10)
        events = per_subject(wrong, owner, 40)
        found = share_interval(events, np.full(40, 10.0), drawn_again(40, 300, seed))
        covered += found.low <= 0.5 <= found.high
    assert 178 <= covered <= 199


def test_subjects_that_are_always_alike_count_once() -> None:
    alike = worth(np.array([0.0, 10.0] * 50), np.full(100, 10.0), drawn_again(100))
    mixed = np.random.default_rng(0).binomial(10, 0.5, 100).astype(float)
    assert alike == pytest.approx(100, rel=0.2)
    assert worth(mixed, np.full(100, 10.0), drawn_again(100)) > 600


def test_a_value_with_one_subject_has_no_interval_and_others_have() -> None:
    errors = np.array([1.0, 0.0, 1.0, 0.0])
    found = group_shares(errors, np.array(["a", "a", "b", "c"]), np.array(["x", "x", "y", "y"]))
    assert (found["x"].low, found["x"].high) == (0.5, 0.5)
    assert found["y"].low < 0.5 < found["y"].high


def test_whoever_is_not_among_the_first_fifty_is_missed() -> None:
    assert miss_rate([1, 50, 51, 0]) == pytest.approx(1 / 3)
    assert miss_rate([1, 50, 51, 0], 1) == pytest.approx(2 / 3)
