"""Measures how long after a change was acknowledged to one process the index of another one has it.

    PYTHONPATH=. python -P -m tests.gallery.lag --changes 100

The second process follows the change log and searches for nothing. Both kinds of database.
"""

import argparse
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

import numpy as np

from gallery.follow import Follower
from gallery.library import Library
from gallery.store import open_store
from gallery.template import NewTemplate
from tests.gallery.long_erasure import BUNDLE, DIM, vectors
from tests.postgres import shared_server

TEMPLATES = 10_000


def write(directory: str, database: str, changes: int) -> None:
    """Enroll one template after the other and print when each was acknowledged."""
    library, rng = Library(open_store(directory, database=database or None)), np.random.default_rng(1)
    for number, row in enumerate(vectors(changes, 1)):
        time.sleep(float(rng.uniform(0.02, 0.2)))
        library.enroll("staff", [NewTemplate(f"new{number}", row)], fingerprint=BUNDLE)
        print(time.monotonic(), flush=True)
    library.close()


def measure(directory: Path, database: str | None, changes: int) -> list[float]:
    """Seconds from each acknowledgement until the other process's index has the change."""
    library = Library(open_store(directory, database=database))
    library.create("staff", fingerprint=BUNDLE, dim=DIM)
    new = [NewTemplate(f"s{i // 4}", row) for i, row in enumerate(vectors(TEMPLATES, 0))]
    library.enroll("staff", new, fingerprint=BUNDLE)
    library.warm("staff")
    (cache,) = library.views.open.values()
    command = [sys.executable, "-P", "-m", "tests.gallery.lag", "--write", str(directory), "--database", database or ""]
    had: list[float] = []
    with Follower(library):
        writer = subprocess.Popen([*command, "--changes", str(changes)], stdout=subprocess.PIPE, text=True)
        while len(had) < changes:
            assert cache.view is not None
            had += [time.monotonic()] * (cache.view.index.count - TEMPLATES - len(had))
            time.sleep(0.001)
        acknowledged = [float(line) for line in writer.communicate()[0].splitlines()]
    library.close()
    return [after - before for before, after in zip(acknowledged, had, strict=True)]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--changes", type=int, default=100)
    parser.add_argument("--write", help=argparse.SUPPRESS)
    parser.add_argument("--database", default="", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        write(options.write, options.database, options.changes)
        return
    with shared_server(uuid.uuid4().hex) as server, tempfile.TemporaryDirectory() as directory:
        for kind, url in (("SQLite", None), ("PostgreSQL", server.create("lag"))):
            lags = 1000 * np.array(measure(Path(directory) / kind, url, options.changes))
            print(f"{kind}: {len(lags)} changes, median {np.median(lags):.0f} ms, longest {lags.max():.0f} ms")


if __name__ == "__main__":
    main()
