"""HTTP /identify against calling encoder and gallery directly, 10,000 templates, on loopback.

python -P -m tests.bench.bench_http
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import numpy as np

from gallery.calibration import Calibration
from gallery.identify import identify
from gallery.library import Library
from gallery.store import open_store
from gallery.template import NewTemplate
from model.bundle import DEFAULT_ENCODER, Bundle, open_bundle, shipped
from model.clips import unit_length
from model.runtime import OnnxEncoder
from model.sequence import SkeletonSequence
from service.settings import PREFIX
from tests.bench.load import Connection, Load, drive, request_bytes
from tests.bench.report import Row, show
from tests.fakes import walking

TEMPLATES, SUBJECTS, PROBES = 10_000, 5_000, 32
# Of one call of the encoder, here and in the service: with one, the other processor is free to decode and search.
THREADS = 1
WARM, ROUNDS, BLOCKS = 20, 200, 5
ROOT = Path(__file__).parents[2]


def run(encoder: Path | None = None, classifier: Path | None = None) -> list[Row]:
    """The service in a process of its own, with the shipped bundles unless others are given."""
    bundle = open_bundle(encoder or shipped(DEFAULT_ENCODER))
    probes = [walking(subject) for subject in range(PROBES)]
    with tempfile.TemporaryDirectory(prefix="gaitkeeper-bench-") as folder:
        direct = Direct(bundle, Path(folder))
        with _service(Path(folder), encoder, classifier) as where:
            requests = [request_bytes(where, "/identify", _body(probe)) for probe in probes]
            rows = [_overhead(direct, probes, where, requests), _throughput(where, requests)]
        direct.library.close()
    return rows


class Direct:
    """The same answer without HTTP: encoder and gallery called in this process, on the service's own data."""

    def __init__(self, bundle: Bundle, folder: Path) -> None:
        self.encoder = OnnxEncoder(bundle, threads=THREADS)
        prior = bundle.calibration_json()
        priors = {bundle.fingerprint: Calibration.from_json(prior)} if prior else {}
        self.library = Library(open_store(folder), priors=priors)
        self.library.create("default", fingerprint=bundle.fingerprint, dim=self.encoder.dim)
        vectors = unit_length(np.random.default_rng(0).normal(size=(TEMPLATES, self.encoder.dim)).astype(np.float32))
        new = [NewTemplate(f"subject-{place % SUBJECTS}", vector) for place, vector in enumerate(vectors)]
        self.library.enroll("default", new, fingerprint=bundle.fingerprint)

    def identify(self, probe: SkeletonSequence) -> float:
        """Score of the best candidate."""
        answer = identify(self.library, self.encoder, "default", [probe])[0]
        return answer.decision.candidates[0].score


@contextmanager
def _service(data: Path, encoder: Path | None, classifier: Path | None) -> Iterator[str]:
    """`gaitkeeper serve` on a free port of loopback; gives its address."""
    command = [sys.executable, "-P", "-m", "gaitkeeper", "serve", "--port", "0", "--data", str(data)]
    command += ["--threads", str(THREADS)]
    command += ["--encoder", str(encoder)] if encoder else []
    command += ["--classifier", str(classifier)] if classifier else []
    environment = {name: value for name, value in os.environ.items() if not name.upper().startswith(PREFIX)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment) as process:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert "http://" in line, "the service did not start"
            yield next(word for word in line.split() if word.startswith("http://")).rstrip(",")
        finally:
            process.terminate()


def _body(probe: SkeletonSequence) -> bytes:
    """A pose estimator's precision: a tenth of a pixel, a hundredth of confidence."""
    sequence = {
        "layout": probe.layout.name,
        "fps": probe.fps,
        "joints": probe.joints.astype(float).round(1).tolist(),
        "confidence": probe.confidence.astype(float).round(2).tolist(),
    }
    return json.dumps({"sequence": sequence}, separators=(",", ":")).encode()


def _overhead(direct: Direct, probes: list[SkeletonSequence], where: str, requests: list[bytes]) -> Row:
    """Both by turns on the same probe; the median of the differences."""
    connection = Connection(where)
    http, bare = [], []
    for turn in range(WARM + ROUNDS):
        place = turn % len(probes)
        began = time.perf_counter()
        answer = json.loads(connection.ask(requests[place]))
        middle = time.perf_counter()
        score = direct.identify(probes[place])
        ended = time.perf_counter()
        assert abs(answer["score"] - score) < 1e-2, "the service and the direct call do not answer alike"
        if turn >= WARM:
            http.append(1000 * (middle - began))
            bare.append(1000 * (ended - middle))
    connection.close()
    added = median(a - b for a, b in zip(http, bare, strict=True))
    detail = (
        f"added ms, median of {ROUNDS} pairs; JSON of {len(requests[0]):,} bytes; p99 {np.percentile(http, 99):.1f} ms"
    )
    name = f"HTTP /identify, {TEMPLATES:,} templates, concurrency 1: added to direct calls"
    return Row(name, median(http), median(bare), added, 2.0, "ms", detail, lower_is_better=True)


def _throughput(where: str, requests: list[bytes]) -> Row:
    """Blocks of both concurrencies by turns; the median of the ratios of neighbours."""
    drive(where, requests, 16)
    pairs = [(drive(where, requests, 1), drive(where, requests * 4, 16)) for _ in range(BLOCKS)]
    one, many = (median(load.rate for load in loads) for loads in zip(*pairs, strict=True))
    ratio = median(many.rate / one.rate for one, many in pairs)
    detail = f"the load generator took {_share([many for _, many in pairs]):.0%} of one core at 16"
    name = f"HTTP /identify, {TEMPLATES:,} templates: throughput at concurrency 16 against 1"
    return Row(name, many, one, ratio, 1.3, "requests/s", detail)


def _share(loads: list[Load]) -> float:
    return sum(load.cpu for load in loads) / sum(load.seconds for load in loads)


if __name__ == "__main__":
    show(run(*(Path(argument) for argument in sys.argv[1:])))
