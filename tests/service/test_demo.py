"""The demo, from sample files to what is printed, over a real server; and the commands around it."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console

import service
from model.bundle_writing import write_bundle
from model.clips import ClipSpec
from model.errors import InvalidBundle, InvalidDataSet
from service.demo import Answered, Verdict, run_demo
from service.demo_report import CMU_ACKNOWLEDGEMENT, CMU_NOTE, counts, print_report, summary
from service.process.serving import serve_until_stopped
from service.samples import Sample, Samples
from service.settings import Settings
from tests.model.onnx_files import mean_pose_model
from tests.service.conftest import person, prior

ROOT = Path(service.__file__).parent.parent


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A tiny encoder with a calibration, and a tiny classifier."""
    folder = tmp_path_factory.mktemp("bundles")
    calibration = json.dumps(prior().to_json()).encode()
    files = {"encoder.onnx": mean_pose_model(width=32), "calibration.json": calibration}
    write_bundle(folder / "encoder", files, name="tiny", layout="coco-17", clip=ClipSpec(), dim=32)
    labels = ("walk", "run", "jump", "wave")
    files = {"classifier.onnx": mean_pose_model("classifier", scale=1e-4)}
    write_bundle(folder / "classifier", files, name="tiny", layout="coco-17", clip=ClipSpec(), labels=labels)
    return folder / "encoder", folder / "classifier"


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two subjects, each enrolled and asked about, two strangers, one action; and two people of motion capture."""
    folder = tmp_path_factory.mktemp("samples")
    walkers: list[dict[str, Any]] = []
    for subject in range(4):
        for take, role in enumerate(("enroll", "probe")):
            if subject < 2 or role == "probe":
                name = f"walker-{subject}" if subject < 2 else None
                walkers.append({"role": role, "subject": name, "labels": {"view": "090"}, "person": (subject, take)})
    walkers.append({"role": "action", "action": "walk", "person": (9, 0)})
    _write(folder / "walkers", "simulated", walkers)
    captured = [{"role": "enroll", "subject": "02", "gallery": "cmu", "person": (11, 0)}]
    captured.append({"role": "probe", "subject": "02", "gallery": "cmu", "person": (11, 1)})
    _write(folder / "cmu", "cmu", captured)
    return folder


def _write(folder: Path, source: str, entries: list[dict[str, Any]]) -> None:
    folder.mkdir()
    listed = []
    for number, entry in enumerate(entries):
        subject, seed = entry.pop("person")
        (folder / f"{number}.json").write_text(json.dumps(person(subject, seed)))
        listed.append({"file": f"{number}.json", "source": source, **entry})
    (folder / "samples.json").write_text(json.dumps({"format": 1, "made": "by a test", "samples": listed}))


def settings_for(bundles: tuple[Path, Path]) -> Settings:
    return Settings.read({}, port=0, encoder=bundles[0], classifier=bundles[1])


def answered(subject: str | None, named: str | None) -> Answered:
    sample = Sample(file="a.json", source="simulated", role="probe", subject=subject)
    return Answered(sample, {"subject": named})


def test_both_kinds_of_error_are_counted() -> None:
    probes = [
        *(answered("ada", "ada"), answered("ada", None), answered("ada", "ben")),
        *(answered(None, None), answered(None, "ada")),
    ]
    assert [each.verdict for each in probes] == [
        *(Verdict.RIGHT, Verdict.MISS, Verdict.FALSE_ALARM),
        *(Verdict.RIGHT, Verdict.FALSE_ALARM),
    ]
    assert counts(probes) == {
        **{"enrolled_asked": 3, "identified": 1, "missed": 1, "named_as_another": 1},
        **{"strangers_asked": 2, "strangers_named": 1},
    }


def test_it_enrolls_asks_and_prints_over_a_real_server(samples: Path, bundles: tuple[Path, Path]) -> None:
    printed, quiet = Console(record=True, width=140, file=None, quiet=False), Console(quiet=True)
    with run_demo(Samples(samples), settings_for(bundles), quiet) as (where, answers):
        assert httpx.get(f"{where}/docs").status_code == 200
        subjects = httpx.get(f"{where}/galleries/default/subjects").json()["subjects"]
        assert [each["subject"] for each in subjects] == ["walker-0", "walker-1"]
    assert len(answers) == 6
    found = summary(answers, where)
    assert found["identify"]["default"]["enrolled_asked"] == found["identify"]["default"]["strangers_asked"] == 2
    assert sum(found["classify"].values()) == 1
    with printed.capture() as text:
        print_report(Samples(samples), answers, printed)
    report = " ".join(text.get().split())
    assert "calibration (basis: prior), not from these probes" in report
    assert "enrolled 3 sequences of 3 people" in report
    assert "5.0% of strangers" in report
    assert "of 2 identified" in report
    assert CMU_NOTE in report
    assert CMU_ACKNOWLEDGEMENT in report


def gaitkeeper(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-P", "-m", "gaitkeeper", *(str(argument) for argument in arguments)]


def test_the_command_ends_with_status_0_where_there_is_no_terminal(samples: Path, bundles: tuple[Path, Path]) -> None:
    options: list[str | Path] = ["--samples", samples, "--encoder", bundles[0], "--classifier", bundles[1], "--json"]
    done = subprocess.run(gaitkeeper("demo", *options), capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert set(json.loads(done.stdout)) == {"address", "identify", "classify", "asked"}


def test_at_a_terminal_it_goes_on_serving_until_interrupted(samples: Path, bundles: tuple[Path, Path]) -> None:
    ours, terminal = pty.openpty()
    command = gaitkeeper("demo", "--samples", samples, "--encoder", bundles[0], "--classifier", bundles[1])
    with subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal, cwd=ROOT) as process:
        os.close(terminal)
        shown = b""
        while not (found := re.search(rb"Try it out: (http://[\d.:]+/docs)\r\n", shown)):
            shown += os.read(ours, 65536)
        assert httpx.get(found[1].decode()).status_code == 200
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
    os.close(ours)


@pytest.mark.parametrize(("stop", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_serve_says_where_it_is_and_stops_cleanly(
    bundles: tuple[Path, Path], tmp_path: Path, stop: signal.Signals, status: int
) -> None:
    options: list[str | Path] = ["--port", "0", "--data", tmp_path, "--encoder", bundles[0], "--classifier", bundles[1]]
    with subprocess.Popen(
        gaitkeeper("serve", *options), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        where = next(word for word in line.split() if word.startswith("http")).rstrip(",")
        assert httpx.get(f"{where}/readyz").status_code == 200
        process.send_signal(stop)
        _, log = process.communicate(timeout=30)
        assert process.returncode == status, log
    for entry in log.splitlines():
        if stop is signal.SIGTERM:
            assert json.loads(entry)["level"] == "info"


def test_who_is_stopped_before_it_serves_ends_in_order_too(bundles: tuple[Path, Path], tmp_path: Path) -> None:
    opening = tmp_path / "opening"
    options: list[str | Path] = ["--port", "0", "--data", tmp_path, "--encoder", bundles[0], "--classifier", bundles[1]]
    keys = f"command:sh -c 'touch {opening}; exec sleep 60'"
    with subprocess.Popen(
        gaitkeeper("serve", *options), stderr=subprocess.PIPE, cwd=ROOT, env={**os.environ, "GAITKEEPER_KEYS": keys}
    ) as process:
        while not opening.exists() and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=30)
    assert (process.returncode, log) == (0, b"")


def test_a_service_without_its_bundle_does_not_start(tmp_path: Path) -> None:
    with pytest.raises(InvalidBundle, match="no-such-bundle"):
        serve_until_stopped(Settings.read({}, port=0, data=tmp_path, encoder=tmp_path / "no-such-bundle"))


@pytest.mark.parametrize(
    ("manifest", "reason"),
    [
        ("{", "truncated"),
        ('{"format": 2, "made": "", "samples": []}', "format"),
        ('{"format": 1, "made": "", "samples": [{"file": "../x.json", "source": "cmu", "role": "probe"}]}', "file"),
        ('{"format": 1, "made": "", "samples": [{"file": "x.json", "source": "cmu", "role": "enroll"}]}', "subject"),
        ('{"format": 1, "made": "", "samples": [{"file": "x.json", "source": "cmu", "role": "action"}]}', "action"),
        ('{"format": 1, "made": "", "samples": []}', "no samples"),
    ],
)
def test_a_manifest_that_is_wrong_is_refused(tmp_path: Path, manifest: str, reason: str) -> None:
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "samples.json").write_text(manifest)
    with pytest.raises(InvalidDataSet, match=reason):
        Samples(tmp_path)
