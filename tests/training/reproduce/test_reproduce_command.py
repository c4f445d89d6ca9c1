"""From files to table: every data set small, every command from start to end."""

import shutil

import pytest

from tests.training import shapes
from tests.training.reproduce.reproducing import OWN, cells, reproduce_by, small
from training.reproduce.choices import STREAMS


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    shapes.write_ntu60(folder / "ntu60", per_class=8, frames=12)
    shapes.write_ntu120(folder / "ntu120", per_class=8, frames=12)
    shapes.write_kinetics(folder / "kinetics", per_class=4, frames=12)
    shapes.write_pku_mmd(folder / "pku-mmd", per_class=8, frames=12)
    shapes.write_finegym(folder / "finegym", per_class=4, frames=12)
    for place in folder.iterdir():
        (place / "simulation.json").write_text("{}")
    return folder


@pytest.fixture
def reproduce(capsys, monkeypatch, tmp_path_factory):
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.setenv("GAITKEEPER_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    return reproduce_by(capsys)


def test_table_1_trains_streams_and_joins_them(reproduce, data, tmp_path):
    given = ("--data", data, "--runs", tmp_path / "runs", "--out", tmp_path / "out", "--epochs", 1, "--streams", "b,j")
    status, out, err = reproduce("table-1", *given, *small())
    assert status == 0, err
    rows = cells(tmp_path / "out", "table-1")
    own = [name for name, row in rows.items() if row["X-View ours"]]
    assert own == ["ACLNet, joint stream", "ACLNet, 2 streams"]  # two streams are not six
    assert rows["ST-GCN"]["X-Sub paper"] == "81.5"
    joined = rows["ACLNet, 2 streams"]
    assert joined["X-Sub marks"].startswith("simulated data; a smaller dose: 1 of 150 epochs; the recipe was changed: ")
    assert joined["X-Sub difference"] == ""  # nothing is to be learned from simulated data
    assert "(all) simulated data" in out
    page = (tmp_path / "out" / "table-1.html").read_text()
    assert "ST-GCN" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


@pytest.mark.parametrize(
    ("name", "column", "recipes", "streams", "row"),
    [
        ("table-2", "X-Set", ["ntu120-xset", "ntu120-xsub"], "j", "ACLNet, joint stream"),
        ("table-3", "Top-5", ["kinetics"], ",".join(STREAMS), "ACLNet"),
        ("table-4", "X-View", ["pku-mmd-xsub", "pku-mmd-xview"], "j", "ACLNet, joint stream"),
        ("table-5", "mean over classes", ["finegym"], "j", "ACLNet, joint stream"),
    ],
)
def test_tables_2_to_5_run_from_files_to_figures(reproduce, data, tmp_path, name, column, recipes, streams, row):
    given = ("--data", data, "--runs", tmp_path / "runs", "--out", tmp_path / "out", "--epochs", 1)
    status, _, err = reproduce(name, *given, "--streams", streams, *small())
    assert status == 0, err
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == recipes
    assert {path.name for path in (tmp_path / "runs" / recipes[0]).iterdir()} == set(streams.split(","))
    assert 0 <= float(cells(tmp_path / "out", name)[row][f"{column} ours"]) <= 100


def test_a_recipe_without_a_test_is_refused_before_anything_is_trained(reproduce, tmp_path):
    file = tmp_path / "untested.toml"
    file.write_text(OWN.replace('[test]\nsplit = "xsub_test"\n', ""))
    (tmp_path / "kard.npz").touch()
    status, _, err = reproduce("table-8", "--recipe", file, "--data", tmp_path, "--runs", tmp_path / "runs", *small())
    assert status == 2
    assert "[test] names no paths, split, keep or protocol" in err
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("table-8", "--seeds", "1,x"), "seeds: takes whole numbers with commas between them, got '1,x'"),
        (("table-8", "--variants", "all"), "variants: takes some of baseline, inter, dynamic, intra, full"),
        (("table-1", "--streams", "j,x"), "streams: takes some of j, b, k, jm, bm, km"),
        (("table-1", "--data", "nowhere"), "data set nowhere: is not there. Ask the ROSE Lab"),
        (("table-1", "--recipe", "pyproject.toml"), "recipe: table-1 has recipes of its own; table-6 to table-10"),
        (("table-11",), "table-11"),
    ],
)
def test_what_cannot_be_asked_for_is_said_in_one_line(reproduce, arguments, said):
    status, out, err = reproduce(*arguments)
    assert status == 2
    assert said in out + err
    assert "Traceback" not in err


def test_a_recipe_of_people_has_no_tables_of_actions(reproduce, tmp_path):
    shutil.copy("training/recipes/published/casia-b.toml", tmp_path / "people.toml")
    for name in ("table-9", "table-10"):
        status, _, err = reproduce(name, "--recipe", tmp_path / "people.toml")
        assert status == 2
        assert "tells people apart; this table or figure is of actions" in err


def test_help_has_an_example(reproduce):
    status, out, _ = reproduce("--help")
    assert status == 0
    assert "Example: gaitkeeper reproduce table-8 --data data --seeds 1,2,3" in out
