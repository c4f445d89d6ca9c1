from dataclasses import replace

import numpy as np
import pytest

from model.clips import reflected
from model.named_layouts import COCO_17, NTU_25
from tests.recordings import recording
from tests.training.first_look.bodies import FRAMES, in_image, in_space, seen_in
from tests.training.first_look.test_values import only
from tests.training.small import small_recipe
from training.data.open import open_set
from training.first_look.batch import Batch
from training.first_look.bodies import sides, size, standing

RAW = {"normalisation": {"scale": "none"}}


@pytest.mark.parametrize(("factor", "unit"), [(1000, "millimetres"), (100, "centimetres"), (0.01, "no unit of length")])
def test_another_unit_than_metres_is_told_where_nothing_takes_the_size_away(factor, unit):
    clips = in_space()
    clips[..., :3] *= factor
    assert f"tall: {unit}, where metres are expected" in only(seen_in(clips, network=RAW))
    assert seen_in(clips).notices == ()


def test_image_coordinates_that_are_shares_of_the_image_are_told():
    clips = in_image()
    clips[..., :2] /= 240
    assert "shares of the image, where pixels are expected" in only(seen_in(clips, network=RAW))


def test_several_units_in_one_set_are_told():
    clips = in_space()
    clips[6:, ..., :3] *= 1000
    assert "several units in one set" in only(seen_in(clips, network=RAW))


def test_noise_in_units_that_the_data_is_not_in_is_told():
    clips = in_image()
    clips[..., :2] /= 240
    assert "noise of 0.25 drowns bodies" in only(seen_in(clips, augment={"joint": 0.25}))


@pytest.mark.parametrize("clips", [in_image(), in_space()], ids=["image", "space"])
def test_bodies_on_their_heads_are_told(clips):
    clips = clips.copy()
    clips[..., 1] *= -1
    assert any("stand on their heads: y is expected" in notice for notice in seen_in(clips).notices)
    clips[3:, ..., 1] *= -1
    assert any("25% of the bodies stand on their heads" in notice for notice in seen_in(clips).notices)
    assert not any("heads" in notice for notice in seen_in(clips, augment={"rotation": 180}).notices)


def test_bodies_along_another_axis_are_told():
    space = in_space()[..., [0, 2, 1, 3]]
    assert any("stand along z" in notice for notice in seen_in(space).notices)
    image = in_image()[..., [1, 0, 2]]
    assert any("lie along x" in notice for notice in seen_in(image).notices)


def test_left_and_right_exchanged_throughout_are_told_in_space_where_toes_give_it_away():
    clips = in_space()[:, :, list(NTU_25.mirror)]
    assert "toes and knees point backwards" in only(seen_in(clips))


def test_a_mirrored_axis_is_told_as_it_makes_a_left_hand_a_right_one():
    clips = in_space()
    clips[..., 0] *= -1
    assert "one axis has the wrong sign" in only(seen_in(clips))


def test_whoever_turns_away_or_walks_elsewhere_has_no_sides_exchanged():
    clips = in_space()
    clips[..., [0, 2]] *= -1
    assert seen_in(clips).notices == ()


@pytest.mark.parametrize(("clips", "layout"), [(in_image(), COCO_17), (in_space(), NTU_25)])
def test_hips_that_are_exchanged_and_shoulders_that_are_not_are_told(clips, layout):
    left, right = layout.index("left_hip"), layout.index("right_hip")
    exchanged = clips.copy()
    exchanged[:, :, [left, right]] = clips[:, :, [right, left]]
    assert any("exchanged between shoulders and hips" in notice for notice in seen_in(exchanged).notices)


def test_what_serving_would_say_of_many_clips_is_said_before_training():
    clips = in_image()
    clips[:, 1::2] = clips[:, 1::2][:, :, list(COCO_17.mirror)]
    assert any(notice.startswith("left_right_swapped in 12 of 12 clips") for notice in seen_in(clips).notices)
    clips = in_image()
    clips[:4, ..., -1] = 0.1
    assert any(notice.startswith("low_confidence in 4 of 12 clips") for notice in seen_in(clips).notices)


@pytest.mark.parametrize(
    "name", ["cmu_mocap", "hdm05_subset", "kard", "msr_action3d", "nw_ucla", "ucalgary_kinect2_gait", "utd_mhad"]
)
def test_of_real_recordings_nothing_is_said_about_sides_or_which_way_is_up(name):
    data = open_set(recording(f"{name}.npz"))
    which = np.random.default_rng(0).permutation(len(data))[:64]
    bodies = np.stack([data.frames[data.offsets[i] :][reflected(int(data.lengths[i]), FRAMES)] for i in which])
    recipe = small_recipe(
        network={"layout": data.layout.name, "dims": 3, "classes": 2, "normalisation": {"scale": "none"}},
        clip={"frames": FRAMES, "dims": 3, "minimum": 8},
    )
    clips = bodies.astype(np.float32)[:, None]
    batch = Batch(clips, np.zeros(64, np.int64), recipe, data.layout, ("a", "b"), None, None)
    assert [*size(batch), *standing(batch), *sides(batch)] == []
    upside_down = replace(batch, clips=clips * np.array([1, -1, 1, 1], np.float32))
    assert "heads" in next(standing(upside_down))
    if name not in ("kard", "nw_ucla", "utd_mhad"):  # without feet, or with feet that a first Kinect guessed
        exchanged = replace(batch, clips=clips[..., list(data.layout.mirror), :])
        assert "toes and knees point backwards" in next(sides(exchanged))
