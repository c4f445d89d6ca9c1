"""How soon the service answers after its start, and whether it keeps memory of what it was asked.

python -P -m tests.bench.bench_service_life
"""

import tempfile
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
from scipy.stats import theilslopes

from gallery.library import Library
from gallery.store import open_store
from gallery.template import NewTemplate
from model.bundle import DEFAULT_ENCODER, open_bundle, shipped
from model.clips import unit_length
from tests.bench.bodies import raw
from tests.bench.load import drive, request_bytes
from tests.bench.report import Row, show
from tests.bench.running import Running, a_service
from tests.fakes import walking

TEMPLATES, SUBJECTS = 100_000, 50_000
READY_S = 3.0
STARTS = 3
BYTES_A_REQUEST = 100
IDENTIFIED, CHEAP = 20_000, 200_000
# Until what is remembered for a while is full: the latest probes and times, drift's windows, pages of the database.
WARM = 12_000
SAMPLES = 20
AT_ONCE = 16


def run() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="gaitkeeper-bench-") as folder:
        _fill(Path(folder))
        return [_ready(Path(folder)), *_memory(Path(folder))]


def _fill(folder: Path) -> None:
    bundle = open_bundle(shipped(DEFAULT_ENCODER))
    dim = bundle.manifest.dim or 0
    library = Library(open_store(folder))
    library.create("default", fingerprint=bundle.fingerprint, dim=dim)
    vectors = unit_length(np.random.default_rng(0).normal(size=(TEMPLATES, dim)).astype(np.float32))
    for start in range(0, TEMPLATES, 10_000):
        new = [NewTemplate(f"subject-{place % SUBJECTS}", vectors[place]) for place in range(start, start + 10_000)]
        library.enroll("default", new, fingerprint=bundle.fingerprint)
    library.close()


def _ready(folder: Path) -> Row:
    """The first start reads the store and leaves a snapshot; all count."""
    seconds = []
    for _ in range(STARTS):
        with a_service(folder) as service:
            seconds.append(service.ready_s)
    detail = "from the start of the process to /readyz, " + ", ".join(f"{each:.2f}" for each in seconds)
    worst = max(seconds)
    return Row(f"start to ready, {TEMPLATES:,} templates", worst, READY_S, worst, READY_S, "s", detail, True)


def _memory(folder: Path) -> list[Row]:
    with a_service(folder) as service:
        path, body, headers = raw(walking())
        identify = request_bytes(service.where, path, body, headers)
        cheap = f"GET /healthz HTTP/1.1\r\nHost: {urlsplit(service.where).netloc}\r\n\r\n".encode()
        return [
            _slope(service, "/identify", identify, IDENTIFIED),
            _slope(service, "/healthz", cheap, CHEAP),
        ]


def _slope(service: Running, name: str, request: bytes, count: int) -> Row:
    """Slope of resident memory over requests, after others have warmed it: the median of the slopes between any two
    samples (Theil and Sen), since what a search takes to calculate in comes and goes in steps of megabytes."""
    drive(service.where, [request] * WARM, AT_ONCE)
    step = count // SAMPLES
    memory = [service.memory]
    for _ in range(SAMPLES):
        load = drive(service.where, [request] * step, AT_ONCE)
        assert load.statuses == {200: step}, load.statuses
        memory.append(service.memory)
    slope = float(theilslopes(memory, step * np.arange(len(memory)))[0])
    detail = f"{count:,} requests, {memory[0] / 2**20:.1f} to {memory[-1] / 2**20:.1f} MiB"
    return Row(f"{name}: memory kept of a request", slope, 0, slope, BYTES_A_REQUEST, "bytes", detail, True)


if __name__ == "__main__":
    show(run())
