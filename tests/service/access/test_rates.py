"""How often a key may ask."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import RateExceeded
from service.access.rates import Rates


class Clock:
    """Goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@given(st.integers(1, 1000), st.lists(st.floats(0, 30), min_size=1, max_size=300))
def test_no_minute_has_more_than_a_full_bucket_and_what_flowed_in(rate: int, pauses: list[float]) -> None:
    clock = Clock()
    rates = Rates(clock)
    taken: list[float] = []
    for pause in pauses:
        clock.now += pause
        for _ in range(5):
            with contextlib.suppress(RateExceeded):
                rates.take("k", rate)
                taken.append(clock.now)
    for start in taken:
        within = sum(start <= each <= start + 60 for each in taken)
        assert within <= 2 * rate + 1


@given(st.integers(1, 2000), st.floats(0, 100))
def test_who_waits_as_long_as_told_may_ask(rate: int, start: float) -> None:
    clock = Clock()
    clock.now = start
    rates = Rates(clock)
    for _ in range(rate):
        rates.take("k", rate)
    with pytest.raises(RateExceeded) as refused:
        rates.take("k", rate)
    clock.now += refused.value.retry_after_s
    rates.take("k", rate)


def test_who_asks_all_the_time_is_served_at_the_rate() -> None:
    clock = Clock()
    rates, served = Rates(clock), 0
    for _ in range(60 * 100):  # ten a second for ten minutes, of sixty a minute
        clock.now += 0.1
        try:
            rates.take("k", 60)
        except RateExceeded:
            continue
        served += 1
    assert served == pytest.approx(60 + 600, abs=1)


def test_keys_have_buckets_of_their_own_and_those_that_are_gone_have_none() -> None:
    rates = Rates(Clock())
    for key in ("a", "b"):
        rates.take(key, 1)
    rates.forget_others({"b"})
    rates.take("a", 1)
    with pytest.raises(RateExceeded):
        rates.take("b", 1)
