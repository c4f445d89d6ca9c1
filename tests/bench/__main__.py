"""`make bench`: every comparison, one after the other, as a table and as JSON.

Each is a ratio of two things measured by turns in this run, so it says the same on any machine; figures in
milliseconds belong to this one. An idle machine gives steady figures. Exit status 1 if a floor is missed.
"""

import argparse
import sys
from pathlib import Path

from rich.console import Console

from tests.bench import bench_encoder, bench_losses, bench_search, bench_step, bench_store, step_gpu
from tests.bench.report import Row, show, write_json

PARTS = {
    "encoder": bench_encoder,
    "losses": bench_losses,
    "step": bench_step,
    "gpu": step_gpu,
    "search": bench_search,
    "store": bench_store,
}


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; default all")
    parser.add_argument("--json", type=Path, default=Path("build/bench.json"), help="default: %(default)s")
    arguments = parser.parse_args()
    if unknown := set(arguments.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    console = Console()
    rows: list[Row] = []
    for part in arguments.parts or PARTS:
        with Console(stderr=True).status(f"measuring {part} ..."):
            rows += PARTS[part].run()
    show(rows, console)
    arguments.json.parent.mkdir(parents=True, exist_ok=True)
    write_json(rows, arguments.json)
    console.print(f"written to {arguments.json}", highlight=False)
    return 0 if all(row.passed for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
