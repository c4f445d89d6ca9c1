import numpy as np

from model.named_layouts import COCO_17
from training.data.gaitgraph import GaitGraphAugment, augmented


def walks(count=3, frames=8):
    given = np.random.default_rng(0).uniform(10, 200, (count, frames, 17, 3)).astype(np.float32)
    given[..., 2] = 0.9
    given[0, 2, 5] = 0
    return given


def change(seed=0, official=False, **config):
    given = GaitGraphAugment(**{"mirror": 0, "reverse": 0, "point": 0, "joint": 0} | config)
    return augmented(walks(), COCO_17, np.random.default_rng(seed), given, official=official)


def test_nothing_asked_for_changes_nothing():
    assert np.array_equal(change(), walks())


def test_a_mirrored_walker_has_sides_exchanged_about_the_frames_middle():
    out, given = change(mirror=1.0), walks()
    middle = given[1, :, :, 0].mean(axis=1)
    assert np.allclose(out[1, :, 5, 0], 2 * middle - given[1, :, 6, 0], atol=1e-3)
    assert not out[0, 2, 6].any()
    published = change(mirror=1.0, joint=0, official=True, point=0)
    offset = published[1, :, 5, 0] - (2 * middle - given[1, :, 5, 0])
    assert np.allclose(offset, offset[0], atol=1e-3)  # what noise of the joint there is, is the same throughout


def test_time_runs_backwards():
    assert np.array_equal(change(reverse=1.0), walks()[:, ::-1])


def test_noise_of_joints_is_the_same_throughout_and_as_strong_as_asked():
    many = np.repeat(walks()[1:2], 400, axis=0)
    out = augmented(many, COCO_17, np.random.default_rng(0), GaitGraphAugment(0, 0, 0, 2.0))
    moved = (out - many)[..., :2]
    assert np.allclose(moved, moved[:, :1], atol=1e-4)
    assert abs(moved[:, 0].std() - 2.0) < 0.05
    published = augmented(many, COCO_17, np.random.default_rng(0), GaitGraphAugment(0, 0, 0, 2.0), official=True)
    assert abs((published - many)[:, 0].std() - 0.25) < 0.01


def test_noise_leaves_confidence_and_missing_joints_alone_unless_it_is_published_so():
    out = change(point=1.0)
    assert np.array_equal(out[..., 2], walks()[..., 2])
    assert not out[0, 2, 5].any()
    published = change(point=1.0, official=True)
    assert (published[..., 2] > 1).any()
