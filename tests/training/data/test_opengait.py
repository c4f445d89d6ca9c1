import pickle

import numpy as np
import pytest

from model.errors import InvalidDataSet
from tests.training.data.written import opengait
from training.data.kinds import KINDS
from training.data.load import check, load


def poses(frames=4, seed=0, confidence=0.9):
    xy = np.random.default_rng(seed).uniform(10, 200, (frames, 17, 2))
    return np.concatenate([xy, np.full((frames, 17, 1), confidence)], axis=-1)


@pytest.fixture
def sequences():
    keys = [("001", "nm-01", "000"), ("070", "bg-02", "018"), ("075", "cl-01", "180")]
    return {key: poses(3 + i, seed=i) for i, key in enumerate(keys)}


def test_the_tree_gives_the_labels(tmp_path, sequences):
    loaded = load(opengait(tmp_path / "casia", sequences), cache=tmp_path / "cache")
    data = loaded.data.first_people()
    assert loaded.report.kind == "casia-b-opengait"
    assert data.subject.tolist() == ["001", "070", "075"]
    assert data.sequence_name.tolist() == ["nm-01", "bg-02", "cl-01"]
    assert data.condition.tolist() == ["nm", "bg", "cl"]
    assert data.view.tolist() == ["000", "018", "180"]
    assert data.lengths.tolist() == [3, 4, 5]
    assert np.allclose(data.clip_frames(1), sequences["070", "bg-02", "018"], atol=1e-4)
    assert loaded.report.counts["under 61 frames"] == 3


def test_without_a_partition_people_are_divided_at_75(tmp_path, sequences):
    splits = load(opengait(tmp_path / "casia", sequences), cache=tmp_path / "cache").splits
    assert {name: members.tolist() for name, members in splits.items()} == {
        "train": [0, 1],
        "valid": [1],
        "test": [2],
    }


def test_a_partition_divides_the_people(tmp_path, sequences):
    root = opengait(tmp_path / "casia", sequences, partition=(["001", "070", "002"], ["075"]))
    loaded = load(root, cache=tmp_path / "cache")
    assert loaded.splits["train"].tolist() == [0, 1]
    assert not loaded.report.problems
    assert "CASIA-B.json names people in TRAIN_SET who are not there: 1" in loaded.report.notes


def test_a_partition_that_trains_on_test_people_is_a_problem(tmp_path, sequences):
    root = opengait(tmp_path / "casia", sequences, partition=(["001", "075"], ["070"]))
    report = load(root, cache=tmp_path / "cache").report
    assert "split test differs from the official rule in 2 recordings" in report.problems


def test_a_list_of_frames_is_read_as_an_array_is(tmp_path, sequences):
    given = list(poses(6, seed=9).astype(np.float32))
    data = load(opengait(tmp_path / "casia", {("001", "nm-01", "000"): given}), cache=tmp_path / "cache").data
    assert np.array_equal(data.clip_frames(0)[0], np.stack(given))


def test_estimators_that_are_surer_than_sure_are_cut(tmp_path):
    root = opengait(tmp_path / "casia", {("001", "nm-01", "000"): poses(confidence=1.2)})
    loaded = load(root, cache=tmp_path / "cache")
    assert loaded.data.frames[..., 2].max() == 1
    assert "sequences with confidence above 1 are cut to 1: 1" in loaded.report.notes


def test_what_is_no_sequence_of_casia_b_is_left_out(tmp_path, sequences):
    sequences[("001", "xx-01", "000")] = poses()
    sequences[("001", "nm-02", "000")] = np.empty((0, 17, 3))
    report = check(KINDS["casia-b-opengait"], opengait(tmp_path, sequences))
    assert report.left_out == {
        "its type is not nm-01, bg-01, cl-01 or so": (1, ("001-xx-01-000",)),
        "it has no frames": (1, ("001-nm-02-000",)),
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (np.ones((3, 18, 3)), r"holds an array \(3, 18, 3\) of float64, not \(frames, 17, 3\)"),
        (np.full((3, 17, 3), "x"), r"of <U1, not"),
        ({"keypoints": 1}, "something else than an array"),
        ([np.ones((17, 3)), np.ones((16, 3))], "arrays of different shapes"),
        (np.full((3, 17, 3), np.nan), "coordinates must be finite"),
    ],
)
def test_malformed_poses_are_named_by_their_file(tmp_path, sequences, content, message):
    root = opengait(tmp_path, sequences)
    file = root / "001" / "nm-01" / "000" / "000.pkl"
    file.write_bytes(pickle.dumps(content))
    with pytest.raises(InvalidDataSet, match=f"(000.pkl|001-nm-01-000).*{message}"):
        check(KINDS["casia-b-opengait"], root)


@pytest.mark.parametrize("text", ["{", '{"TRAIN_SET": []}', '{"TRAIN_SET": 1, "TEST_SET": []}'])
def test_malformed_partitions_are_named(tmp_path, sequences, text):
    root = opengait(tmp_path, sequences)
    (root / "CASIA-B.json").write_text(text)
    with pytest.raises(InvalidDataSet, match=r"CASIA-B\.json"):
        check(KINDS["casia-b-opengait"], root)
