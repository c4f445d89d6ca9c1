import numpy as np
import pytest

from model.named_layouts import COCO_17, NTU_25
from training.data.poses import LIMBS, centred, flipped, part_dropped, rotated

SPINE = NTU_25.index("spine")


def people(count=2, frames=6, seed=0):
    joints = np.random.default_rng(seed).uniform(1, 2, (count, frames, 25, 3))
    return np.concatenate([joints, np.ones((count, frames, 25, 1))], axis=-1).astype(np.float32)


def clips(count=4, dims=3, joints=25, seed=0):
    given = np.random.default_rng(seed).uniform(1, 2, (count, 2, 5, joints, dims + 1)).astype(np.float32)
    given[..., -1] = 1
    return given


def test_the_main_persons_first_spine_is_the_origin_for_everybody():
    given = people()
    out = centred(given, NTU_25)
    assert not out[0, 0, SPINE, :3].any()
    assert np.allclose(out[1, 3, 7, :3], given[1, 3, 7, :3] - given[0, 0, SPINE, :3], atol=1e-6)
    assert np.array_equal(out[..., 3], given[..., 3])


def test_missing_joints_stay_missing():
    given = people()
    given[0, 2, 7] = 0
    assert not centred(given, NTU_25)[0, 2, 7].any()


def test_whoever_is_there_longer_comes_first():
    given = people()
    given[0, 3:] = 0
    out = centred(given, NTU_25)
    assert np.allclose(out[0, :, :, :3], given[1, :, :, :3] - given[1, 0, SPINE, :3], atol=1e-6)


def test_frames_of_nobody_are_dropped_and_of_the_other_person_only_where_it_is_published_so():
    given = people()
    given[:, 2] = 0
    given[0, 4] = 0
    given[1, 1] = 0
    assert centred(given, NTU_25).shape[1] == 5
    given[1, 0] = 0
    assert centred(given, NTU_25).shape[1] == 5
    assert centred(given, NTU_25, official=True).shape[1] == 4


def test_a_recording_of_nobody_stays_as_it_is():
    assert not centred(np.zeros_like(people()), NTU_25).any()


def test_turning_keeps_distances_confidence_and_handedness():
    given = clips()
    out = rotated(given, 0.2, np.random.default_rng(0))
    assert np.allclose(np.linalg.norm(out[..., :3], axis=-1), np.linalg.norm(given[..., :3], axis=-1), atol=1e-5)
    volume = np.linalg.det(out[:, 0, 0, :3, :3]) / np.linalg.det(given[:, 0, 0, :3, :3])
    assert np.allclose(volume, 1, atol=1e-3)
    assert np.array_equal(out[..., 3], given[..., 3])
    assert np.allclose(out[:, 0, :, :, :3], rotated(given[:, [0]], 0.2, np.random.default_rng(0))[:, 0, :, :, :3])


def test_no_angle_turns_nothing():
    assert np.allclose(rotated(clips(), 0.0, np.random.default_rng(0)), clips(), atol=1e-6)


def test_a_mirror_image_has_sides_and_x_exchanged_and_the_published_one_only_sides():
    given = clips()
    left, right = NTU_25.index("left_elbow"), NTU_25.index("right_elbow")
    out = flipped(given, NTU_25, 1.0, np.random.default_rng(0))
    assert np.array_equal(out[..., left, :], given[..., right, :] * np.array([-1, 1, 1, 1], np.float32))
    published = flipped(given, NTU_25, 1.0, np.random.default_rng(0), official=True)
    assert np.array_equal(published[..., left, :], given[..., right, :])


def test_a_mirror_image_in_an_image_stays_inside_it():
    given = clips(dims=2, joints=17)
    given[0, 0, 0, 3] = 0
    widths = np.array([100, 200, 300, 400])
    out = flipped(given, COCO_17, 1.0, np.random.default_rng(0), widths=widths)
    assert np.allclose(out[2, ..., 5, 0], 300 - given[2, ..., 6, 0])
    assert not out[0, 0, 0, 4].any()
    twice = flipped(out, COCO_17, 1.0, np.random.default_rng(0), widths=widths)
    assert np.allclose(twice, given, atol=1e-4)


@pytest.mark.parametrize("change", [flipped, part_dropped])
def test_only_the_share_asked_for_is_changed(change):
    given = clips(2000)
    changed = (change(given, NTU_25, 0.2, np.random.default_rng(1)) != given).any(axis=(1, 2, 3, 4))
    assert abs(changed.mean() - 0.2) < 0.03
    assert np.array_equal(change(given, NTU_25, 0.0, np.random.default_rng(1)), given)


def test_a_dropped_limb_is_one_of_four_throughout():
    out = part_dropped(clips(400), NTU_25, 1.0, np.random.default_rng(0))
    lost = (out[..., 3] == 0)[:, 0, 0]
    limbs = {tuple(np.flatnonzero(row)) for row in lost}
    assert limbs == {tuple(sorted(NTU_25.parts[limb])) for limb in LIMBS}
    assert limbs == {
        (4, 5, 6, 7, 21, 22),
        (8, 9, 10, 11, 23, 24),
        (12, 13, 14, 15),
        (16, 17, 18, 19),
    }
    assert np.array_equal(out[..., 3] == 0, np.broadcast_to(lost[:, None, None], out.shape[:4]))
    assert not out[out[..., 3] == 0].any()
