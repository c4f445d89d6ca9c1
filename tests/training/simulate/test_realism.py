"""The realism checks tell an easy simulator from a hard one."""

from dataclasses import replace

import numpy as np
import pytest

from training.data.arrays import SequenceSet
from training.simulate import realism
from training.simulate.noise import NoiseModel
from training.simulate.walkers import simulate_walkers


@pytest.fixture(scope="module")
def walkers() -> SequenceSet:
    return simulate_walkers(24, seed=7, views=(54, 90))


def test_simulated_people_are_told_apart_but_not_by_their_bones_alone(walkers: SequenceSet) -> None:
    found = realism.check(walkers)
    chance = 1 / found.people
    assert found.people == 12
    assert not found.too_easy
    assert 4 * chance < found.bones["nm"]
    assert 4 * chance < found.motion["nm"]
    assert found.bones["cl"] < found.bones["nm"]
    assert found.motion["cl"] < found.motion["nm"] + 0.05
    assert found.motion_across < found.motion["nm"]
    assert 1.5 * chance < found.across
    assert any("bone lengths alone" in line for line in found.lines())


def test_with_a_perfect_estimator_bones_alone_would_be_too_easy_to_be_true(walkers: SequenceSet) -> None:
    perfect = simulate_walkers(24, seed=7, views=(54, 90), noise=replace(NoiseModel.none()))
    assert realism.check(perfect).bones["nm"] > realism.check(walkers).bones["nm"]


def test_the_warning_is_printed() -> None:
    easy = realism.Realism(10, {"nm": 0.995}, {"nm": 0.5}, 0.1, 0.1)
    assert easy.too_easy
    assert "too easy" in easy.lines()[-1]


def test_motion_does_not_depend_on_the_size_of_a_picture(walkers: SequenceSet) -> None:
    frames = walkers.clip_frames(0)
    larger = frames * np.array([3, 3, 1], dtype=np.float32)
    assert realism.motion_features(larger, 25.0) == pytest.approx(realism.motion_features(frames, 25.0), abs=1e-6)
    assert realism.bone_features(larger) == pytest.approx(realism.bone_features(frames), abs=1e-6)


def test_cadence_is_found_in_the_legs(walkers: SequenceSet) -> None:
    strides = [realism.motion_features(walkers.clip_frames(i), 25.0)[0] for i in range(len(walkers))]
    assert 0.75 < np.median(strides) < 1.1


def test_a_joint_that_was_never_seen_is_no_trouble(walkers: SequenceSet) -> None:
    frames = walkers.clip_frames(0)
    frames[:, 16] = 0
    assert np.isfinite(realism.bone_features(frames)).all()
    assert np.isfinite(realism.motion_features(frames, 25.0)).all()


def test_random_cameras_are_compared_by_sector() -> None:
    found = realism.check(simulate_walkers(6, seed=7, cameras="random", views=3))
    assert found.people == 3
    assert set(found.bones) == {"nm", "bg", "cl"}


def test_a_single_person_is_no_trouble() -> None:
    found = realism.check(simulate_walkers(1, seed=7, views=(90,), walks={"nm": 5}))
    assert found.people == 1
    assert found.motion == {"nm": 1.0}
