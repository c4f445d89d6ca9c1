import csv
import json

import numpy as np
import pytest

from gaitkeeper import main
from model.bundle import CLASSIFIER
from model.bundle_writing import write_bundle
from model.clips import ClipSpec
from tests.training import shapes
from tests.training.evaluate.planted import actions
from training.data.cache import VARIABLE
from training.data.kinds import KINDS
from training.data.load import load
from training.evaluate.action_result import ActionResult
from training.protocols.actions import class_names

onnx_files = pytest.importorskip("tests.model.onnx_files", reason="onnx makes the models under test")

LEFT = {"results.json", "classes.csv", "left_out.csv", "confusion.png", "probabilities.npz"}


@pytest.fixture(autouse=True)
def _cache(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "120")


def bundle_for(folder, data, kind, trained=None, **clip):
    """A classifier that knows the classes of `data`, and nothing about them."""
    loaded = load(data)
    labels = tuple(np.unique(class_names(loaded.data)).tolist())
    layout, dims = KINDS[kind].layout, KINDS[kind].dims
    model = onnx_files.mean_pose_model(
        "classifier", joints=layout.count, channels=dims + 1, width=len(labels), scale=0.1, people=clip.get("people", 1)
    )
    spec = ClipSpec(dims=dims, minimum=1, frames=16, sampling="uniform", **clip)
    files = {CLASSIFIER: model}
    write_bundle(
        folder / "bundle", files, name="small", layout=layout.name, clip=spec, labels=labels, trained=trained
    )  # fmt: skip
    return folder / "bundle"


def run(*arguments, command="actions"):
    with pytest.raises(SystemExit) as stopped:
        main(["evaluate", command, *map(str, arguments)])
    return stopped.value.code


@pytest.fixture
def ntu(tmp_path):
    data = shapes.write_ntu60(tmp_path / "ntu")
    return data, bundle_for(tmp_path, data, "ntu60-pickle", clips=3, people=2)


def test_an_official_test_leaves_its_counts_figures_classes_and_probabilities(tmp_path, ntu, capsys):
    data, bundle = ntu
    out = tmp_path / "out"
    assert run("--bundle", bundle, "--data", data, "--protocol", "ntu60-xsub", "--out", out) == 0
    printed = capsys.readouterr().out
    assert "ntu60-xsub: 16 recordings; it should have 16,487 (16,471 are missing); the data set holds 32" in printed
    results = json.loads((out / "results.json").read_text())
    assert results["protocol"] == "ntu60-xsub"
    assert results["data_set"]["expected"] == 16487
    assert (results["data_set"]["tested_on"], results["data_set"]["recordings"]) == (16, 32)
    assert results["figure"] == "top-1"
    kept = ActionResult.load(out / "probabilities.npz")
    assert kept.accuracy == pytest.approx(results["accuracy"], abs=1e-6)
    assert kept.probabilities.shape == (16, 4)
    with (out / "classes.csv").open() as file:
        assert [row["recordings"] for row in csv.DictReader(file)] == ["4"] * 4
    assert {path.name for path in out.iterdir()} == LEFT


def test_a_split_by_its_name_and_a_number_of_clips(tmp_path, ntu):
    data, bundle = ntu
    asked = ("--bundle", bundle, "--data", data, "--split", "xview_val", "--clips", 1, "--out", tmp_path / "out")
    assert run(*asked) == 0
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert (results["protocol"], results["sequences"]) == ("split xview_val", 12)


def test_parts_and_frames_are_hidden_where_that_is_asked_for(tmp_path, ntu, capsys):
    data, bundle = ntu
    asked = ("--bundle", bundle, "--data", data, "--protocol", "ntu60-xview", "--out", tmp_path / "out")
    assert run(*asked, "--occluded", "after") == 0
    assert "two-hands" in capsys.readouterr().out
    found = json.loads((tmp_path / "out" / "results.json").read_text())["occlusion"]
    assert found["joints_hidden"] == "after"
    assert list(found["parts"]) == ["left-arm", "right-arm", "two-hands", "two-legs", "trunk"]
    assert list(found["frames_of_100"]) == ["10", "20", "30", "40", "50"]
    assert set(found["parts"]["trunk"]) == {"accuracy", "top5_accuracy", "mean_class_accuracy"}


def test_of_finegym_the_mean_over_classes_is_said_first_and_of_kinetics_top_5(tmp_path, capsys):
    for kind, write, protocol, first in (
        ("finegym-pickle", shapes.write_finegym, "finegym", "mean over classes"),
        ("kinetics-pickle", shapes.write_kinetics, "kinetics", "accuracy"),
    ):
        folder = tmp_path / kind
        data = write(folder / "data", classes=7)
        out = folder / "out"
        assert (
            run("--bundle", bundle_for(folder, data, kind), "--data", data, "--protocol", protocol, "--out", out) == 0
        )
        line = next(line for line in capsys.readouterr().out.splitlines() if "chance" in line or line.startswith(first))
        assert line.startswith(first)
        assert "top5_accuracy" in json.loads((out / "results.json").read_text())


def test_json_is_what_the_file_holds(tmp_path, ntu, capsys):
    data, bundle = ntu
    assert run("--bundle", bundle, "--data", data, "--out", tmp_path / "out", "--json") == 0
    assert capsys.readouterr().out == (tmp_path / "out" / "results.json").read_text()


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--split", "xset_val"), "there are: xsub_train"),
        (("--protocol", "kard"), "protocol kard takes kard"),
        (("--protocol", "ntu60-xsub", "--split", "xsub_val"), "give one of the two"),
        (("--as", "nothing"), "is no kind of data set"),
    ],
)
def test_what_cannot_be_asked_costs_one_line_and_status_2(tmp_path, ntu, capsys, asked, said):
    data, bundle = ntu
    out = tmp_path / "out"
    assert run("--bundle", bundle, "--data", data, "--out", out, *asked) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_the_shipped_classifier_refuses_actions_that_it_does_not_know_and_says_which_it_does(tmp_path, ntu, capsys):
    data, _ = ntu
    assert run("--data", data, "--out", tmp_path / "out") == 2
    assert "knows none of its labels (A001 drink water" in capsys.readouterr().err


def test_clips_of_a_classifier_that_takes_windows_cannot_be_asked_for(tmp_path, capsys):
    actions().save_npz(tmp_path / "a.npz")
    bundle = tmp_path / "windows"
    model = onnx_files.mean_pose_model("classifier", width=2, scale=0.001)
    write_bundle(
        bundle, {CLASSIFIER: model}, name="small", layout="coco-17", clip=ClipSpec(), labels=("walk", "run")
    )  # fmt: skip
    assert run("--bundle", bundle, "--data", tmp_path / "a.npz", "--out", tmp_path / "out", "--clips", 3) == 2
    assert "takes all windows" in capsys.readouterr().err


def test_what_the_bundle_was_made_from_is_told_where_it_is_tested_on(tmp_path, capsys):
    data = shapes.write_ntu60(tmp_path / "ntu")
    trained = {"recipe": {"data": {"kind": "ntu60-pickle", "split": "xsub_train", "paths": ["elsewhere"]}}}
    bundle = bundle_for(tmp_path, data, "ntu60-pickle", trained)
    for protocol, seen in (("ntu60-xsub", 0), ("ntu60-xview", 8)):
        out = tmp_path / protocol
        assert run("--bundle", bundle, "--data", data, "--protocol", protocol, "--out", out) == 0
        assert json.loads((out / "results.json").read_text())["data_set"]["seen_in_training"] == seen
        assert ("are in what the bundle was made from" in capsys.readouterr().out) == (seen > 0)


def test_results_of_the_same_recordings_are_joined_by_weight(tmp_path, ntu, capsys):
    data, bundle = ntu
    for clips in (1, 2):
        asked = ("--bundle", bundle, "--data", data, "--clips", clips, "--out", tmp_path / f"of-{clips}")
        assert run(*asked) == 0
    out, both = tmp_path / "both", [tmp_path / "of-1", tmp_path / "of-2"]
    capsys.readouterr()
    assert run(*both, "--weights", "3,1", "--out", out, command="ensemble") == 0
    assert "alone, of-2:" in capsys.readouterr().out
    results = json.loads((out / "results.json").read_text())
    assert [(one["name"], one["weight"]) for one in results["ensemble"]] == [("of-1", 3.0), ("of-2", 1.0)]
    one, two, joined = (ActionResult.load(place / "probabilities.npz") for place in (*both, out))
    assert joined.probabilities == pytest.approx((3 * one.probabilities + two.probabilities) / 4, abs=1e-6)
    for weights, said in (("3", "as many weights"), ("a,b", "no numbers"), ("1,0", "above 0")):
        assert run(*both, "--weights", weights, "--out", tmp_path / "none", command="ensemble") == 2
        assert said in capsys.readouterr().err
    assert run(tmp_path / "absent", "--out", tmp_path / "none", command="ensemble") == 2
    assert not (tmp_path / "none").exists()
