import numpy as np
import pytest

from model.named_layouts import COCO_17, NTU_25
from training.data.poses import LIMBS, flipped, part_dropped, rotated


def clips(count=4, dims=3, joints=25, seed=0):
    given = np.random.default_rng(seed).uniform(1, 2, (count, 2, 5, joints, dims + 1)).astype(np.float32)
    given[..., -1] = 1
    return given


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
