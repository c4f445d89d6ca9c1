"""The commands as they are typed, on files, with a small real bundle."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gaitkeeper
from gallery.calibration import Calibration
from gallery.store import open_store
from model.bundle_writing import write_bundle
from model.clips import ClipSpec
from model.sequence import SkeletonSequence
from tests.fakes import walking

onnx_files = pytest.importorskip("tests.model.onnx_files", reason="onnx makes the models under test")

ROOT = Path(gaitkeeper.__file__).parent
TABLE = [{"subjects": n, "fpir": f, "threshold": 0.9} for n in (1, 100) for f in (0.01, 0.05)]
CALIBRATION = Calibration.from_json({"id": "made-up", "made_on": "x", "subjects": 100, "table": TABLE})

Run = Callable[..., int]


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bundles") / "small"
    files = {
        "encoder.onnx": onnx_files.mean_pose_model(width=32),
        "calibration.json": json.dumps(CALIBRATION.to_json()).encode(),
    }
    write_bundle(path, files, name="small", layout="coco-17", clip=ClipSpec(), dim=32)
    return path


@pytest.fixture
def run(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line with the data directory `data` and the small bundle; gives the exit status."""
    monkeypatch.setenv("GAITKEEPER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: object) -> int:
        takes_bundle = arguments[0] in ("enroll", "identify", "verify") or arguments[:2] == ("gallery", "create")
        line = [str(argument) for argument in arguments] + (["--bundle", str(bundle)] if takes_bundle else [])
        with pytest.raises(SystemExit) as stopped:
            gaitkeeper.main(line)
        return int(stopped.value.code or 0)

    return call


def written(path: Path, *sequences: SkeletonSequence) -> Path:
    each = [
        {
            "layout": s.layout.name,
            "fps": s.fps,
            "units": str(s.units),
            "joints": s.joints.tolist(),
            "confidence": s.confidence.tolist(),
        }
        for s in sequences
    ]
    several = {"tracks": [{"name": f"person-{i}", "sequence": one} for i, one in enumerate(each)]}
    path.write_text(json.dumps(each[0] if len(each) == 1 else several))
    return path


def manifest(folder: Path, people: int, takes: int = 2, more: str = "") -> Path:
    lines = ["file,subject,view"]
    for person in range(people):
        for take in range(takes):
            name = written(folder / f"{person}-{take}.json", walking(person, seed=take)).name
            lines.append(f"{name},s{person},0{take}0")
    path = folder / "people.csv"
    path.write_text("\n".join(lines) + "\n" + more)
    return path


def test_from_a_file_to_this_is_subject_ann(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for person, name in enumerate(("ann", "bob", "eve")):
        walk = written(tmp_path / f"{name}.json", walking(person))
        assert run("enroll", walk, "--subject", name, "--label", "view=090") == 0
    said = capsys.readouterr()
    assert "1 enrolled" in said.out
    assert "created gallery default" in said.err
    probe = written(tmp_path / "probe.json", walking(1, seed=5))
    assert run("identify", probe) == 0
    said = capsys.readouterr()
    assert "match: this is subject bob" in said.out
    assert "3 subjects searched" in said.out
    assert "false-positive rate of 0.05; basis: the bundle's calibration" in said.out.replace("\n", " ")


def test_identify_prints_json_that_holds_the_whole_decision(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("enroll", written(tmp_path / "a.json", walking(1)), "--subject", "ann")
    capsys.readouterr()
    assert run("identify", tmp_path / "a.json", "--json", "--fpir", "0.01", "--top-k", "1") == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert (said["gallery"], said["decision"]["outcome"], said["decision"]["subject"]) == ("default", "match", "ann")
    assert (said["decision"]["fpir"], said["decision"]["basis"]) == (0.01, "prior")
    assert said["decision"]["candidates"] == [{"subject": "ann", "score": pytest.approx(1.0), "template": 1}]


def test_a_stranger_is_nobody_i_know(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("enroll", written(tmp_path / "a.json", walking(1)), "--subject", "ann")
    assert run("identify", written(tmp_path / "b.json", walking(2)), "--threshold", "0.99999") == 0
    assert "no_match: nobody I know" in capsys.readouterr().out
    assert run("identify", written(tmp_path / "c.json", walking(1, frames=8))) == 0
    assert "abstain: too_short" in capsys.readouterr().out


def test_a_claim_is_verified(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("enroll", written(tmp_path / "a.json", walking(1)), "--subject", "ann")
    capsys.readouterr()
    assert run("verify", tmp_path / "a.json", "--subject", "ann", "--json", "--fmr", "0.01") == 0
    assert json.loads(capsys.readouterr().out)["decision"]["outcome"] == "match"
    assert run("verify", tmp_path / "a.json", "--subject", "bob") == 2
    assert "no subject 'bob'" in capsys.readouterr().err


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


def test_galleries_are_made_listed_shown_and_deleted(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("gallery", "create", "staff") == 0
    assert run("gallery", "create", "staff") == 2
    assert "exists already" in capsys.readouterr().err
    assert run("gallery", "list", "--json") == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert (listed["name"], listed["dim"], listed["subjects"]) == ("staff", 32, 0)
    assert run("gallery", "show", "staff") == 0
    assert "0 subjects, 0 templates" in capsys.readouterr().out
    assert run("gallery", "show", "nobody") == 2
    assert run("gallery", "delete", "staff", "--yes") == 0
    assert run("gallery", "list") == 0
    assert "staff" not in capsys.readouterr().out.splitlines()[-2]


def test_a_subject_is_listed_shown_and_erased(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("enroll", "--manifest", manifest(tmp_path, people=3))
    capsys.readouterr()
    assert run("subjects", "list", "--limit", "2") == 0
    printed = capsys.readouterr()
    assert "--after s1" in printed.err
    assert run("subjects", "erase", "s1", "--yes") == 0
    assert run("subjects", "erase", "s1", "--yes") == 2
    assert "no subject 's1'" in capsys.readouterr().err
    assert run("subjects", "erase", "s0", "--template", "1", "--yes") == 0
    assert run("subjects", "erase", "s0", "--template", "5", "--yes") == 2
    capsys.readouterr()
    assert run("subjects", "list", "--json") == 0
    assert [(s["id"], s["templates"]) for s in json.loads(capsys.readouterr().out)] == [("s0", 1), ("s2", 2)]


def test_a_data_directory_that_is_not_there_is_not_made_by_asking(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    walk = written(tmp_path / "a.json", walking(1))
    for line in (("gallery", "list"), ("identify", walk), ("subjects", "list"), ("gallery", "delete", "x", "--yes")):
        assert run(*line) == 2
        assert "gaitkeeper enroll" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_a_gallery_of_another_bundle_is_refused(run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = open_store(tmp_path / "data")
    store.create_gallery("default", "c" * 64, 32)
    store.close()
    walk = written(tmp_path / "a.json", walking(1))
    assert run("enroll", walk, "--subject", "ann") == 2
    assert run("identify", walk) == 2
    assert capsys.readouterr().err.count("made with bundle cccccccccccc") == 2


@pytest.mark.parametrize(
    "line",
    [
        ("enroll",),
        ("enroll", "a.json"),
        ("enroll", "a.json", "--subject", "ann", "--manifest", "people.csv"),
        ("enroll", "a.json", "--subject", "ann", "--label", "view"),
        ("enroll", "a.json", "--subject", " ann"),
        ("identify", "a.json", "--fpir", "1.5"),
    ],
)
def test_a_command_line_that_makes_no_sense_ends_with_status_2(
    run: Run, line: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*line) == 2
    assert capsys.readouterr().err


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
