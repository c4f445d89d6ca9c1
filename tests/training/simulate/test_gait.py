"""Walkers are physically sane: rigid limbs, feet on the floor, knees that bend backwards only."""

import numpy as np
import pytest

from model.named_layouts import COCO_17
from training.simulate import gait
from training.simulate.anthropometry import draw_body, scaled, standard_body
from training.simulate.skeleton import Doubles
from training.simulate.style import Style, basis, draw_style, normative, on_a_day

FPS = 25.0
J = {name: i for i, name in enumerate(COCO_17.joints)}


def walk(seed: int, frames: int = 100) -> gait.Walk:
    rng = np.random.default_rng(seed)
    body = draw_body(rng)
    style = on_a_day(draw_style(body.leg, rng), rng)
    return gait.walk_all(body, [style], [rng], frames, FPS)


def length(joints: Doubles, a: str, b: str) -> Doubles:
    found: Doubles = np.linalg.norm(joints[..., J[a], :] - joints[..., J[b], :], axis=-1)
    return found


@pytest.fixture(scope="module", params=range(6))
def walked(request: pytest.FixtureRequest) -> gait.Walk:
    return walk(request.param)


@pytest.mark.parametrize("side", ["left", "right"])
def test_limbs_keep_their_length(walked: gait.Walk, side: str) -> None:
    for a, b in (("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist")):
        assert np.ptp(length(walked.joints, f"{side}_{a}", f"{side}_{b}")) < 1e-6


def test_both_sides_of_a_body_are_equal(walked: gait.Walk) -> None:
    assert length(walked.joints, "left_hip", "left_knee") == pytest.approx(
        length(walked.joints, "right_hip", "right_knee"), abs=1e-6
    )


def test_no_foot_goes_below_the_floor_and_one_is_always_near_it(walked: gait.Walk) -> None:
    assert walked.feet[..., 1].min() >= 0
    assert walked.joints[0, :, 15:17, 1].min() > 0.02
    assert walked.feet[0, ..., 1].min(axis=(1, 2)).max() < 0.03


def test_knees_bend_backwards_only(walked: gait.Walk) -> None:
    for side in ("left", "right"):
        hip, knee, ankle = (walked.joints[0, :, J[f"{side}_{j}"]] for j in ("hip", "knee", "ankle"))
        # Cross product in the sagittal plane (z forward, y up): positive where the shank is behind the thigh's line.
        thigh, shank = knee - hip, ankle - knee
        assert (thigh[:, 2] * shank[:, 1] - thigh[:, 1] * shank[:, 2]).max() < 0
        flexion = np.degrees(np.arctan2(thigh[:, 2], -thigh[:, 1]) - np.arctan2(shank[:, 2], -shank[:, 1]))
        assert 0 < flexion.min() < 20
        assert 45 < flexion.max() < 90


def test_the_stance_foot_hardly_slides(walked: gait.Walk) -> None:
    standing = gait.stance(walked.phase[0])[1:] > 0.99
    heel_or_ball = np.abs(np.diff(walked.feet[0, ..., 2], axis=0)).min(axis=-1) * FPS
    assert heel_or_ball[standing].mean() < 0.25
    sideways = np.abs(np.diff(walked.joints[0, :, 15:17, 0], axis=0)) * FPS
    assert sideways[standing].mean() < 0.02


def test_arms_swing_against_the_legs_of_their_side(walked: gait.Walk) -> None:
    joints = walked.joints[0]
    for side in ("left", "right"):
        leg = joints[:, J[f"{side}_ankle"], 2] - joints[:, J[f"{side}_hip"], 2]
        arm = joints[:, J[f"{side}_wrist"], 2] - joints[:, J[f"{side}_shoulder"], 2]
        assert np.corrcoef(leg, arm)[0, 1] < -0.4


def test_people_walk_at_human_speed() -> None:
    speeds = [np.ptp(walk(seed).joints[0, :, 11, 2]) / 99 * FPS for seed in range(20)]
    assert min(speeds) > 0.8
    assert max(speeds) < 2.0
    assert 1.1 < np.median(speeds) < 1.45


def test_the_normative_style_repeats_itself_mirrored_after_half_a_stride() -> None:
    values = basis(np.linspace(0, 2 * np.pi, 40, endpoint=False)[None]) @ normative()
    pose, sway = gait.pose_of(values, np.array([[0.1]]), standard_body())
    assert np.roll(pose.thigh[0, :, 0], 20) == pytest.approx(pose.thigh[0, :, 1])
    assert np.roll(pose.knee[0, :, 0], 20) == pytest.approx(pose.knee[0, :, 1])
    # Even harmonics of a turn do not change sign between the sides, so only the first is compared.
    assert np.corrcoef(np.roll(sway[0], 20), -sway[0])[0, 1] > 0.99


def test_a_day_differs_less_from_a_person_than_people_do() -> None:
    rng = np.random.default_rng(3)
    people = [draw_style(0.9, rng) for _ in range(60)]
    days = [on_a_day(people[0], rng) for _ in range(60)]

    def spread(styles: list[Style]) -> Doubles:
        found: Doubles = np.stack([style.curve("left_knee")[:3] for style in styles]).std(axis=0)
        return found

    assert (spread(days) < 0.6 * spread(people)).all()
    assert (spread(days) > 0).all()


def test_bodies_vary_around_the_tables() -> None:
    bodies = [draw_body(np.random.default_rng(seed)) for seed in range(300)]
    share = np.array([body.thigh / body.stature for body in bodies])
    assert share.mean() == pytest.approx(0.245, abs=0.002)
    assert 0.015 < share.std() / share.mean() < 0.045
    assert 1.4 < min(b.stature for b in bodies) < max(b.stature for b in bodies) < 2.0
    assert scaled(bodies[0], 2.0).shank == pytest.approx(2 * bodies[0].shank)
