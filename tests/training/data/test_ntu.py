import numpy as np
import pytest

from tests.recordings import recording
from tests.training.data.written import annotation, flat_annotation, pyskl, skeleton, standing
from training.data.kinds import KINDS
from training.data.load import check, load
from training.data.ntu import EXPECTED_60, EXPECTED_120, LISTED, TRAIN_SUBJECTS
from training.data.ntu_missing import missing

NAMES = [
    f"S{s:03d}C{c:03d}P{p:03d}R001A{a:03d}"
    for s, c, p, a in [(1, 1, 1, 1), (1, 2, 3, 2), (2, 3, 8, 60), (18, 1, 41, 61), (19, 2, 45, 120)]
]


def folder(tmp_path, names=NAMES):
    for i, name in enumerate(names):
        skeleton(tmp_path / "skeletons" / f"{name}.skeleton", [[("1", pose)] for pose in standing(4, seed=i)])
    return tmp_path / "skeletons"


def test_a_folder_of_120_classes_is_read_with_its_labels(tmp_path):
    loaded = load(folder(tmp_path), cache=tmp_path / "cache")
    data = loaded.data
    assert loaded.report.kind == "ntu120-raw"
    assert data.sequence_name.tolist() == NAMES
    assert data.subject.tolist() == ["001", "003", "008", "041", "045"]
    assert data.view.tolist() == ["001", "002", "003", "001", "002"]
    assert data.condition.tolist() == ["001", "001", "002", "018", "019"]
    assert data.action.tolist() == [
        "A001 drink water",
        "A002 eat meal/snack",
        "A060 walking apart from each other",
        "A061 put on headphone",
        "A120 finger-guessing game",
    ]
    assert data.class_labels.tolist() == [0, 1, 59, 60, 119]
    assert np.allclose(data.clip_frames(1)[0, :, :, :3], standing(4, seed=1), atol=1e-6)


def test_the_first_60_classes_can_be_taken_of_120(tmp_path):
    report = check(KINDS["ntu60-raw"], folder(tmp_path))
    assert report.counts["recordings"] == 3
    assert report.notes == ("recordings of other classes than the first 60 are left alone: 2",)


def test_the_official_splits_follow_from_the_names(tmp_path):
    splits = load(folder(tmp_path), cache=tmp_path / "cache").splits
    assert {name: members.tolist() for name, members in splits.items()} == {
        "xsub_train": [0, 2, 4],
        "xsub_val": [1, 3],
        "xset_train": [2, 3],
        "xset_val": [0, 1, 4],
    }
    splits = load(folder(tmp_path), "ntu60-raw", cache=tmp_path / "cache").splits
    assert splits["xview_train"].tolist() == [1, 2]
    assert splits["xview_val"].tolist() == [0]


@pytest.mark.parametrize("kind", ["ntu60-raw", "ntu120-raw"])
def test_training_and_test_halves_divide_the_recordings(tmp_path, kind):
    loaded = load(folder(tmp_path), kind, cache=tmp_path / "cache")
    everything = np.arange(len(loaded.data))
    for half in ("xsub", "xset" if kind.startswith("ntu120") else "xview"):
        parts = np.concatenate([loaded.splits[f"{half}_{part}"] for part in ("train", "val")])
        assert np.array_equal(np.sort(parts), everything)


def test_half_the_people_train():
    assert len(set(TRAIN_SUBJECTS)) == 53
    assert sum(subject <= 40 for subject in TRAIN_SUBJECTS) == 20


@pytest.mark.parametrize("expected", [EXPECTED_60, EXPECTED_120])
def test_the_official_counts_agree_among_themselves(expected):
    halves = {name.partition("_")[0] for name in expected if "_" in name}
    assert all(expected[f"{half}_train"] + expected[f"{half}_val"] == expected["recordings"] for half in halves)
    repetitions = {60: 56_880, 120: 114_480}[expected["classes"]]
    listed = sum(int(name[-3:]) <= expected["classes"] for name in missing())
    assert repetitions - listed == expected["recordings"]


def test_what_its_makers_call_missing_is_not_even_opened(tmp_path):
    listed = "S001C002P005R002A008"
    place = folder(tmp_path, NAMES[:1])
    (place / f"{listed}.skeleton").write_text("broken")
    skeleton(place / "S001C001P001R001A002.skeleton", [[], []])
    (place / "notes.skeleton").write_text("")
    report = check(KINDS["ntu60-raw"], place)
    assert report.counts["recordings"] == 1
    assert report.left_out == {
        LISTED: (1, (listed,)),
        "nobody is in it": (1, ("S001C001P001R001A002",)),
        "its name is not SsssCcccPpppRrrrAaaa": (1, ("notes",)),
    }
    assert report.differing["recordings"] == (1, 56_578)


def test_the_published_preparation_is_there_for_comparison(tmp_path):
    pose = standing(1)[0]
    frames = [[("1", pose)], [], [("1", pose)]]
    skeleton(tmp_path / f"{NAMES[0]}.skeleton", frames)
    assert load(tmp_path, "ntu60-raw", cache=tmp_path / "cache").data.lengths.tolist() == [3]
    assert load(tmp_path, "ntu60-raw-official", cache=tmp_path / "cache").data.lengths.tolist() == [2]


def pickled(tmp_path, names, **splits):
    items = [annotation(name, int(name[-3:]) - 1, people=1 + i % 2, seed=i) for i, name in enumerate(names)]
    return pyskl(tmp_path / "ntu.pkl", items, splits), items


def test_the_pickle_keeps_both_people_and_its_own_splits(tmp_path):
    path, items = pickled(tmp_path, NAMES[:3], xsub_train=[NAMES[0], NAMES[2]], xsub_val=[NAMES[1]])
    loaded = load(path, cache=tmp_path / "cache")
    assert loaded.report.kind == "ntu60-pickle"
    assert loaded.data.people.tolist() == [1, 2, 1]
    assert np.array_equal(loaded.data.clip_frames(1)[..., :3], items[1]["keypoint"])
    assert loaded.splits["xsub_train"].tolist() == [0, 2]
    assert loaded.splits["xview_val"].tolist() == [0]
    assert not loaded.report.problems


def test_a_pickle_whose_split_is_not_the_official_one_says_so(tmp_path):
    path, _ = pickled(tmp_path, NAMES[:3], xsub_train=NAMES[:3], xsub_val=[])
    report = load(path, cache=tmp_path / "cache").report
    assert "split xsub_train differs from the official rule in 1 recordings" in report.problems


def test_a_pickle_of_120_classes_is_told_by_its_splits_or_its_classes(tmp_path):
    path, _ = pickled(tmp_path, NAMES[:3], xset_train=NAMES[:3])
    assert load(path, cache=tmp_path / "cache").report.kind == "ntu120-pickle"
    path, _ = pickled(tmp_path, NAMES)
    assert load(path, cache=tmp_path / "cache").report.kind == "ntu120-pickle"


def test_keypoints_of_its_videos_are_another_kind(tmp_path):
    path = pyskl(tmp_path / "ntu60_hrnet.pkl", [flat_annotation(NAMES[0], 0)], {"xview_train": []})
    assert load(path, cache=tmp_path / "cache").report.kind == "ntu60-hrnet"


def test_real_files_are_read():
    report = check(KINDS["ntu60-raw"], recording("samples/ntu"))
    assert report.counts == {"recordings": 2, "frames": 203, "subjects": 1, "views": 1, "classes": 2}
