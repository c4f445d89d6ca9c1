"""Cameras: what is up is up, who comes grows, and the ring has CASIA-B's eleven views."""

import numpy as np
import pytest

from training.simulate.cameras import CASIA_B_VIEWS, around, casia_b_camera, looking, random_camera, stacked


def test_a_point_in_the_middle_lands_in_the_middle_and_up_is_up() -> None:
    camera = looking([0, 1, 5], [0, 1, 0], 400, (320, 240))
    pixels, depth = camera.project(np.array([[[0.0, 1.0, 0.0], [0.0, 1.5, 0.0], [0.5, 1.0, 0.0]]]))
    assert depth[0] == pytest.approx([5, 5, 5])
    # The walker's left is the right of the picture when he comes.
    assert pixels[0] == pytest.approx(np.array([[160, 120], [160, 80], [200, 120]]))


@pytest.mark.parametrize(("view", "growing"), [(0, True), (180, False)])
def test_a_walker_grows_when_coming_and_shrinks_when_going(view: int, growing: bool) -> None:
    head_and_foot = np.array([[[0.0, 1.7, z], [0.0, 0.0, z]] for z in (-2.0, 2.0)])
    pixels, _ = casia_b_camera(view, 7).project(head_and_foot)
    first, last = pixels[:, 1, 1] - pixels[:, 0, 1]
    assert bool(last > first) is growing


def test_the_side_view_sees_the_left_side_in_front() -> None:
    _, depth = casia_b_camera(90, 7).project(np.array([[[0.2, 1.0, 0.0], [-0.2, 1.0, 0.0]]]))
    assert depth[0, 0] < depth[0, 1]


def test_the_ring_is_the_same_for_all_and_differs_between_worlds() -> None:
    assert len(CASIA_B_VIEWS) == 11
    assert np.array_equal(casia_b_camera(54, 7).position, casia_b_camera(54, 7).position)
    assert not np.array_equal(casia_b_camera(54, 7).position, casia_b_camera(54, 8).position)


def test_random_cameras_see_the_whole_walk() -> None:
    cameras = stacked([random_camera(np.random.default_rng(seed)) for seed in range(200)])
    line = np.array([[[0.0, y, z] for y in (0.05, 1.75)] for z in (-2.0, 0.0, 2.0)])
    pixels, _ = cameras.project(np.broadcast_to(line, (200, *line.shape)))
    inside = ((pixels > 0) & (pixels < cameras.size[:, None, None])).all(axis=(1, 2, 3))
    assert inside.mean() > 0.85
    assert np.ptp(cameras.view) > 300


def test_several_cameras_can_be_chosen_from() -> None:
    cameras = stacked([looking(around(v, 5, 1), [0, 1, 0], 300, (320, 240), view=v) for v in (0, 90, 180)])
    assert cameras[[2, 0]].view.tolist() == [180, 0]
