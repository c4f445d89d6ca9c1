"""Table VIII and what follows from its runs, on one small recipe: trained, then taken, stopped, changed, deleted."""

import io
import json
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout

import pytest

import gaitkeeper
from tests.training import shapes
from tests.training.reproduce.reproducing import OWN, cells, reproduce_by, small
from training import callbacks
from training.reproduce.experiment import ABLATION


@pytest.fixture
def reproduce(capsys, settings):
    return reproduce_by(capsys)


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("COLUMNS", "250")
        patched.setenv("GAITKEEPER_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A recipe on simulated KARD with its data; runs and results come beside it."""
    folder = tmp_path_factory.mktemp("own")
    shapes.write_recording(folder, "kard", per_class=8, frames=16)
    (folder / "mine.toml").write_text(OWN)
    return folder


@pytest.fixture(scope="module")
def trained(own, settings):
    """Table VIII's runs, once for this file: what the command said (standard output, standard error)."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.raises(SystemExit) as end, redirect_stdout(out), redirect_stderr(err):
        gaitkeeper.main(["reproduce", "table-8", *map(str, asked(own, "--seeds", "1"))])
    assert not end.value.code, err.getvalue()
    return out.getvalue(), err.getvalue()


@pytest.fixture(scope="module")
def plain(own, settings):
    """A folder of runs with one that `gaitkeeper train` wrote, and what to ask `reproduce` with to take it."""
    runs = own / "plain"
    off = ["--set", "loss.inter.enabled=false", "--set", "loss.intra.enabled=false"]
    few = small(optim_steps=1, optim_epochs=2)
    place = ["--out", str(runs / "mine" / "baseline" / "seed-1"), "--set", f"data.paths=['{own / 'kard.npz'}']"]
    with pytest.raises(SystemExit) as end:
        gaitkeeper.main(["train", str(own / "mine.toml"), *place, *few, *off])
    assert not end.value.code
    return ("--recipe", own / "mine.toml", "--data", own, "--runs", runs, "--out", own / "out", *few)


def asked(own, *more, runs="runs", epochs=6):
    recipe = ("--recipe", own / "mine.toml", "--data", own, "--runs", own / runs, "--out", own / "out")
    return (*recipe, *small(optim_steps=2, optim_epochs=epochs), *more)


def test_table_8_trains_all_variants_once_and_takes_them_again(trained, reproduce, own):
    out, err = trained
    assert err.count(": training ") == len(ABLATION)
    rows = cells(own / "out", "table-8")
    assert all(rows[variant]["accuracy ours"] for variant in ABLATION)
    assert rows["baseline"]["gain ours"] == ""
    assert rows["full"]["gain ours"] != ""
    assert "better" in out or "one seed" in out or "No conclusion" in out
    status, _, err = reproduce("table-8", *asked(own, "--seeds", "1"))
    assert (status, err.count(": training ")) == (0, 0)


@pytest.mark.usefixtures("trained")
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


@pytest.mark.usefixtures("trained")
def test_a_report_of_other_weights_is_not_taken(reproduce, own):
    report = own / "runs" / "mine" / "intra" / "seed-1" / "report.json"
    content = json.loads(report.read_text())
    report.write_text(json.dumps(content | {"weights": "0" * 64, "figures": content["figures"] | {"accuracy": 2.0}}))
    assert reproduce("table-8", *asked(own, "--seeds", "1", "--only-report"))[0] == 0
    assert cells(own / "out", "table-8")["intra"]["accuracy ours"] == ""
    assert reproduce("table-8", *asked(own, "--seeds", "1"))[0] == 0
    assert json.loads(report.read_text())["figures"] == content["figures"]


@pytest.mark.usefixtures("trained")
def test_table_9_tests_what_table_8_trained_without_parts_of_the_body(reproduce, own):
    status, _, err = reproduce("table-9", *asked(own, "--variants", "baseline,full"))
    assert (status, err.count(": training ")) == (0, 0), err
    rows = cells(own / "out", "table-9")
    assert all(rows[name]["trunk ours"] for name in ("ACLNet", "baseline"))
    assert rows["ACLNet"]["trunk difference"] == ""  # another data set than the paper's


@pytest.mark.usefixtures("trained")
def test_table_10_takes_them_too(reproduce, own):
    status, out, err = reproduce("table-10", *asked(own, "--seeds", "1"), "--json")
    assert (status, err.count(": training ")) == (0, 0), err
    (table,) = json.loads(out)["tables"]
    assert any(row["ours"] for row in table["rows"])


@pytest.mark.usefixtures("trained")
def test_another_recipe_in_a_runs_place_is_refused_and_says_what_differs(reproduce, own):
    status, _, err = reproduce("table-8", *asked(own, "--seeds", "1", "--set", "optim.lr=0.5"))
    assert status == 2
    assert "mine/baseline/seed-1 holds a run of another recipe (optim.lr is 0.02, not 0.5)" in err
    assert "Traceback" not in err


@pytest.mark.usefixtures("trained")
def test_a_stopped_run_goes_on_to_the_same_weights(reproduce, own, monkeypatch):
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


def test_runs_of_plain_training_count_alike(reproduce, plain):
    status, out, err = reproduce("table-8", *plain, "--seeds", "1", "--variants", "baseline")
    assert (status, err.count(": training ")) == (0, 0), err
    assert "No conclusion" in out or "not known" in out


def test_what_is_trained_can_be_tested_while_others_still_train(reproduce, own, plain):
    (own / "plain" / "mine" / "baseline" / "seed-1" / "report.json").unlink(missing_ok=True)
    status, _, err = reproduce("table-8", *plain, "--seeds", "1,2", "--only-test")
    assert (status, err.count(": training ")) == (0, 0), err
    rows = cells(own / "out", "table-8")
    assert rows["baseline"]["accuracy seeds"] == "1"
    assert rows["full"]["accuracy ours"] == ""


def test_who_only_reports_needs_no_torch(own):
    asking = ["reproduce", "table-8", *map(str, asked(own, "--seeds", "1", "--only-report"))]
    code = (
        f"import sys, gaitkeeper\ntry:\n    gaitkeeper.main({asking!r})\n"
        "except SystemExit as end:\n    sys.exit(end.code or ('torch was loaded' if 'torch' in sys.modules else 0))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "baseline" in done.stdout
