import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.clips import ClipSpec, to_clips
from model.named_layouts import COCO_17
from tests.fakes import walking
from training.augment import augment
from training.sections import AugmentConfig

NOTHING = AugmentConfig(mirror=0)


def clips(count=4, missing=()):
    spec = ClipSpec(frames=20, minimum=8)
    out = np.concatenate([to_clips(walking(s, 20), spec, COCO_17) for s in range(count)])
    out[:, :, list(missing)] = 0
    return out


def changed(config, given=None, seed=0):
    return augment(clips() if given is None else given, COCO_17, config, np.random.default_rng(seed))


def test_nothing_asked_changes_nothing():
    assert changed(NOTHING) == pytest.approx(clips(), abs=1e-3)


def test_what_is_given_is_left_as_it_was():
    given_clips = clips()
    changed(AugmentConfig(mirror=1, noise=0.1, drop_limb=0.5), given_clips)
    assert (given_clips == clips()).all()


def test_a_mirrored_clip_has_left_and_right_exchanged_and_mirrored_again_is_itself():
    once = changed(AugmentConfig(mirror=1))
    left, right = COCO_17.index("left_wrist"), COCO_17.index("right_wrist")
    assert once[:, :, left, 0] == pytest.approx(-clips()[:, :, right, 0], abs=1e-3)
    assert once[:, :, left, 1] == pytest.approx(clips()[:, :, right, 1], abs=1e-3)
    assert changed(AugmentConfig(mirror=1), once) == pytest.approx(clips(), abs=1e-3)


def test_reversed_runs_backwards():
    assert changed(AugmentConfig(mirror=0, reverse=1)) == pytest.approx(clips()[:, ::-1], abs=1e-3)


def test_rotation_and_scale_keep_the_shape_of_the_body():
    before = clips()[..., :2]
    after = changed(AugmentConfig(mirror=0, rotation=90, scale=0.5))[..., :2]
    ratio = np.linalg.norm(after[:, :, 5] - after[:, :, 16], axis=-1) / np.linalg.norm(
        before[:, :, 5] - before[:, :, 16], axis=-1
    )
    assert ratio == pytest.approx(np.repeat(ratio[:, :1], 20, axis=1), rel=1e-3)
    assert ratio.min() >= 0.499
    assert ratio.max() <= 1.501


def test_yaw_turns_about_the_vertical_axis():
    flat = np.random.default_rng(0).normal(size=(3, 20, 17, 4)).astype(np.float32)
    flat[..., -1] = 1
    after = changed(AugmentConfig(mirror=0, yaw=180), flat)
    assert after[..., 1] == pytest.approx(flat[..., 1], abs=1e-4)
    assert not np.allclose(after[..., 0], flat[..., 0], atol=0.1)


def test_noise_is_in_units_of_the_body():
    config = AugmentConfig(mirror=0, noise=0.02)
    large = clips() * [10, 10, 1]
    shift = changed(config)[..., :2] - clips()[..., :2]
    shift_of_large = changed(config, large.astype(np.float32))[..., :2] - large[..., :2]
    assert shift_of_large == pytest.approx(shift * 10, rel=1e-2, abs=0.02)


def test_an_offset_is_the_same_in_all_frames():
    shift = changed(AugmentConfig(mirror=0, offset=0.02))[..., :2] - clips()[..., :2]
    assert shift == pytest.approx(np.repeat(shift[:, :1], 20, axis=1), abs=1e-2)
    assert np.abs(shift).max() > 0.1


def test_a_dropped_limb_is_one_arm_or_leg_over_a_span():
    lost = changed(AugmentConfig(mirror=0, drop_limb=0.999), clips(40))[..., 2] == 0
    limbs = [set(COCO_17.parts[part]) for part in ("left_arm", "right_arm", "left_leg", "right_leg")]
    for one in lost[lost.any(axis=(1, 2))]:
        assert set(np.flatnonzero(one.any(axis=0))) in limbs
        frames = np.flatnonzero(one.any(axis=1))
        assert len(frames) == frames[-1] - frames[0] + 1


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_missing_joints_stay_missing_everything_stays_finite_and_the_same_numbers_give_the_same(seed):
    config = AugmentConfig(
        mirror=0.5, reverse=0.5, scale=0.2, stretch=0.1, rotation=20, noise=0.05, offset=0.02, drop_joint=0.2,
        drop_limb=0.5,
    )  # fmt: skip
    given_clips = clips(missing=range(17) if seed % 2 else (0, 1, 2))
    one, other = (changed(config, given_clips, seed) for _ in range(2))
    assert np.isfinite(one).all()
    assert (one == other).all()
    assert (one[one[..., 2] == 0] == 0).all()
    assert (one[:, :, 0] == 0).all()
    assert one.dtype == np.float32
