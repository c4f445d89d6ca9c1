import numpy as np
import pytest

from model.errors import InvalidDataSet
from tests.training.data.written import annotation, pku_mmd, pyskl
from training.data.kinds import KINDS
from training.data.load import check, load


def poses(frames, people=1, seed=0):
    out = np.zeros((frames, 2, 25, 3))
    out[:, :people] = np.random.default_rng(seed).uniform(1, 2, (frames, people, 25, 3)).round(4)
    return out


@pytest.fixture
def videos():
    return {
        "0001-L": (poses(20), [(1, 2, 8, 2), (51, 9, 19, 1)]),
        "0001-M": (poses(20, people=2, seed=1), [(12, 0, 20, 2)]),
        "0002-R": (poses(10, seed=2), [(3, 5, 5, 2), (4, 4, 12, 1)]),
    }


def test_actions_are_cut_out_of_their_videos_with_both_people(tmp_path, videos):
    folder = pku_mmd(tmp_path / "pku", videos, train=["0001-L", "0001-M"], val=["0002-R"])
    loaded = load(folder, cache=tmp_path / "cache")
    data = loaded.data
    assert loaded.report.kind == "pku-mmd-raw"
    assert data.class_labels.tolist() == [0, 50, 11, 3]
    assert data.view.tolist() == ["L", "L", "M", "R"]
    assert data.condition.tolist() == ["0001-L", "0001-L", "0001-M", "0002-R"]
    assert data.lengths.tolist() == [6, 10, 20, 6]
    assert data.people.tolist() == [1, 1, 2, 1]
    assert np.allclose(data.clip_frames(0)[0, ..., :3], videos["0001-L"][0][2:8, 0])
    assert np.allclose(data.clip_frames(2)[1, ..., :3], videos["0001-M"][0][:, 1])


def test_splits_go_by_video_and_by_view(tmp_path, videos):
    views = (["0001-M", "0002-R"], ["0001-L"])
    folder = pku_mmd(tmp_path / "pku", videos, train=["0001-L", "0001-M", "0009-L"], val=["0002-R"], views=views)
    loaded = load(folder, cache=tmp_path / "cache")
    assert {name: members.tolist() for name, members in loaded.splits.items()} == {
        "xsub_train": [0, 1, 2],
        "xsub_val": [3],
        "xview_train": [2, 3],
        "xview_val": [0, 1],
    }
    assert "cross-subject.txt names videos that are not there: 1" in loaded.report.notes
    assert not loaded.report.problems


def test_what_cannot_be_cut_out_is_left_out_and_counted(tmp_path, videos):
    folder = pku_mmd(tmp_path / "pku", videos | {"0003-L": (poses(5, people=0), [(1, 0, 5, 1)])})
    (folder / "Train_Label_PKU_final" / "0001-L.txt").rename(folder / "Train_Label_PKU_final" / "0007-L.txt")
    report = check(KINDS["pku-mmd-raw"], folder)
    assert report.left_out == {
        "video without labels": (1, ("0001-L",)),
        "it ends before it begins": (1, ("0002-R_00005_00005_A03",)),
        "nobody is in it": (1, ("0003-L_00000_00005_A01",)),
        "labels without a video": (1, ("0007-L",)),
    }
    assert "actions that go on beyond their video's end are cut there: 1" in report.notes


def test_the_documented_names_of_files_are_read_too(tmp_path, videos):
    folder = pku_mmd(tmp_path / "pku", videos)
    for place, suffix in (("PKU_Skeleton_Renew", ".skeleton"), ("Train_Label_PKU_final", ".label")):
        for file in list((folder / place).iterdir()):
            file.rename(file.with_suffix(suffix))
    assert load(folder, cache=tmp_path / "cache").report.counts["recordings"] == 4


@pytest.mark.parametrize(
    ("file", "line", "text", "message"),
    [
        ("PKU_Skeleton_Renew/0001-L.txt", 3, "1 2 3", "line 3: 3 numbers where 150 are expected"),
        ("PKU_Skeleton_Renew/0001-L.txt", 4, "x " * 150, "line 4: coordinates must be finite numbers"),
        ("PKU_Skeleton_Renew/0001-L.txt", 5, "nan " * 150, "line 5: coordinates must be finite numbers"),
        ("Train_Label_PKU_final/0001-L.txt", 2, "1,2,3", "line 2: '1,2,3' is not label,start,end,confidence"),
        ("Train_Label_PKU_final/0001-L.txt", 2, "52,2,3,1", "line 2: label 52 is none of 1 to 51"),
        ("Split/cross-subject.txt", 2, "0001-L, nonsense", "line 2: 'nonsense' is no video, as 0001-L"),
        ("Split/cross-subject.txt", 4, None, "line 4: the names of the videos that validate are expected there"),
    ],
)
def test_a_malformed_line_is_named_by_its_number(tmp_path, videos, file, line, text, message):
    path = pku_mmd(tmp_path, videos, train=["0001-L"], val=["0002-R"]) / file
    lines = path.read_text().splitlines()
    lines[line - 1 :] = [text, *lines[line:]] if text is not None else []
    path.write_text("\n".join(lines))
    with pytest.raises(InvalidDataSet, match=f"{path.name}: {message}"):
        check(KINDS["pku-mmd-raw"], tmp_path)


def test_a_video_that_is_there_twice_is_refused(tmp_path, videos):
    folder = pku_mmd(tmp_path, videos)
    (folder / "again").mkdir()
    (folder / "again" / "0001-L.skeleton").write_text("0 " * 150)
    with pytest.raises(InvalidDataSet, match="video 0001-L is there twice"):
        check(KINDS["pku-mmd-raw"], folder)


def test_its_pickle_is_read_with_its_own_splits(tmp_path):
    names = ["0002-L_0010_0050", "0002-M_0010_0050"]
    items = [annotation(name, i, people=2, seed=i) for i, name in enumerate(names)]
    split = {"xsub_train": names, "xsub_val": [], "xview_train": names[1:], "xview_val": names[:1]}
    loaded = load(pyskl(tmp_path / "pku_mmd.pkl", items, split), cache=tmp_path / "cache")
    assert loaded.report.kind == "pku-mmd-pickle"
    assert loaded.data.view.tolist() == ["L", "M"]
    assert loaded.data.people.tolist() == [2, 2]
    assert loaded.data.action.tolist() == ["000", "001"]
    assert not loaded.report.problems
    with pytest.raises(InvalidDataSet, match="label 51 is none of the 51 classes"):
        load(pyskl(tmp_path / "other.pkl", [annotation("0002-L", 51)]), cache=tmp_path / "cache")
