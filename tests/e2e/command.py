"""The command and the service as processes of their own, as a stranger starts them."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

import gaitkeeper

ROOT = Path(gaitkeeper.__file__).parent
COMMAND = [sys.executable, "-P", "-m", "gaitkeeper"]
WALKERS = ROOT / "service" / "samples" / "walkers"


def environment(**more: str) -> dict[str, str]:
    """Ours without what would decide for the command, and with what keeps it quick on a small machine."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GAITKEEPER_")}
    return {**kept, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "COLUMNS": "200", **more}


def call(*arguments: object, cwd: Path, **more: str) -> "subprocess.CompletedProcess[str]":
    """Run one command to its end, with `more` in its environment; nobody answers its questions."""
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(
        command,
        cwd=cwd,
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def one_line(done: "subprocess.CompletedProcess[str]") -> str:
    """The error of a command that was refused: status 2, one line on stderr, nothing on stdout."""
    assert done.returncode == 2, (done.args, done.stdout, done.stderr)
    assert done.stdout == ""
    assert done.stderr.startswith("error: "), done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    return done.stderr.removeprefix("error: ").rstrip("\n")


@dataclass(frozen=True)
class Service:
    """A running service: a client of it, its data directory, which commands may use too, and its process."""

    http: httpx.Client
    data: Path
    process: "subprocess.Popen[bytes]"

    def kill(self) -> None:
        """SIGKILL: as if the power were gone."""
        self.process.kill()
        self.process.wait(timeout=30)

    def enroll(self, subject: str, sequence: dict[str, Any], gallery: str = "default") -> httpx.Response:
        path = f"/galleries/{quote(gallery, safe='')}/subjects/{quote(subject, safe='')}/templates"
        return self.http.post(path, json={"sequence": sequence})

    def identify(self, sequence: dict[str, Any], gallery: str = "default", **more: Any) -> httpx.Response:
        return self.http.post("/identify", json={"sequence": sequence, "gallery": gallery, **more})


@contextmanager
def serving(data: Path, **more: str) -> Iterator[Service]:
    """`gaitkeeper serve` with the shipped bundles and `more` in its environment, from when it says that it answers
    until Ctrl-C, unless it is killed."""
    arguments = ["serve", "--port", "0", "--data", str(data)]
    more = {"GAITKEEPER_ACCESS": "loopback", **more}
    log = data.with_name(f"{data.name}.log")
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [*COMMAND, *arguments], env=environment(**more), stdout=subprocess.PIPE, stderr=errors
        )
    try:
        assert process.stdout is not None
        said = process.stdout.readline().decode().split()
        assert said[:3] == ["gaitkeeper", "answers", "at"], log.read_text()
        with httpx.Client(base_url=said[3].rstrip(","), timeout=60) as client:
            yield Service(client, data, process)
    finally:
        killed = process.poll() == -signal.SIGKILL
        process.terminate()
        process.communicate(timeout=30)
    assert killed or process.returncode == 0, log.read_text()
    assert "Traceback" not in log.read_text()


def walk(subject: int, take: int = 0) -> dict[str, Any]:
    """A simulated walk of the samples: takes 0 to 2 are for enrolling, 3 is the probe."""
    found: dict[str, Any] = json.loads(walk_file(subject, take).read_bytes())
    return found


def walk_file(subject: int, take: int = 0) -> Path:
    listed: list[dict[str, str]] = json.loads((WALKERS / "samples.json").read_bytes())["samples"]
    return WALKERS / [each["file"] for each in listed if each.get("subject") == f"walker-{subject:02}"][take]


def stranger(number: int = 0) -> dict[str, Any]:
    """The walk of somebody who is never enrolled."""
    found: dict[str, Any] = json.loads(sorted(WALKERS.glob("stranger-*.json"))[number].read_bytes())
    return found


def written(path: Path, value: object) -> Path:
    """`value` as a JSON file, the way Python's own module writes it."""
    path.write_text(json.dumps(value))
    return path


def fill_up(disk: Path) -> None:
    """Leave no byte of a file system free."""
    with (disk / "fill").open("wb", buffering=0) as fill, contextlib.suppress(OSError):
        while fill.write(b"\0" * 4096):
            pass
