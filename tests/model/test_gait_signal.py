import numpy as np
import pytest

from model.gait_signal import stride_of


def legs(frames=100, fps=25.0, stride_hz=0.9, noise=0.0):
    """Separation of ankles and knees of somebody who walks in profile, (frames, 2, 2)."""
    phase = 2 * np.pi * stride_hz * np.arange(frames) / fps
    apart = np.zeros((frames, 2, 2))
    apart[:, 0, 0], apart[:, 1, 0] = 0.2 * np.sin(phase), 0.1 * np.sin(phase + 0.4)
    return apart + np.random.default_rng(0).normal(0, noise, apart.shape)


@pytest.mark.parametrize("stride_hz", [0.6, 0.9, 1.3])
@pytest.mark.parametrize("fps", [12.5, 25.0, 120.0])
def test_the_stride_of_a_walk_is_found_at_any_frame_rate(stride_hz, fps):
    stride = stride_of(legs(int(4 * fps), fps, stride_hz), np.ones(int(4 * fps), bool), fps)
    assert stride is not None
    assert stride.step_frequency == pytest.approx(2 * stride_hz, rel=0.06)
    assert stride.regularity > 0.9
    assert stride.alternation > 0.8


def test_the_swing_is_the_root_mean_square_of_the_separation():
    apart = legs(200, stride_hz=1.0)
    stride = stride_of(apart, np.ones(200, bool), 25.0)
    assert stride is not None
    assert stride.swing == pytest.approx(np.sqrt((0.2**2 + 0.1**2) / 2 / 2), rel=0.02)


def test_frames_that_are_not_known_are_bridged():
    seen = np.random.default_rng(1).random(100) > 0.3
    apart = legs()
    apart[~seen] = 99
    stride = stride_of(apart, seen, 25.0)
    assert stride is not None
    assert stride.step_frequency == pytest.approx(1.8, rel=0.06)


def test_legs_that_an_estimator_confuses_still_repeat():
    apart = legs(150) * np.where(np.random.default_rng(2).random(150) < 0.5, -1, 1)[:, None, None]
    stride = stride_of(apart, np.ones(150, bool), 25.0)
    assert stride is not None
    assert stride.step_frequency == pytest.approx(1.8, rel=0.06)
    assert stride.regularity > 0.8


def test_noise_and_stillness_do_not_repeat():
    noise = np.random.default_rng(3).normal(0, 0.05, (100, 2, 2))
    for apart in (noise, np.zeros((100, 2, 2))):
        stride = stride_of(apart, np.ones(100, bool), 25.0)
        assert stride is not None
        assert stride.regularity < 0.4


def test_too_few_frames_are_not_judged():
    assert stride_of(legs(10), np.ones(10, bool), 25.0) is None
    assert stride_of(legs(100), np.zeros(100, bool), 25.0) is None
