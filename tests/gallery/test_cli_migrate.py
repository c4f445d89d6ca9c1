"""`gaitkeeper gallery create|show|migrate|rollback` as they are typed, interrupted and killed."""

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import gaitkeeper
from model.bundle_writing import write_bundle
from model.clips import ClipSpec
from tests.fakes import walking
from tests.gallery.command_line import Run, manifest, written

Capture = pytest.CaptureFixture[str]
ROOT = Path(gaitkeeper.__file__).parent


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with another encoder, and no calibration."""
    onnx_files = pytest.importorskip("tests.model.onnx_files", reason="onnx makes the models under test")
    path = tmp_path_factory.mktemp("bundles") / "other"
    files = {"encoder.onnx": onnx_files.mean_pose_model(width=24)}
    write_bundle(path, files, name="other", layout="coco-17", clip=ClipSpec(), dim=24)
    return path


def as_json(run: Run, capsys: Capture, *line: object) -> dict[str, Any]:
    capsys.readouterr()
    assert run(*line, "--json") == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.fixture
def staff(run: Run, tmp_path: Path) -> Path:
    """A probe of `s1`, where s0 to s4 are enrolled in `staff`, which keeps skeletons."""
    assert run("gallery", "create", "staff", "--vault-days", "30") == 0
    assert run("enroll", "--manifest", manifest(tmp_path, people=5), "--gallery", "staff") == 0
    return written(tmp_path / "probe.json", walking(1, seed=7))


def test_what_a_gallery_keeps_and_how_is_said_when_it_is_made_and_shown(run: Run, staff: Path, capsys: Capture) -> None:
    assert run("gallery", "create", "secret", "--protected") == 0
    assert run("gallery", "show", "secret") == 0
    said = capsys.readouterr().out
    assert "skeletons: none are kept" in said
    assert "under a secret transform" in said
    assert run("gallery", "show", "staff") == 0
    said = capsys.readouterr().out
    assert "staff: 5 subjects, 10 templates; active, change" in said
    assert "skeletons: kept 30 days; of 10 templates now" in said
    found = as_json(run, capsys, "gallery", "show", "staff")
    assert (found["gallery"]["vault_days"], found["vault"]["skeletons"]) == (30, 10)
    assert [each["state"] for each in found["generations"]] == ["active"]
    assert run("gallery", "list") == 0
    assert "30 days" in capsys.readouterr().out
    for wrong in ("0", "-1", "4000", "many"):
        assert run("gallery", "create", "x", "--vault-days", wrong) == 2


def test_from_one_encoder_to_another_and_back(
    run: Run, staff: Path, other: Path, bundle: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("gallery", "migrate", "staff", "--bundle", other, "--no-switch") == 0
    said = capsys.readouterr().out
    assert "still answers" in said
    assert "10 templates have the same subject nearest as before" in said
    assert run("gallery", "show", "staff") == 0
    assert "a migration has begun" in capsys.readouterr().out
    assert run("identify", staff, "--gallery", "staff", "--threshold", "0.5") == 0
    assert run("gallery", "migrate", "staff", "--bundle", other) == 0
    said = capsys.readouterr().out
    assert "answers with bundle" in said
    assert "5 subjects, 10 templates" in said
    assert "no calibration of its own" in said
    assert run("identify", staff, "--gallery", "staff", "--threshold", "0.5") == 2
    assert "made with bundle" in capsys.readouterr().err
    line = [sys.executable, "-P", "-m", "gaitkeeper", "identify", str(staff), "-g", "staff", "--threshold", "0.5"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    found = subprocess.run([*line, "--bundle", str(other)], capture_output=True, text=True, env=env, check=True)
    assert "match: this is subject s1" in found.stdout
    assert run("gallery", "migrate", "staff", "--bundle", other) == 2
    assert "of this bundle already" in capsys.readouterr().err
    assert run("gallery", "migrate", "staff", "--bundle", bundle) == 2
    assert "rollback" in capsys.readouterr().err
    assert run("gallery", "rollback", "staff") == 0
    assert run("identify", staff, "--gallery", "staff", "--threshold", "0.5") == 0
    assert "match: this is subject s1" in capsys.readouterr().out
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert run("gallery", "migrate", "staff", "--drop-old") == 1
    assert run("gallery", "migrate", "staff", "--drop-old", "--yes") == 0
    assert "deleted the generation" in capsys.readouterr().out
    assert run("gallery", "migrate", "staff", "--drop-old", "--yes") == 2
    assert run("gallery", "rollback", "staff") == 2
    assert "no former generation" in capsys.readouterr().err


def test_a_rollback_embeds_what_came_since_with_the_bundle_of_then(
    run: Run, staff: Path, other: Path, bundle: Path, tmp_path: Path, capsys: Capture
) -> None:
    assert run("gallery", "migrate", "staff", "--bundle", other) == 0
    line = [sys.executable, "-P", "-m", "gaitkeeper", "enroll", str(written(tmp_path / "n.json", walking(9)))]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    options = ["--subject", "new", "-g", "staff", "--bundle", str(other)]
    subprocess.run([*line, *options], capture_output=True, env=env, check=True)
    assert run("gallery", "rollback", "staff") == 2
    assert "1 templates were enrolled since" in capsys.readouterr().err
    assert run("gallery", "rollback", "staff", "--bundle", other) == 2
    done = as_json(run, capsys, "gallery", "rollback", "staff", "--bundle", bundle)
    assert (done["subjects"], done["behind"]["subjects"]) == (6, [])
    assert as_json(run, capsys, "subjects", "show", "new", "--gallery", "staff")["subject"]["templates"] == 1


def test_whoever_has_no_skeleton_is_named_and_left_behind_only_if_so_wanted(
    run: Run, other: Path, tmp_path: Path, capsys: Capture
) -> None:
    assert run("gallery", "migrate", "staff", "--bundle", other) == 2
    walk = written(tmp_path / "a.json", walking(1))
    assert run("enroll", walk, "--subject", "ann", "--gallery", "plain") == 0
    assert run("gallery", "migrate", "plain", "--bundle", other) == 2
    assert "keeps no skeletons" in capsys.readouterr().err
    assert run("gallery", "show", "plain") == 0
    assert "migration" not in capsys.readouterr().out


NO_SENSE: list[tuple[str, ...]] = [
    (),
    ("--drop-old", "--abandon"),
    ("--drop-old", "--bundle", "x"),
    ("--abandon", "--yes"),
    ("--bundle", "no/such/bundle"),
    ("--bundle", "action-coco17"),
]


def test_a_migration_that_makes_no_sense_is_refused(run: Run, staff: Path) -> None:
    for line in NO_SENSE:
        assert run("gallery", "migrate", "staff", *line) == 2, line
    assert run("gallery", "migrate", "nobody", "--abandon", "--yes") == 2


def test_one_that_was_begun_can_be_given_up(run: Run, staff: Path, other: Path, capsys: Capture) -> None:
    assert run("gallery", "migrate", "staff", "--bundle", other, "--no-switch", "--no-calibrate") == 0
    assert "agreement" not in capsys.readouterr().out
    assert run("gallery", "migrate", "staff", "--abandon", "--yes") == 0
    assert "5 subjects, 10 templates" in capsys.readouterr().out
    assert [each["state"] for each in as_json(run, capsys, "gallery", "show", "staff")["generations"]] == ["active"]


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGKILL])
def test_interrupted_or_killed_the_old_one_answers_and_the_same_command_goes_on(
    run: Run, other: Path, tmp_path: Path, capsys: Capture, end: signal.Signals
) -> None:
    assert run("gallery", "create", "staff", "--vault-days", "30") == 0
    assert run("enroll", "--manifest", manifest(tmp_path, people=18), "--gallery", "staff") == 0
    line = [sys.executable, "-P", "-c", SLOW, "gallery", "migrate", "staff", "--bundle", str(other), "--json"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("begins")
        process.send_signal(end)
        _, said = process.communicate(timeout=60)
    assert process.returncode == (130 if end is signal.SIGINT else -signal.SIGKILL)
    if end is signal.SIGINT:
        assert "the same command goes on" in said
    assert "Traceback" not in said
    assert run("identify", tmp_path / "1-0.json", "--gallery", "staff", "--threshold", "0.5") == 0
    states = [each["state"] for each in as_json(run, capsys, "gallery", "show", "staff")["generations"]]
    assert states == ["active", "building"]
    done = as_json(run, capsys, "gallery", "migrate", "staff", "--bundle", other)
    assert (done["subjects"], done["templates"]) == (18, 36)


# Says when the first batch is done, and then takes its time.
SLOW = """
import sys, time
import gallery.migrate as use_case, gaitkeeper
steps = use_case.Filling.steps
def slowly(self):
    for count in steps(self):
        print("begins", file=sys.stderr, flush=True)
        yield count
        time.sleep(0.3)
use_case.Filling.steps = slowly
gaitkeeper.main()
"""
