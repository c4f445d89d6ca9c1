import csv
import json

import numpy as np
import pytest

from gaitkeeper import main
from gallery.calibration import Calibration
from model.bundle import CLASSIFIER, ENCODER
from model.bundle_writing import write_bundle
from model.clips import ClipSpec
from tests.training.evaluate.planted import actions, casia_b_walks
from training.data.cache import VARIABLE
from training.data.casia_b import WALKERS_FILE

onnx_files = pytest.importorskip("tests.model.onnx_files", reason="onnx makes the models under test")


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    files = {
        ENCODER: onnx_files.mean_pose_model(width=16),
        CLASSIFIER: onnx_files.mean_pose_model("classifier", width=2, scale=0.001),
    }
    path = tmp_path_factory.mktemp("bundles") / "small"
    write_bundle(path, files, name="small", layout="coco-17", clip=ClipSpec(), dim=16, labels=("walk", "run"))
    return path


def run(*arguments):
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    return stopped.value.code


def test_gait_prints_a_table_and_leaves_files_that_tell_the_same(tmp_path, bundle, capsys):
    casia_b_walks(4, short=[3]).save_npz(tmp_path / "data" / WALKERS_FILE)
    out = tmp_path / "results"
    assert run("evaluate", "gait", "--bundle", bundle, "--data", tmp_path / "data", "--out", out) == 0
    printed = capsys.readouterr().out
    assert "NM" in printed
    assert "4 people" in printed
    assert "left out: 1 sequences, too_short" in printed
    results = json.loads((out / "results.json").read_text())
    assert results["bundle"]["name"] == "small"
    assert results["people"] == 4
    assert "evaluate gait" in results["command"]
    with (out / "cells.csv").open() as file:
        cells = list(csv.DictReader(file))
    assert len(cells) == 3 * 110
    mean = np.mean([float(c["rank1"]) for c in cells if c["table"] == "BG"])
    assert mean == pytest.approx(results["tables"][1]["rank1"], abs=1e-5)
    assert "075-nm-01-054,too_short" in (out / "left_out.csv").read_text()
    assert (out / "matrices.png").read_bytes()[:4] == b"\x89PNG"
    assert {path.name for path in out.iterdir()} == {"results.json", "cells.csv", "left_out.csv", "matrices.png"}


def test_json_prints_what_the_file_holds_and_nothing_else(tmp_path, bundle, capsys):
    casia_b_walks(2).save_npz(tmp_path / WALKERS_FILE)
    out = tmp_path / "results"
    assert run("evaluate", "gait", "--bundle", bundle, "--data", tmp_path, "--out", out, "--json") == 0
    assert capsys.readouterr().out == (out / "results.json").read_text()


def test_actions_prints_classes_and_leaves_a_confusion_matrix(tmp_path, bundle, capsys):
    actions().save_npz(tmp_path / "a.npz")
    out = tmp_path / "results"
    assert run("evaluate", "actions", "--bundle", bundle, "--data", tmp_path / "a.npz", "--out", out) == 0
    assert "mean over classes" in capsys.readouterr().out
    results = json.loads((out / "results.json").read_text())
    assert np.sum(results["confusion"]["counts"]) == 12
    assert (out / "confusion.png").read_bytes()[:4] == b"\x89PNG"


def test_calibrate_writes_what_the_gallery_reads(tmp_path, bundle, capsys):
    casia_b_walks(10).save_npz(tmp_path / WALKERS_FILE)
    out = tmp_path / "calibration.json"
    assert run("evaluate", "calibrate", "--bundle", bundle, "--data", tmp_path, "--out", out, "--made-on", "ten") == 0
    assert "10 people" in capsys.readouterr().out
    calibration = Calibration.from_json(json.loads(out.read_text()))
    assert calibration.made_on == "ten"
    assert calibration.subjects == 10
    assert calibration.searches == 100  # walks, not views


@pytest.mark.parametrize("command", ["gait", "actions", "calibrate"])
def test_data_that_are_not_there_cost_one_line_and_status_2(tmp_path, bundle, capsys, command):
    out = tmp_path / "out"
    assert run("evaluate", command, "--bundle", bundle, "--data", tmp_path / "absent.npz", "--out", out) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not out.exists()


def test_help_names_an_example(capsys):
    for command in ("gait", "actions", "calibrate"):
        assert run("evaluate", command, "--help") == 0
        assert "Example:" in capsys.readouterr().out
