"""Sets of simulated walkers: CASIA-B's structure, the same people for the same seed."""

import numpy as np
import pytest

from training.simulate.conditions import Condition, Wardrobe, dress
from training.simulate.style import COLUMNS, draw_style
from training.simulate.walkers import FRAMES, Plan, simulate_walkers, walks_of


@pytest.fixture(scope="module")
def two():
    return simulate_walkers(2, seed=7)


def test_a_subject_has_ten_walks_before_eleven_cameras(two) -> None:
    assert len(two) == 2 * 10 * 11
    assert sorted(set(two.subject)) == ["001", "002"]
    assert sorted(set(two.view)) == [f"{v:03d}" for v in range(0, 181, 18)]
    walks = [*(f"nm-{n:02d}" for n in range(1, 7)), "bg-01", "bg-02", "cl-01", "cl-02"]
    assert sorted(set(two.sequence_name)) == sorted(walks)
    assert set(two.action) == {"walk"}


def test_sequences_have_sixty_to_a_hundred_and_ten_frames(two) -> None:
    assert two.lengths.min() >= 30
    assert (two.lengths >= FRAMES[0]).mean() > 0.98
    assert two.lengths.max() <= FRAMES[1]


def test_first_and_last_frame_show_somebody(two) -> None:
    ends = np.concatenate([two.offsets[:-1], two.offsets[1:] - 1])
    assert (two.frames[ends, :, 2] > 0).any(axis=1).all()


def test_coordinates_are_in_the_picture_and_confidence_is_a_share(two) -> None:
    assert (two.frames[..., :2] >= 0).all()
    assert (two.frames[..., :2] <= [319, 239]).all()
    seen = two.frames[..., 2]
    assert 0.6 < seen.mean() < 0.9
    assert 0.001 < (seen == 0).mean() < 0.1


def test_a_subject_is_the_same_whoever_else_is_simulated(two) -> None:
    alone = simulate_walkers([2], seed=7)
    assert np.array_equal(alone.frames, two.select(two.subject == "002").frames)


def test_fewer_views_and_walks_change_nothing_in_those_that_remain(two) -> None:
    less = simulate_walkers(1, seed=7, views=(54,), walks={"nm": 1, "cl": 1})
    same = two.select((two.subject == "001") & (two.view == "054") & np.isin(two.sequence_name, ["nm-01", "cl-01"]))
    assert np.array_equal(less.frames, same.frames)


def test_another_seed_is_another_world() -> None:
    first, second = (simulate_walkers(1, seed=s, views=(90,), walks={"nm": 1}) for s in (7, 1007))
    assert not np.array_equal(first.clip_frames(0)[:30], second.clip_frames(0)[:30])


def test_random_cameras_differ_on_every_walk() -> None:
    found = simulate_walkers(1, seed=1000, cameras="random", views=3, walks={"nm": 2})
    assert len(found) == 6
    assert len(set(found.view)) > 3


def test_several_processes_make_the_same_walkers() -> None:
    alone, shared = (simulate_walkers(4, seed=7, views=(90,), walks={"nm": 1}, workers=w) for w in (1, 2))
    assert np.array_equal(alone.frames, shared.frames)


def test_progress_is_told_after_every_subject() -> None:
    told: list[tuple[int, int]] = []
    simulate_walkers(2, seed=7, views=(90,), walks={"nm": 1}, progress=lambda done, all_: told.append((done, all_)))
    assert told == [(1, 2), (2, 2)]


def test_with_one_body_for_all_only_motion_differs() -> None:
    plan = Plan(7, walks=(("nm", 1),), same_body=True)
    first, second = (walks_of(s, plan)[0][0] for s in (1, 2))
    thigh = [np.linalg.norm(j[:, 11] - j[:, 13], axis=-1).mean() for j in (first, second)]
    assert thigh[0] == pytest.approx(thigh[1])
    assert not np.allclose(first, second, atol=0.01)


@pytest.mark.parametrize("bag", ["hand", "shoulder", "back"])
def test_a_bag_constrains_the_arm_and_blurs_its_side(bag: str) -> None:
    rng = np.random.default_rng(0)
    style = draw_style(0.9, rng)
    wardrobe = Wardrobe(bag, "left", 1.0, False, 1.0, np.zeros((3, 17, 3)))
    carried, look = dress(style, Condition.BG, wardrobe)
    arm = COLUMNS["left_arm"]
    assert np.abs(carried.curves[1:, arm]).sum() < np.abs(style.curves[1:, arm]).sum()
    assert look.error.max() > 1.2


def test_a_coat_hides_knees_and_widens_hips() -> None:
    style = draw_style(0.9, np.random.default_rng(0))
    wardrobe = Wardrobe("hand", "left", 1.0, False, 1.0, np.zeros((3, 17, 3)))
    _, look = dress(style, Condition.CL, wardrobe)
    assert (look.doubt[13:15] > 0.1).all()
    assert (look.error[11:15] > 1.5).all()
    assert (look.outward[11:13] > 0).all()
    _, plain = dress(style, Condition.NM, wardrobe)
    assert (plain.error == 1).all()
