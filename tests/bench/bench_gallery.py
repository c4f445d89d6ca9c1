"""`make bench-gallery`: a million templates, distributed as the shipped encoder's are, searched, kept and written to.

Speed is given as ratios of things measured by turns in this run: FAISS's flat scan, one BLAS product, and the gallery's
own index, one thread each. The parts that measure run in processes of their own, since BLAS and FAISS take the number
of threads from the environment before they are loaded. Exit status 1 if a floor is missed.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from rich.console import Console

from tests.bench import population
from tests.bench.report import Row, show, write_json

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("search", "memory", "compact", "snapshot", "enroll", "live")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-gallery", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; default all")
    parser.add_argument("--templates", type=int, default=1_000_000, help="default: %(default)s")
    parser.add_argument("--json", type=Path, default=Path("build/bench-gallery.json"), help="default: %(default)s")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    console, errors = Console(), Console(stderr=True)
    real = population.load()
    shapes = population.compare(real)
    console.print(f"[bold]{real.subjects:,} simulated subjects, and as many resampled from them[/bold]")
    for name, shape in zip(("real", "resampled"), shapes, strict=True):
        console.print(f"{name}: {shape}", highlight=False, soft_wrap=True)
    rows: list[Row] = []
    for part in arguments.parts or PARTS:
        errors.print(f"measuring {part} ...")
        rows += _measured(part, arguments.templates)
    show(rows, console)
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    write_json(rows, arguments.json)
    console.print(f"written to {arguments.json}", highlight=False)
    return 0 if all(row.passed for row in rows) else 1


def _measured(part: str, templates: int) -> list[Row]:
    """The rows of a part, from a process of its own; its last line is JSON."""
    module = "bench_gallery_live" if part in ("enroll", "live") else "bench_gallery_index"
    paths = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    command = [sys.executable, "-P", "-m", f"tests.bench.{module}", part, str(templates)]
    done = subprocess.run(
        command, env={**os.environ, **ONE_THREAD, "PYTHONPATH": paths}, stdout=subprocess.PIPE, text=True, check=True
    )
    return [Row(**row) for row in json.loads(done.stdout.splitlines()[-1])]


if __name__ == "__main__":
    sys.exit(main())
