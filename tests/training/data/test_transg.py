import numpy as np
import pytest

from model.errors import InvalidDataSet
from tests.training.data.written import transg
from training.data.kinds import KINDS
from training.data.load import check, load

PLACE = "CASIA_B_match/6/CASIA_B_{}_npy_data"


def test_windows_keep_their_people_conditions_and_joints(tmp_path):
    loaded = load(transg(tmp_path / "sets"), cache=tmp_path / "cache")
    data = loaded.data
    assert loaded.report.kind == "casia-b-transg"
    assert len(data) == 3 + 3 * 3
    assert data.lengths.tolist() == [6] * 12
    assert data.subject.tolist() == ["001", "001", "002", *["063", "063", "064"] * 3]
    assert data.condition.tolist() == [*[""] * 3, *["nm"] * 3, *["bg"] * 3, *["cl"] * 3]
    folder = tmp_path / "sets" / PLACE.format("test") / "bg"
    z = np.load(folder / "t_source_z_CASIA_B_6.npy").reshape(-1, 6, 14)
    assert np.allclose(data.clip_frames(7)[0, ..., 2], z[1])


def test_the_conditions_of_the_test_people_are_splits(tmp_path):
    loaded = load(transg(tmp_path / "sets"), cache=tmp_path / "cache")
    assert {name: len(members) for name, members in loaded.splits.items()} == {
        "train": 3,
        "test_nm": 3,
        "test_bg": 3,
        "test_cl": 3,
    }
    assert loaded.report.differing == {"subjects of train": (2, 62), "subjects of test": (2, 62)}


def test_people_may_be_named_by_text(tmp_path):
    root = transg(tmp_path / "sets", train=("001", "002"), test=("063",))
    assert load(root, cache=tmp_path / "cache").data.subject[:2].tolist() == ["001", "002"]


def test_windows_may_be_listed_by_numpys_numbers(tmp_path):
    root = transg(tmp_path / "sets")
    edit(root, "ids", save({np.int64(1): [np.int64(0), np.int64(1)], 2: np.array([2])}))
    assert load(root, cache=tmp_path / "cache").data.subject[:3].tolist() == ["001", "001", "002"]


def edit(root, name, change):
    path = root / PLACE.format("train") / f"{name}_CASIA_B_6.npy"
    change(path)


def save(values):
    return lambda path: np.save(path, values, allow_pickle=True)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("source_y", save(np.ones((13, 14))), r"source_y.*182 numbers \(float64\) are no windows of 6 frames"),
        ("source_y", save(np.ones((12, 14))), "x, y, z have 3, 2, 3 windows"),
        ("source_y", lambda path: path.unlink(), "source_y.*no such file"),
        ("source_x", lambda path: path.unlink(), r"holds 0 files \[t_\]source_x_CASIA_B_<f>\.npy"),
        ("source_z", save(np.array([{}])), "source_z.*is no array of numbers"),
        ("frame_id", save(np.array([1, 2])), r"frame_id.*names 2 people \(int64\) for 3 windows"),
        ("ids", save({1: [0, 1, 2]}), "ids.*gives window 2 to person 001"),
        ("ids", save({1: [9]}), "ids.*gives window 9 to person 001"),
        ("ids", save({1: "x"}), "ids.*the windows of person '1' are no list of numbers"),
        ("ids", save([1]), "ids_CASIA_B_6.npy"),
        ("ids", lambda path: path.write_bytes(b"x"), "ids.*is no .npy of a dict"),
    ],
)
def test_files_that_do_not_fit_are_named(tmp_path, name, change, message):
    root = transg(tmp_path)
    edit(root, name, change)
    with pytest.raises(InvalidDataSet, match=message):
        check(KINDS["casia-b-transg"], root)


def test_a_place_without_the_halves_is_refused(tmp_path):
    with pytest.raises(InvalidDataSet, match="holds no CASIA_B_train_npy_data"):
        check(KINDS["casia-b-transg"], tmp_path)
