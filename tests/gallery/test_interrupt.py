import signal

import pytest

from gallery.interrupt import held_back


def test_ctrl_c_waits_for_a_place_where_nothing_is_half_done() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), held_back() as interrupt:
        for step in range(3):
            interrupt.check()
            signal.raise_signal(signal.SIGINT)
            done.append(step)
    assert done == [0]


def test_a_second_ctrl_c_takes_effect_at_once() -> None:
    with pytest.raises(KeyboardInterrupt), held_back():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        pytest.fail("the second one was held back too")


def test_afterwards_ctrl_c_means_what_it_meant() -> None:
    before = signal.getsignal(signal.SIGINT)
    with held_back() as interrupt:
        interrupt.check()
    assert signal.getsignal(signal.SIGINT) is before
