"""`gaitkeeper reproduce` from data to page: Tables VI and VII, Figures 3 to 6; small networks on simulated data."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from model.bundle import open_bundle
from tests.training.reproduce import left_runs
from tests.training.shapes import write_casia_b, write_transg
from training.reproduce import figure_4
from training.reproduce.cli import reproduce
from training.reproduce.identity import BUNDLE
from training.reproduce.report import read_report
from training.run import RECIPE
from training.toml import to_toml

TINY = (
    "network.widths=[8,8]", "network.strides=[2,2]", "network.dim=8", "optim.steps=1", "threads=1", "sampler.classes=8",
)  # fmt: skip
app = typer.Typer()
app.command()(reproduce)


def run(folder, *arguments, settings=TINY):
    places = ("--runs", folder / "runs", "--out", folder / "out", "--epochs", 2, "--json")
    given = [part for setting in settings for part in ("--set", setting)]
    every = [str(argument) for argument in (*arguments, *places, *given)]
    result = CliRunner().invoke(app, every, env={"TERM": "dumb", "COLUMNS": "200"}, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout), (folder / "out" / f"{arguments[0]}.html").read_text()


def ours_of(content, row="ACLNet"):
    cells = next(each["ours"] for each in content["tables"][0]["rows"] if each["name"] == row)
    return [None if cell is None else cell["mean"] for cell in cells]


def test_table_6_trains_exports_and_searches_as_it_would_be_served(tmp_path):
    write_casia_b(tmp_path / "data" / "casia-b", subjects=(1, 2, 60, 75, 76), views=(0, 90))
    content, page = run(tmp_path, "table-6", "--data", tmp_path / "data")
    path = tmp_path / "runs/casia-b/full/seed-1"
    figures = read_report(path).figures
    assert open_bundle(path / BUNDLE).tasks == ("encoder",)
    assert ours_of(content) == pytest.approx(
        [100 * table["rank1"] for table in figures["tables"]] + [100 * figures["mean_rank1"]], abs=1e-3
    )
    assert figures["people"] == 2
    cells = figures["cells"][0]
    assert cells["gallery_views"] == cells["probe_views"] == ["000", "090"]
    assert np.isnan(np.array(cells["rank1"], float).diagonal()).all()
    assert cells["cmc"][0] == pytest.approx(figures["tables"][0]["rank1"], abs=1e-5)
    assert cells["cmc"][-1] == 1.0  # of two people, one is among the first two
    assert page.count("<img") == 2
    assert "a smaller dose: 2 of 150 epochs" in page


def test_table_7_trains_exports_and_re_identifies(tmp_path):
    write_transg(tmp_path / "data" / "casia-b-reid", windows=3)
    content, page = run(tmp_path, "table-7", "--data", tmp_path / "data")
    assert all(0 <= share <= 100 for share in ours_of(content))
    assert [table["name"] for table in content["tables"]] == ["table-7", "table-7-figures"]
    assert page.count("<img") == 1  # the data name no views: nothing can be said strictly
    assert (tmp_path / "out" / "table-7-figures.csv").is_file()


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Where the figures' runs lie, and the recipe's file."""
    folder = tmp_path_factory.mktemp("trained")
    recipe = left_runs.recipe_of(folder, optim={"epochs": 4, "steps": 2}, network={"layout": "kard-15", "dims": 3})
    (folder / RECIPE).write_text(to_toml(recipe.model_dump(mode="json")))
    return folder, folder / RECIPE


def pictures(folder: Path, page: str) -> set[str]:
    """Names of the pictures beside a page, all of which are in it."""
    assert page.count("<img") == len(re.findall("data:image/png;base64,", page))
    return {file.stem for file in (folder / "out").glob("*.png")}


def test_every_figure_is_made_from_runs_that_they_share(trained, monkeypatch):
    folder, file = trained
    few = {name: replace(setting, values=setting.values[:1]) for name, setting in figure_4.SETTINGS.items()}
    monkeypatch.setattr(figure_4, "SETTINGS", {name: few[name] for name in ("n_a", "lambda1")})
    settings = ("network.widths=[8,8]", "threads=1")
    _, tsne = run(folder, "figure-5", "--recipe", file, settings=settings)
    assert pictures(folder, tsne) == {"tsne"}
    assert {path.name for path in (folder / "runs/kard-small/full/seed-1/epochs").iterdir()} == {
        "epoch-001.pt", "epoch-002.pt",
    }  # fmt: skip
    before = (folder / "runs/kard-small/full/seed-1/weights.pt").read_bytes()
    _, families = run(folder, "figure-3", "--recipe", file, settings=settings)
    assert families.count("<img") == 3
    differences, _ = run(folder, "figure-6", "--recipe", file, "--seeds", 1, settings=settings)
    assert {row["name"] for row in differences["tables"][0]["rows"]} == set(left_runs.ACTIONS)
    sweeps, _ = run(folder, "figure-4", "--recipe", file, settings=settings)
    assert [row["name"] for row in sweeps["tables"][0]["rows"]] == ["n_a = 2", "lambda1 = 0.01"]
    runs = {path.parent.name for path in (folder / "runs/kard-small").glob("*/seed-1")}
    assert runs == {"full", "baseline", "n_a=2", "lambda1=0.01"}
    assert (folder / "runs/kard-small/full/seed-1/weights.pt").read_bytes() == before
