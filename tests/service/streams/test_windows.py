"""Windows come out as soon as they are whole, and are those that the whole track would be cut into."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.clips import ClipSpec, resample, window_places
from service.streams.windows import Windows

SPEC = ClipSpec(frames=8, fps=25, stride=4, minimum=3)


def cut(numbers: list[int], windows: Windows) -> tuple[list[list[int]], int]:
    """The windows as the numbers of their frames (0 where one is missing), and the most frames held."""
    found, most = [], 0
    for number in numbers:
        found += [*windows.add([(number, np.full((1, 3), number, np.float32))])]
        most = max(most, windows.held)
    found += filter(None, [windows.rest()])
    assert all(frames[0, 0, 0] in (first, 0) for first, frames in found)
    return [frames[:, 0, 0].astype(int).tolist() for _, frames in found], most


@given(count=st.integers(1, 60), first=st.integers(1, 1000))
def test_they_are_those_of_the_whole_track(count: int, first: int) -> None:
    numbers = list(range(first, first + count))
    found, most = cut(numbers, Windows(SPEC, 25))
    if count < 8:
        assert found == [numbers]
    else:
        assert found == (window_places(count, 8, 4) + first).tolist()
    assert most <= 8 + 2 * 4


@pytest.mark.parametrize("fps", [10.0, 12.5, 24.0, 25.0, 29.97, 30.0, 60.0, 120.0])
def test_each_has_as_many_frames_as_the_model_takes_after_resampling(fps: float) -> None:
    spec = ClipSpec()
    windows = Windows(spec, fps)
    found = [*windows.add([(n, np.ones((1, 3), np.float32)) for n in range(int(10 * fps))])]
    counts = {len(resample(frames, fps, spec.fps)) for _, frames in found}
    assert counts <= {spec.frames, spec.frames + 1}
    assert len(found) == pytest.approx((10 - 2.4) / 1.2 + 1, abs=1)


@given(st.lists(st.integers(1, 20), min_size=1, max_size=40))
def test_with_holes_every_frame_is_in_a_window_and_none_is_told_of_twice_in_one(steps: list[int]) -> None:
    numbers = np.cumsum(steps).tolist()
    found, most = cut(numbers, Windows(SPEC, 25))
    seen = {number for window in found for number in window} - {0}
    assert seen == set(numbers)
    assert most <= 8 + 2 * 4 + 8
    for window in found:
        there = [number for number in window if number]
        assert there == sorted(set(there))
        assert len(window) <= 8


def test_after_a_hole_of_more_than_a_window_it_begins_anew() -> None:
    assert cut([1, 2, 3, 100, 101], Windows(SPEC, 25))[0] == [[1, 2, 3], [100, 101]]
