import pytest

from model.errors import InvalidDataSet
from tests.training.data.written import flat_annotation, pyskl
from training.data.load import load

NAMES = ["A0xAXXysHUo_E_002184_002237_A_0000_0003", "0LtLS9wROrk_E_002407_002435_A_0003_0005"]


def test_clips_keep_their_classes_scores_and_splits(tmp_path):
    items = [flat_annotation(NAMES[0], 98, people=2), flat_annotation(NAMES[1], 7, seed=1)]
    path = pyskl(tmp_path / "gym_hrnet.pkl", items, {"train": NAMES[:1], "val": NAMES[1:]})
    loaded = load(path, cache=tmp_path / "cache")
    assert loaded.report.kind == "finegym-pickle"
    assert loaded.data.class_labels.tolist() == [98, 7]
    assert loaded.data.action.tolist() == ["098", "007"]
    assert loaded.data.view.tolist() == ["A0xAXXysHUo", "0LtLS9wROrk"]
    assert loaded.data.people.tolist() == [2, 1]
    assert loaded.data.sizes is not None
    assert loaded.data.sizes.tolist() == [[1280, 720], [1280, 720]]
    assert loaded.split("val").sequence_name.tolist() == NAMES[1:]
    assert loaded.report.differing == {"classes": (2, 99)}


def test_a_class_beyond_99_is_refused(tmp_path):
    path = pyskl(tmp_path / "gym_hrnet.pkl", [flat_annotation(NAMES[0], 99)])
    with pytest.raises(InvalidDataSet, match=r"annotations\[0\] \(A0xAXXysHUo.*: label 99 is none of the 99 classes"):
        load(path, cache=tmp_path / "cache")


def test_other_keypoints_in_the_same_schema_are_read_without_expectations(tmp_path):
    path = pyskl(tmp_path / "ucf101_hrnet.pkl", [flat_annotation("v_Biking_g01_c01", 100)], {"train1": []})
    report = load(path, cache=tmp_path / "cache").report
    assert (report.kind, report.as_expected) == ("pyskl-pickle", True)
