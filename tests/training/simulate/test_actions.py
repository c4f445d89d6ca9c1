"""Simulated actions look like what they are called."""

import numpy as np
import pytest

from training.simulate.actions import SECONDS, recordings_of, simulate_actions
from training.simulate.motions import ACTIONS
from training.simulate.skeleton import Doubles
from training.simulate.timeline import eased

SUBJECTS = range(1, 9)


def recordings(action: str) -> list[Doubles]:
    found = []
    for subject in SUBJECTS:
        joints, names, lengths, _ = recordings_of(subject, 3, 1)
        at = names.index(action)
        found.append(joints[at, : lengths[at]])
    return found


def hips(joints: Doubles) -> Doubles:
    height: Doubles = joints[:, 11:13, 1].mean(axis=1)
    return height


def test_every_subject_does_every_action() -> None:
    made = simulate_actions(3, seed=1, per_action=2, views=2)
    assert len(made) == 3 * len(ACTIONS) * 2 * 2
    assert set(made.action) == set(ACTIONS)
    assert set(made.subject) == {"001", "002", "003"}
    assert made.lengths.min() >= SECONDS[0] * made.fps - 1
    assert made.lengths.max() <= SECONDS[1] * made.fps


def test_the_same_seed_gives_the_same_recordings() -> None:
    both, second = simulate_actions(2, seed=1, per_action=1), simulate_actions([2], seed=1, per_action=1)
    assert np.array_equal(both.select(both.subject == "002").frames, second.frames)
    assert not np.array_equal(simulate_actions([2], seed=2, per_action=1).frames[:50], second.frames[:50])


def test_the_ring_can_film_actions_too() -> None:
    made = simulate_actions(2, seed=1, per_action=1, cameras="casia-b")
    assert {int(view) % 18 for view in made.view} == {0}


def test_sitting_down_lowers_the_hips_and_standing_up_raises_them() -> None:
    for joints in recordings("sit_down"):
        assert hips(joints)[-1] < 0.72 * hips(joints)[0]
    for joints in recordings("stand_up"):
        assert hips(joints)[-1] > 1.3 * hips(joints)[0]


def test_a_squat_goes_down_and_comes_up() -> None:
    for joints in recordings("squat"):
        assert hips(joints).min() < 0.8 * hips(joints)[0]
        assert hips(joints)[-1] > 0.95 * hips(joints)[0]


def test_a_bend_lowers_the_shoulders_more_than_the_hips() -> None:
    for joints in recordings("bend"):
        shoulders = joints[:, 5:7, 1].mean(axis=1)
        assert np.ptp(shoulders) > 1.5 * np.ptp(hips(joints))


def test_a_wave_moves_a_wrist_about_and_leaves_the_feet() -> None:
    for joints in recordings("wave"):
        moved = np.abs(np.diff(joints, axis=0)).sum(axis=(0, 2))
        assert moved[9:11].max() > 1.0
        assert np.ptp(joints[:, 15:17], axis=0).max() < 0.05


def test_a_turn_changes_where_the_shoulders_face() -> None:
    for joints in recordings("turn"):
        across = joints[:, 5] - joints[:, 6]
        angle = np.unwrap(np.arctan2(across[:, 2], across[:, 0]))
        assert np.ptp(angle) > np.radians(60)


def test_who_stands_stays() -> None:
    for joints in recordings("stand"):
        assert np.ptp(hips(joints)) < 0.05


@pytest.mark.parametrize("action", ACTIONS)
def test_feet_are_on_the_floor_and_limbs_are_rigid(action: str) -> None:
    for joints in recordings(action):
        assert 0.0 < joints[:, 15:17, 1].min() < 0.12
        assert np.ptp(np.linalg.norm(joints[:, 13] - joints[:, 15], axis=-1)) < 1e-6
        assert np.ptp(np.linalg.norm(joints[:, 7] - joints[:, 9], axis=-1)) < 1e-6


def test_keyframes_are_passed_smoothly() -> None:
    values = eased(np.linspace(0, 4, 400), (1.0, 0.0), (2.0, 5.0), (3.0, -1.0))
    assert values[0] == 0
    assert values[-1] == pytest.approx(-1.0)
    assert values.max() == pytest.approx(5.0, abs=0.01)
    assert np.abs(np.diff(values)).max() < 0.12
