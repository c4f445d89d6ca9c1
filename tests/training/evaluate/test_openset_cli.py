"""The command: files that tell the same, refusals in one line, and what is printed."""

import csv
import json
from html.parser import HTMLParser

import numpy as np
import pytest

from gaitkeeper import main
from model.bundle import ENCODER
from model.bundle_writing import write_bundle
from model.clips import ClipSpec
from tests.training.evaluate.planted import casia_b_walks
from tests.training.evaluate.planted_people import people_walking

FILES = {
    "report.html", "results.json", "identification.csv", "investigation.csv", "groups.csv", "by_enrolled.csv",
    "det.csv", "cmc.csv", "det.png", "cmc.png", "scores.png", "groups.png", "by_enrolled.png",
}  # fmt: skip
QUICK = ("--divisions", 2, "--draws", 100)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    onnx_files = pytest.importorskip("tests.model.onnx_files", reason="onnx makes the models under test")
    path = tmp_path_factory.mktemp("bundles") / "small"
    files = {ENCODER: onnx_files.mean_pose_model(width=16)}
    write_bundle(path, files, name="small", layout="coco-17", clip=ClipSpec(), dim=16)
    return path


@pytest.fixture
def embeddings(tmp_path):
    found = people_walking(60, spread=1.0)
    path = tmp_path / "people.npz"
    np.savez(path, embeddings=found.embeddings, subject=found.subject, walk=found.walk.astype(str), **found.columns)
    return path


def run(*arguments):
    with pytest.raises(SystemExit) as stopped:
        main(["evaluate", "openset", *(str(argument) for argument in arguments)])
    return stopped.value.code or 0


class Addresses(HTMLParser):
    """Every address that a page would load."""

    def __init__(self):
        super().__init__()
        self.found, self.said = [], []

    def handle_starttag(self, tag, attrs):
        self.found += [value for name, value in attrs if name in ("src", "href")]
        self.said += [value for name, value in attrs if name == "alt"]


def test_a_file_of_embeddings_becomes_tables_pictures_and_a_page_that_needs_nothing_else(tmp_path, embeddings, capsys):
    out = tmp_path / "out"
    assert run("--embeddings", embeddings, "--by", "condition", "--by", "sex", "--out", out, *QUICK) == 0
    printed = capsys.readouterr().out
    assert "identification (T > 0)" in printed
    assert "60 people" in printed
    assert {path.name for path in out.iterdir()} == FILES
    page = Addresses()
    page.feed((out / "report.html").read_text())
    assert len(page.found) == 5 == len(page.said)
    assert all(address.startswith("data:image/png;base64,") for address in page.found)
    results = json.loads((out / "results.json").read_text())
    rate = results["identification"][0]["fnir_at_fpir"]["0.1"]
    with (out / "identification.csv").open() as file:
        row = next(row for row in csv.DictReader(file) if row["value"] == "all" and row["fpir"] == "0.1")
    assert float(row["rate"]) == pytest.approx(rate["rate"])
    assert results["groups"][1]["groups"][0]["people"] == 30
    assert "+667 people" in printed or results["identification"][0]["fnir_at_fpir"]["0.003"]["people_short"] > 0


def test_a_data_set_goes_through_the_bundle_and_json_is_what_the_file_holds(tmp_path, bundle, capsys):
    casia_b_walks(4, short=[3]).save_npz(tmp_path / "walks.npz")
    out = tmp_path / "out"
    line = ("--data", tmp_path / "walks.npz", "--bundle", bundle, "--out", out, *QUICK)
    assert run(*line, "--enroll", "condition=nm", "--json") == 0
    printed = capsys.readouterr().out
    assert printed == (out / "results.json").read_text()
    results = json.loads(printed)
    assert (results["left_out"], results["people"], results["walks_known"]) == (1, 4, True)
    assert results["bundle"]["name"] == "small"
    assert results["identification"][0]["fnir_at_fpir"]["0.1"]["people_short"] == 6  # of ten, to draw people again


def test_a_requirement_that_is_not_shown_is_status_1_and_says_why(tmp_path, embeddings, capsys):
    line = ("--embeddings", embeddings, "--out", tmp_path / "out", "--threshold", 0.99, "--require", 100, *QUICK)
    assert run(*line) == 1
    printed = capsys.readouterr().out.replace("\n", " ")
    assert "FAIL" in printed
    assert "30 enrolled, 90 are needed" in printed


def test_columns_about_people_come_from_a_file(tmp_path, embeddings, capsys):
    ages = tmp_path / "ages.csv"
    ages.write_text("subject,age\n" + "".join(f"{i:03d},{20 + i}\n" for i in range(60)))
    line = ("--embeddings", embeddings, "--labels", ages, "--by", "age:40", "--out", tmp_path / "out", *QUICK)
    assert run(*line) == 0
    groups = json.loads((tmp_path / "out" / "results.json").read_text())["groups"][0]["groups"]
    assert [(group["value"], group["people"]) for group in groups] == [("< 40", 20), (">= 40", 40)]
    ages.write_text("name,age\nx,3\n")
    assert run(*line) == 2
    assert "column subject" in capsys.readouterr().err


def test_markup_in_labels_stays_text(tmp_path, capsys):
    found = people_walking(30)
    np.savez(
        tmp_path / "p.npz", embeddings=found.embeddings, subject=found.subject, walk=found.walk.astype(str),
        view=np.where(found.columns["view"] == "000", "[red]<b>", "[/x]"),
    )  # fmt: skip
    assert run("--embeddings", tmp_path / "p.npz", "--out", tmp_path / "out", *QUICK) == 0
    assert "[red]<b>" in capsys.readouterr().out
    assert "<b>" not in (tmp_path / "out" / "report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "--data or --embeddings"),
        (("--embeddings", "absent.npz"), "no such file"),
        (("--embeddings", "PEOPLE", "--by", "height"), "no 'height'"),
        (("--embeddings", "PEOPLE", "--by", "sex:3"), "only numbers"),
        (("--embeddings", "PEOPLE", "--only", "sex"), "COLUMN=VALUE"),
        (("--embeddings", "PEOPLE", "--only", "sex=x"), "at least 3"),
        (("--embeddings", "PEOPLE", "--gallery-share", "1"), "gallery_share"),
        (("--embeddings", "BROKEN"), "lacks embeddings"),
        (("--embeddings", "NAN"), "must be finite"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_leaves_nothing(tmp_path, embeddings, capsys, arguments, said):
    np.savez(tmp_path / "broken.npz", x=np.zeros(3))
    np.savez(tmp_path / "nan.npz", embeddings=np.full((3, 2), np.nan), subject=np.array(["a", "b", "c"]))
    files = {"PEOPLE": embeddings, "BROKEN": tmp_path / "broken.npz", "NAN": tmp_path / "nan.npz"}
    out = tmp_path / "out"
    assert run(*(files.get(argument, argument) for argument in arguments), "--out", out) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_help_names_an_example(capsys):
    assert run("--help") == 0
    assert "Example:" in capsys.readouterr().out
