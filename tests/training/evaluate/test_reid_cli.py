import csv
import json

import pytest

from gaitkeeper import main
from model.bundle import ENCODER
from model.bundle_writing import write_bundle
from model.clips import ClipSpec
from tests.training.evaluate.test_reid import walks

onnx_files = pytest.importorskip("tests.model.onnx_files", reason="onnx makes the models under test")


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    path = tmp_path_factory.mktemp("bundles") / "small"
    files = {ENCODER: onnx_files.mean_pose_model(width=16)}
    write_bundle(path, files, name="small", layout="coco-17", clip=ClipSpec(frames=40), dim=16)
    return path


def run(*arguments):
    with pytest.raises(SystemExit) as stopped:
        main([str(argument) for argument in arguments])
    return stopped.value.code


def test_both_variants_stand_side_by_side_and_the_files_tell_the_same(tmp_path, bundle, capsys):
    walks(3).save_npz(tmp_path / "data" / "walkers.npz")
    out = tmp_path / "results"
    assert run("evaluate", "reid", "--bundle", bundle, "--data", tmp_path / "data", "--out", out) == 0
    printed = capsys.readouterr().out
    for said in ("N-N published", "N-N strict", "B-N strict", "mAP", "mINP", "3 people", "of the probe's own video"):
        assert said in printed
    assert {path.name for path in out.iterdir()} == {
        "results.json", "settings.csv", "cmc.csv", "left_out.csv", "cmc.png",
    }  # fmt: skip
    results = json.loads((out / "results.json").read_text())
    assert results["protocol"] == "casia-b-reid"
    assert results["frames"] == 40
    assert "evaluate reid" in results["command"]
    assert [(one["setting"], one["variant"]) for one in results["settings"]][:2] == [
        ("N-N", "published"), ("N-N", "strict"),
    ]  # fmt: skip
    with (out / "settings.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 10
    for row, one in zip(rows, results["settings"], strict=True):
        assert float(row["rank1"]) == one["rank1"]
        assert float(row["map_low"]) == one["map_interval_95"][0]
        assert one["rank1"] == one["cmc"][0] <= one["rank5"] <= one["rank10"]
    assert (out / "cmc.png").read_bytes()[:4] == b"\x89PNG"


def test_json_prints_what_the_file_holds_and_nothing_else(tmp_path, bundle, capsys):
    walks(2, views=("090",)).save_npz(tmp_path / "walkers.npz")
    out = tmp_path / "results"
    assert run("evaluate", "reid", "--bundle", bundle, "--data", tmp_path, "--out", out, "--json") == 0
    printed = capsys.readouterr().out
    assert printed == (out / "results.json").read_text()
    assert json.loads(printed)["settings"][1]["rank1"] is None  # strictly, one view has nothing to find


def test_data_that_are_not_there_cost_one_line_and_status_2(tmp_path, bundle, capsys):
    out = tmp_path / "out"
    assert run("evaluate", "reid", "--bundle", bundle, "--data", tmp_path / "absent.npz", "--out", out) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert not out.exists()


def test_help_names_an_example(capsys):
    assert run("evaluate", "reid", "--help") == 0
    assert "Example: gaitkeeper evaluate reid" in capsys.readouterr().out
