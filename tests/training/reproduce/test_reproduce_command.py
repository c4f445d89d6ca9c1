"""From files to table: every data set small, every command from start to end."""

import csv
import json
import shutil

import pytest

import gaitkeeper
from tests.training import shapes
from training.reproduce.choices import STREAMS
from training.reproduce.experiment import ABLATION

SMALL = {
    "network.widths": "[8,16]",
    "network.strides": "[2,2]",
    "network.subsets": "4",
    "network.dim": "8",
    "clip.frames": "8",
    "clip.clips": "2",
    "sampler.classes": "4",
    "loss.intra.bank": "16",
    "optim.steps": "1",
    "threads": "1",
}
OWN = """
name = "mine"
[data]
paths = ["kard.npz"]
kind = "kard"
split = "xsub_train"
label = "action"
[test]
split = "xsub_test"
[network]
layout = "kard-15"
dims = 3
[clip]
fps = 30.0
minimum = 4
stride = 4
dims = 3
[augment]
mirror = 0.0
[sampler]
kind = "plain"
per_class = 4
[loss.inter]
neighbours = 2
overlap = 1
[optim]
epochs = 6
lr = 0.02
"""


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
    """Runs `gaitkeeper reproduce ...`: (status, standard output, standard error)."""
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.setenv("GAITKEEPER_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            gaitkeeper.main(["reproduce", *map(str, arguments)])
        return end.value.code or 0, *capsys.readouterr()

    return run


def small(**more):
    pairs = {**SMALL, **{key.replace("_", ".", 1): str(value) for key, value in more.items()}}
    return [part for key, value in pairs.items() for part in ("--set", f"{key}={value}")]


def cells(out, name):
    with (out / f"{name}.csv").open() as file:
        return {row["method"]: row for row in csv.DictReader(file)}


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
    assert "(a) simulated data" in out
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


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A recipe on simulated KARD with its data, runs and results beside it; shared by the tests below, in order."""
    folder = tmp_path_factory.mktemp("own")
    shapes.write_recording(folder, "kard", per_class=8, frames=16)
    (folder / "mine.toml").write_text(OWN)
    return folder


def asked(own, *more, runs="runs", epochs=6):
    recipe = ("--recipe", own / "mine.toml", "--data", own, "--runs", own / runs, "--out", own / "out")
    return (*recipe, *small(optim_steps=2, optim_epochs=epochs), *more)


def test_table_8_trains_all_variants_once_and_takes_them_again(reproduce, own):
    status, out, err = reproduce("table-8", *asked(own, "--seeds", "1"))
    assert status == 0, err
    assert err.count(": training ") == len(ABLATION)
    rows = cells(own / "out", "table-8")
    assert all(rows[variant]["accuracy ours"] for variant in ABLATION)
    assert rows["baseline"]["gain ours"] == ""
    assert rows["full"]["gain ours"] != ""
    assert "better" in out or "one seed" in out or "No conclusion" in out
    status, _, err = reproduce("table-8", *asked(own, "--seeds", "1"))
    assert (status, err.count(": training ")) == (0, 0)


def test_ours_comes_only_from_reports_and_a_deleted_one_leaves_an_empty_cell(reproduce, own):
    report = own / "runs" / "mine" / "intra" / "seed-1" / "report.json"
    kept = report.read_text()
    report.unlink()
    status, _, err = reproduce("table-8", *asked(own, "--seeds", "1", "--only-report"))
    assert status == 0, err
    rows = cells(own / "out", "table-8")
    assert (rows["intra"]["accuracy ours"], rows["intra"]["gain ours"], rows["intra"]["weights, M ours"]) == (
        "",
        "",
        "",
    )
    assert rows["full"]["accuracy ours"] != ""
    status, _, err = reproduce("table-8", *asked(own, "--seeds", "1"))  # tested again, not trained again
    assert (status, err.count(": training ")) == (0, 0)
    again, before = json.loads(report.read_text()), json.loads(kept)
    assert again["figures"] == before["figures"]
    assert again["weights"] == before["weights"]


def test_a_report_of_other_weights_is_not_taken(reproduce, own):
    report = own / "runs" / "mine" / "intra" / "seed-1" / "report.json"
    content = json.loads(report.read_text())
    report.write_text(json.dumps(content | {"weights": "0" * 64, "figures": content["figures"] | {"accuracy": 2.0}}))
    assert reproduce("table-8", *asked(own, "--seeds", "1", "--only-report"))[0] == 0
    assert cells(own / "out", "table-8")["intra"]["accuracy ours"] == ""
    assert reproduce("table-8", *asked(own, "--seeds", "1"))[0] == 0
    assert json.loads(report.read_text())["figures"] == content["figures"]


def test_table_9_tests_what_table_8_trained_without_parts_of_the_body(reproduce, own):
    status, _, err = reproduce("table-9", *asked(own, "--variants", "baseline,full"))
    assert (status, err.count(": training ")) == (0, 0), err
    rows = cells(own / "out", "table-9")
    assert all(rows[name]["trunk ours"] for name in ("ACLNet", "baseline"))
    assert rows["ACLNet"]["trunk difference"] == ""  # another data set than the paper's


def test_table_10_takes_them_too(reproduce, own):
    status, out, err = reproduce("table-10", *asked(own, "--seeds", "1"), "--json")
    assert (status, err.count(": training ")) == (0, 0), err
    (table,) = json.loads(out)["tables"]
    assert any(row["ours"] for row in table["rows"])


def test_another_recipe_in_a_runs_place_is_refused_and_says_what_differs(reproduce, own):
    status, _, err = reproduce("table-8", *asked(own, "--seeds", "1", "--set", "optim.lr=0.5"))
    assert status == 2
    assert "mine/baseline/seed-1 holds a run of another recipe (optim.lr is 0.02, not 0.5)" in err
    assert "Traceback" not in err


def test_a_stopped_run_goes_on_to_the_same_weights(reproduce, own, monkeypatch):
    from training import callbacks

    whole = own / "runs" / "mine" / "baseline" / "seed-1"
    asking = asked(own, "--seeds", "1", "--variants", "baseline", runs="stopped")
    end = callbacks.Keeper.on_train_epoch_end

    def stopping(self, trainer, module):
        end(self, trainer, module)
        if trainer.current_epoch == 2:
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(callbacks.Keeper, "on_train_epoch_end", stopping)
        status, _, _ = reproduce("table-8", *asking)
        assert status == gaitkeeper.INTERRUPTED
    stopped = own / "stopped" / "mine" / "baseline" / "seed-1"
    assert not (stopped / "report.json").exists()
    status, _, err = reproduce("table-8", *asking)
    assert status == 0, err
    assert ": going on with " in err
    assert (
        json.loads((stopped / "report.json").read_text())["figures"]
        == (json.loads((whole / "report.json").read_text())["figures"])
    )


def test_runs_of_plain_training_count_alike(reproduce, own, capsys):
    place = own / "plain" / "mine" / "baseline" / "seed-1"
    off = ["--set", "loss.inter.enabled=false", "--set", "loss.intra.enabled=false"]
    settings = [*small(optim_steps=1, optim_epochs=2), *off, "--set", f"data.paths=['{own / 'kard.npz'}']"]
    with pytest.raises(SystemExit) as end:
        gaitkeeper.main(["train", str(own / "mine.toml"), "--out", str(place), *settings])
    assert not end.value.code, capsys.readouterr().err
    recipe = ("--recipe", own / "mine.toml", "--data", own, "--runs", own / "plain", "--out", own / "out")
    one = ("--seeds", "1", "--variants", "baseline")
    status, out, err = reproduce("table-8", *recipe, *small(optim_steps=1, optim_epochs=2), *one)
    assert (status, err.count(": training ")) == (0, 0), err
    assert "No conclusion" in out or "not known" in out


def test_what_is_trained_can_be_tested_while_others_still_train(reproduce, own):
    (own / "plain" / "mine" / "baseline" / "seed-1" / "report.json").unlink()
    recipe = ("--recipe", own / "mine.toml", "--data", own, "--runs", own / "plain", "--out", own / "out")
    settings = small(optim_steps=1, optim_epochs=2)
    status, _, err = reproduce("table-8", *recipe, *settings, "--seeds", "1,2", "--only-test")
    assert (status, err.count(": training ")) == (0, 0), err
    rows = cells(own / "out", "table-8")
    assert rows["baseline"]["accuracy seeds"] == "1"
    assert rows["full"]["accuracy ours"] == ""


def test_a_recipe_without_a_test_is_refused_before_anything_is_trained(reproduce, own, tmp_path):
    file = tmp_path / "untested.toml"
    file.write_text(OWN.replace('[test]\nsplit = "xsub_test"\n', ""))
    status, _, err = reproduce("table-8", "--recipe", file, "--data", own, "--runs", tmp_path / "runs", *small())
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
