from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.uniform import TEST_SEED, fixed_clips, official_clips, random_clips


@settings(max_examples=150, deadline=None)
@given(lengths=st.lists(st.integers(1, 90), min_size=1, max_size=5), frames=st.integers(1, 30), seed=st.integers(0, 99))
def test_a_clip_is_made_of_frames_that_are_there_in_their_order(lengths, frames, seed):
    clips = random_clips(np.array(lengths), frames, np.random.default_rng(seed))
    assert clips.shape == (len(lengths), frames)
    for clip, length in zip(clips, lengths, strict=True):
        assert ((clip >= 0) & (clip < length)).all()
        step = np.diff(clip)
        if length < frames:
            assert ((step == 1) | ((clip[1:] == 0) & (clip[:-1] == length - 1))).all()
        elif length < 2 * frames:
            assert ((step == 1) | (step == 2)).all() or length == frames
        else:
            assert (step > 0).all()
            assert (clip >= np.arange(frames) * length // frames).all()
            assert (clip < np.arange(1, frames + 1) * length // frames).all()


def test_every_frame_of_a_bin_and_every_gap_comes_up():
    rng = np.random.default_rng(0)
    seen = random_clips(np.full(2000, 12), 4, rng)
    assert [np.unique(column).tolist() for column in seen.T] == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]
    seen = random_clips(np.full(2000, 5), 4, rng)
    left_out = [tuple(set(range(5)) - set(clip)) for clip in seen.tolist()]
    counts = np.bincount([frame for (frame,) in left_out], minlength=5)
    assert np.allclose(counts / 2000, 0.2, atol=0.04)


def test_a_recording_is_tested_with_the_same_frames_whenever_asked():
    assert np.array_equal(fixed_clips(80, 20), fixed_clips(80, 20))
    assert fixed_clips(80, 20, clips=3).shape == (3, 20)
    assert not np.array_equal(*fixed_clips(80, 20)[:2])


def test_clips_of_a_short_recording_begin_at_equal_distances():
    assert fixed_clips(20, 30, clips=10)[:, 0].tolist() == [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]
    assert fixed_clips(3, 5, clips=4)[:, 0].tolist() == [0, 1, 2, 0]


LEGACY: Any = np.random  # its global generator is what was published


def published(length, frames, clips, flat):
    """Straight from the formulas, with numpy's global generator."""
    LEGACY.seed(TEST_SEED)
    out = []
    for i in range(clips):
        LEGACY.rand()
        LEGACY.randint(1)
        if length < frames:
            start = (i if length < clips else i * length // clips) if flat else LEGACY.randint(0, length)
            out.append(np.arange(start, start + frames) % length)
        elif length < 2 * frames:
            offset = np.zeros(frames + 1, dtype=np.int64)
            offset[LEGACY.choice(frames + 1, length - frames, replace=False)] = 1
            out.append(np.arange(frames) + np.cumsum(offset)[:-1])
        else:
            bins = np.array([k * length // frames for k in range(frames + 1)])
            out.append(bins[:frames] + LEGACY.randint(np.diff(bins)))
    return np.stack(out)


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("length", [1, 7, 40, 99, 100, 101, 150, 199, 200, 301])
def test_the_published_frames_are_had_draw_for_draw(length, flat):
    before = LEGACY.get_state()[1].copy()
    given = official_clips(length, 100, flat=flat)
    assert np.array_equal(LEGACY.get_state()[1], before)  # nobody else's random numbers are touched
    assert np.array_equal(given, published(length, 100, 10, flat))
