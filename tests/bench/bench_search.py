"""An exact search of 100,000 templates, up to the best subjects, against one BLAS product with the same matrix.

The product reads the matrix once; the search has to read less, which is what a sketch is for. One thread each, which
the libraries only take from the environment before they are loaded: the measurement runs in a process of its own.
"""

import json
import os
import subprocess
import sys
from dataclasses import asdict
from itertools import cycle
from pathlib import Path

import numpy as np

from gallery.index import IndexPolicy, build_index
from gallery.owners import Owners
from gallery.rank import shortlist
from gallery.store import NEVER
from model.clips import unit_length
from model.sequence import Floats
from tests.bench.report import Row, alternate, show

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = 100_000
TEMPLATES_PER_SUBJECT = 4
DIM = 256
TOP_K = 5
ROUNDS = 41
FLOOR = 0.8


def run() -> list[Row]:
    """The rows of this benchmark."""
    alone = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    command = [sys.executable, "-P", "-c", "from tests.bench.bench_search import measure; measure()"]
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        command, env={**os.environ, **alone, "PYTHONPATH": paths}, stdout=subprocess.PIPE, text=True, check=True
    )
    return [Row(**row) for row in json.loads(done.stdout)]


def measure() -> None:
    """Print the rows as JSON."""
    rng = np.random.default_rng(0)
    table = unit_length(rng.standard_normal((TEMPLATES, DIM)).astype(np.float32))
    chosen = rng.integers(0, TEMPLATES, 64)
    probes = unit_length(table[chosen] + 0.05 * rng.standard_normal((64, DIM)).astype(np.float32))
    ids = np.arange(TEMPLATES)
    index = build_index(table, ids, IndexPolicy())
    owners = Owners(ids, ids // TEMPLATES_PER_SUBJECT, ids, np.full(TEMPLATES, NEVER))

    def best(probe: Floats) -> dict[int, list[int]]:
        return shortlist(index.search, owners, probe[None], TOP_K, best=1, now=0)[0]

    asked, multiplied = cycle(probes), cycle(probes)
    ours, product = alternate(
        lambda: best(next(asked)),
        lambda: table @ next(multiplied),
        rounds=ROUNDS,
    )
    right = index.kind == "flat" and all(_nearest(table, probe) == next(iter(best(probe))) for probe in probes)
    row = Row(
        name="search of 100,000 templates / BLAS matrix-vector product",
        ours=ours * 1e3,
        other=product * 1e3,
        ratio=ours / product,
        floor=FLOOR,
        unit="ms",
        detail=f"{DIM}-d, best {TOP_K} of {owners.subjects:,} subjects, one thread each",
        lower_is_better=True,
        counts=right,
    )
    json.dump([asdict(row)], sys.stdout)


def _nearest(table: Floats, probe: Floats) -> int:
    """The subject of the best template."""
    return int((table.astype(np.float64) @ probe).argmax()) // TEMPLATES_PER_SUBJECT


if __name__ == "__main__":
    show(run())
