import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.reproduce import gain as module
from training.reproduce.gain import Gain, sentence, verdict


def gain(ours, baseline) -> Gain:
    found = module.gain(ours, baseline)
    assert found is not None
    return found


seeds = st.dictionaries(st.integers(1, 9), st.floats(0, 100), min_size=2, max_size=6)


def test_the_interval_is_students_over_the_seeds():
    # Differences 1, 2, 3: mean 2, standard deviation 1, t(0.975, 2) = 4.3027; half width 4.3027 / sqrt(3).
    found = gain({1: 11.0, 2: 22.0, 3: 33.0}, {1: 10.0, 2: 20.0, 3: 30.0})
    assert found.mean == 2
    assert (found.low, found.high) == pytest.approx((2 - 2.48414, 2 + 2.48414), abs=1e-4)
    assert verdict(found) == "no difference is shown"


def test_only_seeds_that_both_have_are_compared():
    found = gain({1: 50.0, 2: 60.0, 4: 90.0}, {1: 40.0, 2: 50.0, 3: 0.0})
    assert dict(found.differences) == {1: 10.0, 2: 10.0}
    assert module.gain({1: 50.0}, {2: 40.0}) is None


@given(seeds, st.floats(0.01, 20))
def test_the_same_gain_with_every_seed_is_better_or_worse_for_certain(values, step):
    up = gain({seed: value + step for seed, value in values.items()}, values)
    down = gain(values, {seed: value + step for seed, value in values.items()})
    assert (verdict(up), verdict(down)) == ("better", "worse")


@given(seeds)
def test_swapping_the_two_turns_the_sign_and_the_interval(values):
    other = {seed: value / 2 for seed, value in values.items()}
    one, two = gain(values, other), gain(other, values)
    assert (two.low, two.high) != (None, None)
    assert [one.mean, one.low, one.high] == pytest.approx([-each for each in (two.mean, two.high or 0, two.low or 0)])


def test_one_seed_is_no_result():
    found = gain({1: 91.0}, {1: 90.0})
    assert (found.low, verdict(found)) == (None, "one seed tells nothing")
    assert sentence("full", found).endswith("1 seed (seed by seed +1.0): one seed tells nothing")


def test_no_gain_at_all_is_not_called_a_difference():
    assert verdict(Gain({1: 0.0, 2: 0.0}, 0.0, 0.0)) == "no difference is shown"
