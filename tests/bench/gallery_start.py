"""Processes that start with a large gallery on the disk, and say when they had the first answer.

They import what searches, and nothing of the benchmark that starts them.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from gallery.index import read_snapshot
from gallery.library import Library
from gallery.store import open_store

GALLERY, BUNDLE = "bench", "b" * 64


def started(what: str, *arguments: str) -> list[Any]:
    """Start a process that does `what`; what it tells. Its seconds count from this call."""
    command = [sys.executable, "-P", "-m", "tests.bench.gallery_start", what, str(time.monotonic()), *arguments]
    told: list[Any] = json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)
    return told


def first(began: float, where: str) -> tuple[float, int, str]:
    """Of a data directory: seconds to the first answer, how many snapshots were read, the kind of index."""
    library = Library(open_store(Path(where)))
    probe = np.load(Path(where) / "probes.npz")["mated"][:1]
    library.identify(GALLERY, probe, fingerprint=BUNDLE)
    seconds = time.monotonic() - began
    told = seconds, library.snapshots.loaded, library.views.at(library.store.head(GALLERY)).index.kind
    library.close()
    return told


def opened(began: float, path: str, key: str) -> tuple[float, float]:
    """Of a snapshot: seconds to the first answer, and those that reading took."""
    before = time.monotonic()
    index = read_snapshot(Path(path), bytes.fromhex(key)).index
    read = time.monotonic() - before
    assert index.kind == "coarse"
    assert index.search(index.vectors_of(np.array([7])), 1)[1].tolist() == [[7]]
    return time.monotonic() - began, read


if __name__ == "__main__":
    what, since, *rest = sys.argv[1:]
    print(json.dumps(first(float(since), *rest) if what == "first" else opened(float(since), *rest)))
