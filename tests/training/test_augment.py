import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.clips import ClipSpec, to_clips
from model.errors import InvalidRecipe
from model.layout import Layout
from model.named_layouts import COCO_17, NTU_25
from tests.fakes import walking
from tests.training.small import small_recipe
from training.augment import augment, refuse
from training.data.gaitgraph import PUBLISHED, augmented
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


def crowd(count=6, people=2, dims=3, layout=NTU_25, seed=0):
    given_clips = np.random.default_rng(seed).uniform(1, 2, (count, people, 10, layout.count, dims + 1))
    given_clips[..., -1] = np.random.default_rng(seed).random(given_clips.shape[:-1]) < 0.9
    given_clips[..., :-1] *= given_clips[..., -1:]
    return given_clips.astype(np.float32)


def of_crowd(config, given_clips, seed=0, layout=NTU_25, **more):
    return augment(given_clips, layout, AugmentConfig(**{"mirror": 0} | config), np.random.default_rng(seed), **more)


EVERYTHING = {
    "mirror": 0.5, "reverse": 0.5, "scale": 0.2, "stretch": 0.1, "rotation": 20, "yaw": 40, "drop_joint": 0.2,
    "drop_limb": 0.5, "turn": 30, "part_drop": 0.5,
}  # fmt: skip


@pytest.mark.parametrize("key", EVERYTHING)
def test_all_people_of_a_clip_undergo_the_same_change(key):
    twins = np.repeat(crowd(people=1), 2, axis=1)
    after = of_crowd({key: EVERYTHING[key]}, twins)
    assert (after[:, 0] == after[:, 1]).all()
    assert not np.allclose(after, twins, atol=1e-3)


def test_noise_falls_on_each_person_alone_and_on_nobody_who_is_absent():
    given_clips = crowd()
    given_clips[:3, 1] = 0
    after = of_crowd({"noise": 0.05, "offset": 0.02}, given_clips)
    assert not after[:3, 1].any()
    shift = after[3:] - given_clips[3:]
    assert not np.allclose(shift[:, 0], shift[:, 1], atol=1e-3)


def test_one_person_with_a_place_for_a_second_is_changed_as_alone():
    alone = crowd(people=1)
    pair = np.concatenate([alone, np.zeros_like(alone)], axis=1)
    config = {key: value for key, value in EVERYTHING.items() if key != "part_drop"}
    assert of_crowd(config, pair)[:, 0] == pytest.approx(of_crowd(config, alone[:, 0]), abs=1e-5)


def test_a_turn_is_about_the_origin_and_alters_no_distance():
    given_clips = crowd()
    after = of_crowd({"turn": 25.0}, given_clips)
    assert np.linalg.norm(after[..., :3], axis=-1) == pytest.approx(
        np.linalg.norm(given_clips[..., :3], axis=-1), abs=1e-4
    )
    small = of_crowd({"turn": 5.0}, given_clips)
    # Three turns by up to 5 degrees: no vector comes to lie further than 15 degrees from where it was.
    cosine = (small[..., :3] * given_clips[..., :3]).sum(-1) / np.maximum((given_clips[..., :3] ** 2).sum(-1), 1e-9)
    assert cosine[given_clips[..., 3] > 0].min() > np.cos(np.deg2rad(15))


def test_where_nothing_moves_people_they_stay_as_they_are_to_the_bit():
    given_clips = crowd()
    assert (of_crowd({}, given_clips) == given_clips).all()
    assert (of_crowd({"turn": 0.0, "official": True}, given_clips) == given_clips).all()


def test_new_changes_leave_the_numbers_of_the_old_ones_as_they_were():
    old = {"mirror": 0.5, "reverse": 0.5, "noise": 0.05, "rotation": 10}
    before, after = of_crowd(old, crowd()), of_crowd({**old, "part_drop": 0.5}, crowd())
    kept = after[..., 3] > 0
    assert (before[kept] == after[kept]).all()
    assert not kept.all()


def test_a_mirror_image_of_pixels_stays_in_the_image():
    given_clips = crowd(dims=2, layout=COCO_17)
    widths = np.full(6, 320)
    after = of_crowd({"mirror": 1}, given_clips, layout=COCO_17, widths=widths)
    left, right = COCO_17.index("left_wrist"), COCO_17.index("right_wrist")
    seen = given_clips[:, :, :, right, 2] > 0
    assert (after[:, :, :, left, 0] + given_clips[:, :, :, right, 0])[seen] == pytest.approx(320)
    assert not after[:, :, :, left][~seen].any()


def test_where_the_width_of_an_image_is_unknown_people_are_mirrored_where_they_stand():
    given_clips = crowd(dims=2, layout=COCO_17)
    given_clips[..., :-1] += 200 * given_clips[..., -1:]
    after = of_crowd({"mirror": 1}, given_clips, layout=COCO_17, widths=np.array([0, 640, 0, 640, 0, 640]))
    seen = after[..., 2] > 0
    assert after[::2, ..., 0][seen[::2]].min() > 195
    assert after[::2, ..., 0][seen[::2]].max() < 207
    assert after[1::2, ..., 0][seen[1::2]].min() > 430


def test_officially_sides_are_exchanged_and_nothing_is_mirrored():
    given_clips = crowd()
    after = of_crowd({"mirror": 1, "official": True}, given_clips)
    assert (after == given_clips[..., list(NTU_25.mirror), :]).all()


def test_gaitgraphs_changes_are_those_of_its_module():
    given_clips = clips()
    config = AugmentConfig(mirror=0.5, reverse=0.5, point=0.05, joint=0.25)
    for official in (False, True):
        after = changed(config.model_copy(update={"official": official}), given_clips, seed=4)
        theirs = augmented(given_clips, COCO_17, np.random.default_rng(4), PUBLISHED, official=official)
        assert (after == theirs).all()


@pytest.mark.parametrize(
    ("augmentation", "clip", "reason"),
    [
        ({"speed": 0.1}, {"sampling": "uniform"}, "augment.speed needs windows"),
        ({"turn": 10}, {}, "augment.turn needs three coordinates"),
        ({"point": 0.1}, {"people": 2}, "augment.point and augment.joint are for clips of one person"),
    ],
)
def test_changes_that_clips_cannot_undergo_are_refused(augmentation, clip, reason):
    recipe = small_recipe(augment={"speed": 0.0, **augmentation}, clip=clip, network={"people": clip.get("people", 1)})
    with pytest.raises(InvalidRecipe, match=reason):
        refuse(recipe, COCO_17)


def test_limbs_are_lost_only_where_there_are_any():
    with pytest.raises(InvalidRecipe, match="layout legless has no arms or no legs to lose"):
        refuse(small_recipe(augment={"part_drop": 0.2}), Layout.of("legless", [("head", "head"), ("spine", "head")]))
