import json
from dataclasses import replace
from pathlib import Path

import pytest

import gaitkeeper
from tests.recordings import recording
from tests.training.data.test_npz_sets import poses, ucla
from tests.training.data.written import annotation, gaitgraph, pyskl, skeleton, standing
from tests.training.small import small_set
from training.data.casia_b import PEOPLE_FILE, TEST_FILE, TRAIN_FILE, WALKERS_FILE
from training.data.kinds import KINDS
from training.data.load import load

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def data(capsys, monkeypatch):
    """Runs `gaitkeeper data ...`: (status, standard output, standard error)."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            gaitkeeper.main(["data", *map(str, arguments)])
        return end.value.code or 0, *capsys.readouterr()

    return run


def test_a_set_with_recordings_missing_says_which_counts_differ_and_ends_with_1(data, tmp_path):
    skeleton(tmp_path / "S001C001P001R001A001.skeleton", [[("1", pose)] for pose in standing(3)])
    status, out, err = data("check", tmp_path)
    assert status == 1, err
    assert "NTU RGB+D 60, .skeleton files (ntu60-raw)" in out
    assert "expected 56,578 (-56,577)" in out
    assert out.endswith("  not as expected\n")
    assert err == ""


def test_a_whole_set_ends_with_0_and_json_is_one_document(data):
    status, out, err = data("check", recording("kard.npz"), "--json")
    assert status == 0, err
    said = json.loads(out)
    assert said["as_expected"]
    assert said["sets"][0]["kind"] == "kard"
    assert said["sets"][0]["expected"]["recordings"] == {"expected": 540, "found": 540, "agrees": True}


def test_several_files_that_are_sets_are_checked_one_by_one(data, tmp_path):
    for name, action in (("a", "doffing"), ("b", "arm curl")):
        ucla(tmp_path / f"{name}.npz", [poses(2, 0)], views=["v01"], actions=[action])
    status, out, _err = data("check", tmp_path)
    assert status == 1
    assert "(nw-ucla)" in out
    assert "(utd-mhad)" in out


def test_simulated_walkers_are_checked_without_the_list_of_who_they_are(data, tmp_path):
    small_set().save_npz(tmp_path / WALKERS_FILE)
    (tmp_path / PEOPLE_FILE).write_text("subject,sex,stature\n")
    status, out, err = data("check", tmp_path)
    assert status == 0, err
    assert out.startswith(str(tmp_path / WALKERS_FILE))


@pytest.mark.parametrize(("empty", "status"), [(3, 0), (None, 1)])
def test_recordings_in_which_nobody_is_seen_are_counted_and_a_set_of_them_is_wrong(empty, status, data, tmp_path):
    known = small_set()
    frames = known.frames.copy()
    frames[: known.offsets[-1 if empty is None else empty], :, -1] = 0
    replace(known, frames=frames).save_npz(tmp_path / "set.npz")
    found, out, _err = data("check", tmp_path)
    assert found == status
    assert f"recordings of nobody: confidence 0 throughout: {empty or len(known)}" in out
    assert ("problem: nobody is seen in any recording" in out) == bool(status)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "nowhere"], "data set nowhere: there is no such file or directory"),
        (["check", ".", "--as", "ntu61"], "data set ntu61: is no kind of data set; known are ntu60-raw"),
        (["check", "README.md"], "data set README.md: is of no known kind; `--as` takes ntu60-raw"),
        (["check", "model"], "data set model: holds no data set that is known by its files"),
    ],
)
def test_what_cannot_be_read_is_one_line_and_status_2(data, arguments, message):
    status, out, err = data(*arguments)
    assert status == 2
    assert out == ""
    assert message in err
    assert err.count("\n") == 1


def test_a_malformed_file_is_one_line_with_its_place_and_status_2(data, tmp_path):
    path = pyskl(tmp_path / "x.pkl", [annotation("S001C001P001R001A001", 0), annotation("S001C001P001R001A002", 60)])
    status, _out, err = data("check", path)
    assert status == 2
    assert f"{path}: annotations[1] (S001C001P001R001A002): label 60 is none of the 60 classes" in err
    assert err.count("\n") == 1


def test_checking_keeps_nothing(data, tmp_path, monkeypatch):
    gaitgraph(tmp_path / TRAIN_FILE, ["001-nm-01-000"])
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setenv("GAITKEEPER_CACHE", str(tmp_path / "cache"))
    data("check", tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


def test_gaitgraphs_files_are_loaded_together(tmp_path):
    gaitgraph(tmp_path / TRAIN_FILE, ["001-nm-01-000", "074-cl-02-018"], frames=70)
    gaitgraph(tmp_path / TEST_FILE, ["075-bg-01-180"])
    loaded = load(tmp_path, cache=tmp_path / "cache")
    assert loaded.report.kind == "casia-b-gaitgraph"
    assert {name: len(members) for name, members in loaded.splits.items()} == {"train": 2, "valid": 1, "test": 1}
    assert loaded.report.counts["under 61 frames"] == 1
    assert loaded.data.sequence_name.tolist() == ["nm-01", "cl-02", "bg-01"]


def test_every_kind_is_listed(data):
    _status, out, _err = data("kinds", "--json")
    assert json.loads(out) == {name: kind.title for name, kind in KINDS.items()}
    _, out, _ = data("kinds")
    assert all(name in out for name in KINDS)


def test_every_command_shows_an_example(data):
    for command in ("check", "kinds"):
        assert f"Example: gaitkeeper data {command}" in " ".join(data(command, "--help")[1].split())
