"""Simulated data on disk: readable by our own reader, never half-written, never overwritten by accident."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from model.errors import InvalidDataSet
from training.data import casia_b
from training.data.arrays import SequenceSet, load_npz
from training.simulate import write
from training.simulate.cli import app
from training.simulate.walkers import Plan, body_of, simulate_walkers


@pytest.fixture(scope="module")
def few() -> SequenceSet:
    return simulate_walkers([74, 75], seed=7, views=(0, 90), walks={"nm": 1, "bg": 1})


def test_csv_comes_back_as_it_was(few: SequenceSet, tmp_path: Path) -> None:
    write.write_casia_b(tmp_path, few)
    back = casia_b.load(tmp_path)
    assert back.subject.tolist() == few.subject.tolist()
    assert back.view.tolist() == few.view.tolist()
    assert back.sequence_name.tolist() == few.sequence_name.tolist()
    assert back.condition.tolist() == few.condition.tolist()
    assert np.array_equal(back.offsets, few.offsets)
    assert np.array_equal(back.frames, few.frames)


def test_the_files_split_at_subject_74(few: SequenceSet, tmp_path: Path) -> None:
    write.write_casia_b(tmp_path, few)
    assert set(casia_b.read_csv(tmp_path / casia_b.TRAIN_FILE).subject) == {"074"}
    assert set(casia_b.read_csv(tmp_path / casia_b.TEST_FILE).subject) == {"075"}


def test_a_frame_without_anybody_has_no_row(few: SequenceSet, tmp_path: Path) -> None:
    write.write_csv(tmp_path / "a.csv", few, np.arange(len(few)))
    lines = (tmp_path / "a.csv").read_text().splitlines()
    assert lines[0] == write.HEADER
    assert len(lines) - 1 == int((few.frames[..., 2] > 0).any(axis=1).sum())
    assert lines[1].startswith("walkers/074-nm-01-000/000001.jpg,")


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError])
def test_what_is_interrupted_leaves_nothing_and_spares_what_was_there(
    tmp_path: Path, error: type[BaseException]
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "a.txt").write_text("before")

    def half() -> None:
        with write.replacing(out, ("a.txt",)) as draft:
            (draft / "a.txt").write_text("half")
            raise error

    with pytest.raises(error):
        half()
    assert (out / "a.txt").read_text() == "before"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_what_is_replaced_goes_and_what_is_not_ours_stays(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt", "notes.txt"):
        (tmp_path / name).write_text("old")
    with write.replacing(tmp_path, ("a.txt", "b.txt")) as draft:
        (draft / "a.txt").write_text("new")
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"a.txt": "new", "notes.txt": "old"}


def test_existing_files_are_refused_without_force(tmp_path: Path) -> None:
    (tmp_path / "walkers.npz").touch()
    with pytest.raises(InvalidDataSet, match="--force"):
        write.refuse_existing(tmp_path, write.WALKERS_FILES, force=False)
    write.refuse_existing(tmp_path, write.WALKERS_FILES, force=True)
    with pytest.raises(InvalidDataSet, match="not a directory"):
        write.refuse_existing(tmp_path / "walkers.npz", (), force=True)


def test_the_command_writes_a_data_set_and_what_made_it(tmp_path: Path) -> None:
    arguments = [
        "walkers",
        "--subjects",
        "2",
        "--first",
        "74",
        "--out",
        str(tmp_path / "d"),
        "--workers",
        "1",
        "--json",
    ]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    parameters = json.loads((tmp_path / "d" / "simulation.json").read_text())
    assert (said["sequences"], parameters["role"], parameters["seed"]) == (220, "test", 7)
    assert parameters["noise"]["jitter"] > 0
    again = load_npz(tmp_path / "d" / "walkers.npz")
    assert len(again) == 220
    assert sorted(p.name for p in (tmp_path / "d").iterdir()) == sorted(write.WALKERS_FILES)
    people = (tmp_path / "d" / casia_b.PEOPLE_FILE).read_text().splitlines()
    assert people[0] == "subject,sex,stature"
    assert [line.split(",")[0] for line in people[1:]] == sorted(set(again.subject))
    body = body_of(74, Plan(seed=7))
    assert float(people[1].split(",")[2]) == pytest.approx(body.stature, abs=1e-3)
    refused = CliRunner().invoke(app, arguments)
    assert isinstance(refused.exception, InvalidDataSet)


def test_the_command_writes_actions(tmp_path: Path) -> None:
    arguments = ["actions", "--subjects", "2", "--per-action", "1", "--out", str(tmp_path / "d")]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "14 sequences" in result.output
    assert len(load_npz(tmp_path / "d" / "actions.npz")) == 14
