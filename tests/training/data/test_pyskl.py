import numpy as np
import pytest

from model.errors import InvalidDataSet
from tests.training.data.written import annotation, flat_annotation, pyskl
from training.data.pyskl import read
from training.data.stream import LeftOut, Noted, SplitOf, Taken


def items(path, *, classes=5, joints=25):
    return list(read(path, classes, lambda name: {"view": name[:1]}, joints=joints))


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_recordings_and_splits_are_read(tmp_path, protocol):
    first, second = annotation("a", 4), annotation("b", 0, people=2, seed=1)
    path = pyskl(tmp_path / "x.pkl", [first, second], {"xsub_train": ["a"], "xsub_val": ["b"]}, protocol=protocol)
    *splits, one, two = items(path)
    assert splits == [SplitOf("xsub_train", ("a",)), SplitOf("xsub_val", ("b",))]
    assert isinstance(one, Taken)
    assert isinstance(two, Taken)
    assert (one.name, one.class_label, one.labels) == ("a", 4, {"view": "a"})
    assert np.array_equal(two.people[..., :3], second["keypoint"])
    assert two.people.dtype == np.float16
    assert (two.people[..., 3] == 1).all()


def test_old_files_are_read_alike(tmp_path):
    old = annotation("a", 1)
    old["filename"] = old.pop("frame_dir")
    (item,) = items(pyskl(tmp_path / "x.pkl", [old], key="annos"))
    assert item.name == "a"


def test_keypoints_in_the_image_keep_their_scores(tmp_path):
    (item,) = items(pyskl(tmp_path / "x.pkl", [flat_annotation("a", 1)]), joints=17)
    assert item.people.shape == (1, 5, 17, 3)
    assert (item.people[..., 2] == 0.75).all()


def test_people_of_zeros_are_padding_and_joints_of_zeros_are_missing(tmp_path):
    padded = annotation("a", 1, people=2)
    padded["keypoint"][1] = 0
    padded["keypoint"][0, 2, 7] = 0
    (item,) = items(pyskl(tmp_path / "x.pkl", [padded]))
    assert item.people.shape[0] == 1
    assert item.people[0, 2, 7].tolist() == [0, 0, 0, 0]
    assert item.people[..., 3].sum() == 5 * 25 - 1


def test_more_than_two_people_are_noted_and_nobody_at_all_is_left_out(tmp_path):
    crowd, empty = annotation("a", 1, people=4), annotation("b", 1)
    empty["keypoint"][:] = 0
    noted, taken, left_out = items(pyskl(tmp_path / "x.pkl", [crowd, empty]))
    assert isinstance(noted, Noted)
    assert np.array_equal(taken.people[..., :3], crowd["keypoint"][:2])
    assert left_out == LeftOut("b", "nobody is in it")


def without(key):
    bad = annotation("b", 1)
    del bad[key]
    return bad


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (without("label"), r"annotations\[1\] \(b\): label is no whole number"),
        (without("frame_dir"), r"annotations\[1\]: has no frame_dir"),
        (without("keypoint"), r"annotations\[1\] \(b\): keypoint is no array of numbers"),
        (annotation("b", 5), r"annotations\[1\] \(b\): label 5 is none of the 5 classes"),
        (annotation("b", 1, total_frames=9), r"\(b\): total_frames is 9, keypoint has 5 frames"),
        (flat_annotation("b", 1), r"keypoint has shape \(1, 5, 17, 2\), and \(people, frames, 25, 3\) is expected"),
        (annotation("b", 1, img_shape=7), r"\(b\): img_shape is no pair of height and width"),
        (["b"], r"annotations\[1\]: is a list, not an annotation"),
    ],
)
def test_a_malformed_annotation_is_named_by_file_and_place(tmp_path, bad, message):
    with pytest.raises(InvalidDataSet, match=rf"x\.pkl: .*{message}") as error:
        items(pyskl(tmp_path / "x.pkl", [annotation("a", 1), bad]))
    assert "\n" not in str(error.value)


def test_scores_must_fit_the_keypoints(tmp_path):
    bad = flat_annotation("a", 1, keypoint_score=np.ones((1, 4, 17), np.float16))
    with pytest.raises(InvalidDataSet, match=r"keypoint_score has shape \(1, 4, 17\)"):
        items(pyskl(tmp_path / "x.pkl", [bad]), joints=17)


@pytest.mark.parametrize("split", [["a"], {"train": "a"}, {"train": [1]}])
def test_malformed_splits_are_refused(tmp_path, split):
    with pytest.raises(InvalidDataSet, match="split"):
        items(pyskl(tmp_path / "x.pkl", [annotation("a", 1)], split))


def test_a_pickle_of_something_else_is_refused(tmp_path):
    with pytest.raises(InvalidDataSet, match="without annotations"):
        items(pyskl(tmp_path / "x.pkl", []))
