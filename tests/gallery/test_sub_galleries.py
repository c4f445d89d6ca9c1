import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gallery.intervals import drawn_again
from gallery.sub_galleries import Searches, chance_of_none
from gallery.trials import NEVER, Labelled, Trials
from model.clips import unit_length


def people(subjects: int, each: int, seed: int, dim: int = 24) -> Labelled:
    rng = np.random.default_rng(seed)
    centres = np.repeat(rng.standard_normal((subjects, dim)), each, axis=0)
    rows = unit_length((centres + 0.5 * rng.standard_normal(centres.shape)).astype(np.float32))
    return Labelled.of(rows, np.repeat([f"s{i:03d}" for i in range(subjects)], each))


def everybody(data: Labelled, best: int = 1) -> Trials:
    rows = np.arange(len(data.subject))
    return Trials.of(data, rows, rows, best)


def independent(probes: int, others: int, seed: int) -> Trials:
    """Trials whose scores have nothing to do with each other: each another person, evenly between 0 and 1."""
    rng = np.random.default_rng(seed)
    table = rng.random((probes, others + 1)).astype(np.float32)
    subject = np.arange(probes) % (others + 1)
    table[np.arange(probes), subject] = NEVER
    return Trials(table, np.full(probes, np.nan), np.zeros(probes, np.int64), np.arange(probes), subject)


@given(st.integers(1, 60), st.integers(0, 60), st.integers(0, 60))
def test_the_chance_that_none_is_drawn_is_what_counting_gives(people: int, size: int, ahead: int) -> None:
    size, ahead = min(size, people), min(ahead, people)
    expected = np.prod([(people - ahead - i) / (people - i) for i in range(size)]).clip(0)
    assert chance_of_none(people, size, np.array([ahead]))[0] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("size", [1, 3, 8, 19])
def test_what_is_expected_over_all_galleries_is_what_drawn_galleries_give(size: int) -> None:
    data = people(20, 5, seed=1)
    trials = everybody(data)
    measured = Searches.of(trials, size, np.random.default_rng(0))
    threshold = measured.threshold(0.1)
    rng = np.random.default_rng(2)
    through, found = [], []
    for _ in range(400):
        enrolled = rng.choice(20, size, replace=False)
        strangers = ~np.isin(trials.subject, enrolled)
        if size < 20:
            through.append((trials.others[strangers][:, enrolled].max(axis=1) >= threshold).mean())
        best = np.where(trials.others[~strangers][:, enrolled] == NEVER, -2, trials.others[~strangers][:, enrolled])
        own = trials.own[~strangers]
        found.append(((own >= threshold) & (own > best.max(axis=1))).mean())
    weights = drawn_again(20)
    assert measured.fpir(threshold, weights).value == pytest.approx(np.mean(through), abs=0.02)
    missed = measured.fnir(threshold, weights)
    assert missed is not None
    assert 1 - missed.value == pytest.approx(np.mean(found), abs=0.03)


@pytest.mark.parametrize("size", [1, 5, 20, 60])
def test_independent_scores_let_strangers_through_as_independent_chances_do(size: int) -> None:
    measured = Searches.of(independent(4000, 200, seed=3), size, np.random.default_rng(0))
    for match_rate in (0.001, 0.01):
        found = measured.fpir(1 - match_rate, drawn_again(201))
        assert found.low <= 1 - (1 - match_rate) ** size <= found.high


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000), st.floats(0.01, 0.9))
def test_the_threshold_is_the_lowest_that_holds_the_rate(seed: int, rate: float) -> None:
    measured = Searches.of(everybody(people(12, 3, seed)), 5, np.random.default_rng(0))
    weights = drawn_again(12, draws=10)
    threshold = measured.threshold(rate)
    assert measured.fpir(threshold, weights).value <= rate + 1e-9
    lower = np.nextafter(np.float32(threshold), np.float32(-2))
    assert measured.fpir(float(lower), weights).value > rate - 1e-9


def test_searches_that_hang_together_are_worth_fewer_independent_ones() -> None:
    rng = np.random.default_rng(0)
    one_walk_each = unit_length(rng.standard_normal((60, 16)).astype(np.float32))
    often = np.repeat(one_walk_each, 10, axis=0)
    data = Labelled.of(often, np.repeat([f"s{i}" for i in range(60)], 10))
    worth = Searches.of(everybody(data), 59, np.random.default_rng(0)).worth(drawn_again(60), 600)
    assert worth < 100


def test_interval_of_a_threshold_covers_what_it_lets_through_of_others() -> None:
    crowd = everybody(people(400, 2, seed=9))
    truth = Searches.of(crowd, 29, np.random.default_rng(0))
    covered = 0
    for seed in range(40):
        measured = Searches.of(everybody(people(30, 4, seed=100 + seed)), 29, np.random.default_rng(0))
        weights = drawn_again(30, draws=300, seed=seed)
        threshold = measured.threshold(0.2)
        found = measured.fpir(threshold, weights)
        covered += found.low <= truth.fpir(threshold, weights=drawn_again(400, draws=5)).value <= found.high
    assert covered >= 34


def test_only_some_probes_are_searched_in_the_same_galleries() -> None:
    data = people(20, 4, seed=5)
    trials = everybody(data)
    measured = Searches.of(trials, 19, np.random.default_rng(0))
    first = np.tile([True, True, False, False], 20)
    parts = [measured.only(chosen, trials) for chosen in (first, ~first)]
    weights = drawn_again(20, draws=10)
    shares = [part.fpir(0.5, weights).value for part in parts]
    assert np.mean(shares) == pytest.approx(measured.fpir(0.5, weights).value)
    assert sum(part.strangers for part in parts) == measured.strangers
