"""`gaitkeeper serve` in a process of its own, for measurements."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from service.settings import PREFIX

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Running:
    """where: its address. ready_s: seconds from its start until /readyz said yes."""

    where: str
    pid: int
    ready_s: float

    @property
    def memory(self) -> int:
        """Bytes that are resident now."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def a_service(data: Path, **settings: str) -> Iterator[Running]:
    """On a free port of loopback, asking for no keys. settings: by their names, without the prefix."""
    environment = {name: value for name, value in os.environ.items() if not name.upper().startswith(PREFIX)}
    chosen = {"port": "0", "data": str(data), "access": "loopback", **settings}
    environment |= {f"{PREFIX}{name.upper()}": value for name, value in chosen.items()}
    command = [sys.executable, "-P", "-m", "gaitkeeper", "serve"]
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert "http://" in line, "the service did not start"
            where = next(word for word in line.split() if word.startswith("http://")).rstrip(",")
            _wait_until_ready(where)
            yield Running(where, process.pid, time.perf_counter() - began)
        finally:
            process.terminate()


def _wait_until_ready(where: str) -> None:
    while httpx.get(f"{where}/readyz").status_code != 200:
        time.sleep(0.01)
