import signal

import pytest

from gallery.interrupt import held_back


def work(done: list[str], *, checks: bool) -> None:
    with held_back() as interrupt:
        for step in ("first", "second"):
            if checks:
                interrupt.check()
            signal.raise_signal(signal.SIGINT)
            done.append(step)


def test_ctrl_c_waits_for_a_place_where_nothing_is_half_done() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        work(done, checks=True)
    assert done == ["first"]


def test_a_second_ctrl_c_takes_effect_at_once() -> None:
    done: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        work(done, checks=False)
    assert done == ["first"]


def test_afterwards_ctrl_c_means_what_it_meant() -> None:
    before = signal.getsignal(signal.SIGINT)
    with held_back() as interrupt:
        interrupt.check()
    assert signal.getsignal(signal.SIGINT) is before
