import numpy as np
import pytest

from model.errors import InvalidDataSet
from model.named_layouts import layout_named
from model.sequence import SkeletonSequence, Units
from tests.training.random_runs import random_run
from tests.training.reproduce import left_runs
from training.losses.state import Affinity
from training.reproduce.families import anchors_of, as_seen, furthest_frame, members_of, poses_of
from training.reproduce.look import look_at, of_classes, recordings_of

LABELS = ("A011 reading", "A012 writing", "A014 wear jacket", "A010 clapping")


def affinity(labels=LABELS, **changed):
    none = np.zeros((len(labels), len(labels)))
    values = {
        "labels": labels, "confusion": none, "similarity": none, "families": none.astype(bool),
        "temperatures": none[0], "prototypes": none, "epoch": 9, "started": True,
    }  # fmt: skip
    return Affinity(**(values | changed))


def test_the_papers_anchors_are_taken_where_they_are_there():
    assert anchors_of(affinity()) == ("A011 reading", "A014 wear jacket")


def test_elsewhere_those_with_a_family_and_the_most_confusions():
    confusion = np.diag([0.0, 5, 3, 9])[:, ::-1]
    families = np.zeros((4, 4), bool)
    families[1, 2] = families[2, 1] = True
    assert anchors_of(affinity(("a", "b", "c", "d"), confusion=confusion, families=families)) == ("b", "c")


def test_members_come_by_similarity_and_say_whether_the_anchor_was_taken_for_them():
    families = np.zeros((4, 4), bool)
    families[0, 1:] = True
    similarity = np.zeros((4, 4))
    similarity[0] = [0, 0.6, 1.1, 0.6]
    confusion = np.zeros((4, 4))
    confusion[0, 2] = 3
    found = members_of(affinity(confusion=confusion, similarity=similarity, families=families), "A011 reading", {})
    assert [(member.label, member.direct) for member in found] == [
        ("A014 wear jacket", True), ("A010 clapping", False), ("A012 writing", False),
    ]  # fmt: skip


def sequence(joints, confidence=None, units=Units.PIXELS, **changed):
    layout = layout_named("kinect-20")
    seen = np.ones(joints.shape[:2]) if confidence is None else confidence
    return SkeletonSequence(joints, seen, layout, 30.0, units, **changed)


def test_the_frame_furthest_from_the_mean_pose_is_shown():
    joints = np.tile(np.random.default_rng(0).normal(size=(20, 2)), (9, 1, 1))
    joints[5, 7] += (2, 3)  # a hand goes up
    shown, seen = furthest_frame(sequence(joints))
    np.testing.assert_allclose(shown, joints[5] * (1, -1), atol=1e-6)
    assert seen.all()


def test_to_walk_across_the_image_is_not_to_move():
    joints = np.tile(np.random.default_rng(0).normal(size=(20, 2)), (9, 1, 1))
    joints[2, 7, 1] -= 0.5
    joints += np.arange(9)[:, None, None] * 10.0
    shown, _ = furthest_frame(sequence(joints))
    np.testing.assert_allclose(shown, joints[2] * (1, -1), atol=1e-4)


def test_a_frame_with_fewer_joints_is_not_chosen():
    joints = np.tile(np.random.default_rng(0).normal(size=(20, 2)), (4, 1, 1))
    joints[1, 7] += 9
    joints[2, 8] += 1
    confidence = np.ones((4, 20))
    confidence[1, 3] = 0
    shown, _ = furthest_frame(sequence(joints, confidence))
    np.testing.assert_allclose(shown, joints[2] * (1, -1), atol=1e-6)


@pytest.mark.parametrize(
    ("units", "more", "expected"),
    [(Units.PIXELS, {}, (3, -4)), (Units.NORMALISED, {"aspect": 2.0}, (6, -4)), (Units.METRES, {}, (-3, 4))],
)
def test_people_stand_upright_and_are_not_mirrored(units, more, expected):
    point = np.full((1, 20, 3 if units is Units.METRES else 2), 1.0)
    point[..., 0], point[..., 1] = 3, 4
    np.testing.assert_allclose(as_seen(sequence(point, units=units, **more))[0, 0], expected)


@pytest.fixture(scope="module")
def looked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("looked")
    recipe = left_runs.recipe_of(folder)
    return random_run(folder, recipe, labels=left_runs.ACTIONS), recordings_of(recipe)


def test_every_recording_is_looked_at_alone(looked):
    run, data = looked
    whole = look_at(run, data, [0, 7, 23, 3])
    assert whole.which.tolist() == [0, 7, 23, 3]
    one = look_at(run, data, [23])
    np.testing.assert_allclose(whole.pooled[2], one.pooled[0], atol=1e-5)
    np.testing.assert_allclose(whole.graph[2], one.graph[0], atol=1e-5)
    assert whole.graph.shape == (4, 15, 15)
    np.testing.assert_allclose(np.linalg.norm(whole.pooled, axis=1), 1, atol=1e-5)


def test_the_weight_of_a_joint_is_what_leaves_it(looked):
    run, data = looked
    look = look_at(run, data, [0, 1])
    np.testing.assert_allclose(look.weights[1, 4], np.abs(look.graph[1, 4, :]).mean(), rtol=1e-5)


def test_one_clip_of_a_recording_is_enough_to_look_at(tmp_path):
    recipe = left_runs.recipe_of(tmp_path, clip={"dims": 3, "sampling": "uniform", "clips": 10, "frames": 8})
    run, data = random_run(tmp_path, recipe, labels=left_runs.ACTIONS), recordings_of(recipe)
    seen = []
    run.network.register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))
    look_at(run, data, [0, 1, 2])
    assert seen == [3]


def test_recordings_too_short_for_a_clip_are_left_out(looked):
    run, data = looked
    short = data.select(np.arange(4))
    short.lengths[1] = 3
    assert look_at(run, short, [0, 1, 2]).which.tolist() == [0, 2]
    short.lengths[:] = 3
    with pytest.raises(InvalidDataSet, match="no recording that the network could look at"):
        look_at(run, short, [0, 1])


def test_recordings_of_a_class_are_spread_over_all_of_it(looked):
    _, data = looked
    assert of_classes(data, ("action 1",), 3).tolist() == np.flatnonzero(data.action == "action 1")[[0, 2, 5]].tolist()
    assert len(of_classes(data, left_runs.ACTIONS, 100)) == len(data)
    assert of_classes(data, ("unknown",), 3).tolist() == []


def test_every_class_that_is_drawn_has_a_pose_of_its_own(looked):
    run, data = looked
    families = np.zeros((4, 4), bool)
    families[0, 2] = True
    poses = poses_of(run, data, affinity(left_runs.ACTIONS, families=families), ("phone call",))
    assert set(poses) == {"phone call", "action 2"}
    for pose in poses.values():
        assert (pose.weight.min(), pose.weight.max()) == (0, 1)
        head, ankle = pose.layout.index("head"), pose.layout.index("left_ankle")
        assert pose.joints[head, 1] > pose.joints[ankle, 1]
