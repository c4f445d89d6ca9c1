"""`gaitkeeper enroll`, with one file and with manifests."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import gaitkeeper
from gallery.store import open_store
from tests.fakes import walking
from tests.gallery.command_line import Run, manifest, written

ROOT = Path(gaitkeeper.__file__).parent


def test_a_manifest_is_enrolled_and_run_again_without_doubling(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people = manifest(tmp_path, people=5)
    assert run("enroll", "--manifest", people, "--gallery", "staff", "--label", "site=north") == 0
    assert "10 enrolled, 0 there already, 0 refused" in capsys.readouterr().out
    assert run("enroll", "--manifest", people, "--gallery", "staff") == 0
    assert "0 enrolled, 10 there already, 0 refused" in capsys.readouterr().out
    assert run("subjects", "show", "s3", "--gallery", "staff", "--json") == 0
    held = json.loads(capsys.readouterr().out)["templates"]
    assert [template["labels"] for template in held] == [
        {"site": "north", "view": "000"},
        {"site": "north", "view": "010"},
    ]


def test_what_a_manifest_s_files_are_refused_for_is_summed_up_and_ends_with_status_1(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written(tmp_path / "short.json", walking(1, frames=9))
    written(tmp_path / "two.json", walking(1), walking(2))
    (tmp_path / "broken.json").write_text('{"layout": "coco-17", "joints": [[')
    (tmp_path / "empty.json").write_text("")
    more = "short.json,x,\ntwo.json,x,\nbroken.json,x,\nempty.json,x,\nnone.json,x,\n"
    people = manifest(tmp_path, people=2, takes=1, more=more)
    assert run("enroll", "--manifest", people) == 1
    said = capsys.readouterr()
    assert "2 enrolled, 0 there already, 5 refused" in said.out
    for word in ("1 × too_short", "1 × SeveralTracks", "3 × UnreadableFile", "none.json"):
        assert word in said.err
    assert run("enroll", "--manifest", people, "--json") == 1
    results = json.loads(capsys.readouterr().out)
    assert (results["enrolled"], results["repeated"], results["refused"]) == (0, 2, 5)
    assert [result["status"] for result in results["results"]] == ["repeated"] * 2 + ["refused"] * 5


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "bad.json"),
        ('{"layout": "coco-17", "joints": [[', "bad.json"),
        ('{"layout": "coco-17", "fps": 25, "joints": [[[NaN, 1]]]}', "bad.json"),
        ('{"layout": "octopus-8", "fps": 25, "units": "pixels", "joints": [[[1, 2]]]}', "octopus-8"),
    ],
)
def test_a_bad_file_is_one_line_and_status_2_and_makes_nothing(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, said: str
) -> None:
    (tmp_path / "bad.json").write_text(content)
    assert run("enroll", tmp_path / "bad.json", "--subject", "ann") == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("error: ")
    assert printed.err.count("\n") == 1
    assert said in printed.err
    assert not (tmp_path / "data").exists()


def test_a_short_walk_and_two_people_are_errors_that_say_what_to_do(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("enroll", written(tmp_path / "short.json", walking(1, frames=9)), "--subject", "ann") == 2
    assert "too_short" in capsys.readouterr().err
    two = written(tmp_path / "two.json", walking(1), walking(2))
    assert run("enroll", two, "--subject", "ann") == 2
    assert "choose one track" in capsys.readouterr().err
    assert run("enroll", two, "--subject", "ann", "--track", "person-1") == 0


def test_ctrl_c_in_a_batch_keeps_what_was_acknowledged_and_the_same_command_goes_on(
    run: Run, bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people = manifest(tmp_path, people=50, takes=4)
    command = [sys.executable, "-P", "-m", "gaitkeeper", "enroll", "--manifest", str(people), "--bundle", str(bundle)]
    environment = {**os.environ, "GAITKEEPER_DATA": str(tmp_path / "data"), "OMP_NUM_THREADS": "1"}
    worker = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True)
    store = None
    while worker.poll() is None:
        if store is None and (tmp_path / "data" / "gaitkeeper.db-wal").exists():
            store = open_store(tmp_path / "data")
        if store is not None and any(gallery.templates for gallery in store.galleries()):
            worker.send_signal(signal.SIGINT)
            break
        time.sleep(0.005)
    said = worker.communicate(timeout=60)[1]
    assert store is not None
    kept = store.gallery("default").gallery.templates
    assert 0 < kept < 200
    assert worker.returncode == 130, said
    assert "the same command goes on from here" in said
    assert "Traceback" not in said
    assert store.check() == []
    store.close()
    assert run("enroll", "--manifest", people, "--json") == 0
    results = json.loads(capsys.readouterr().out)
    assert (results["enrolled"], results["repeated"]) == (200 - kept, kept)
