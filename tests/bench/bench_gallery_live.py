"""A gallery of a million templates in a store: filled, opened again, searched while others enroll. Part of
`make bench-gallery`.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from statistics import median

import numpy as np
from rich.console import Console
from rich.progress import Progress

from gallery.follow import Follower
from gallery.library import Library
from gallery.store import open_store
from gallery.template import NewTemplate
from model.sequence import Floats
from tests.bench import bench_store, population
from tests.bench.gallery_start import BUNDLE, GALLERY, started
from tests.bench.report import Row

PER_SUBJECT = 4
CALL = 1000
PROBES = 500
STARTS = 3
PHASES, PHASE_S = 5, 4.0
ENROLLMENTS_A_SECOND = 100


def live(templates: int) -> list[Row]:
    """Bulk enrollment, the first answer of a new process, and searches with and without enrollments beside."""
    drawn = population.resample(population.load(), templates // PER_SUBJECT, PER_SUBJECT, PROBES)
    with tempfile.TemporaryDirectory(prefix="gaitkeeper-bench-") as directory:
        where = Path(directory)
        rows = [_filled(where, drawn.templates)]
        np.savez(where / "probes.npz", mated=drawn.mated, of=drawn.of, strangers=drawn.strangers)
        del drawn
        rows.append(_ready(where))
        return [*rows, *_beside(where)]


def _filled(where: Path, templates: Floats) -> Row:
    """Enroll all, open the gallery, and keep a snapshot as a service does."""
    library = Library(open_store(where))
    library.create(GALLERY, fingerprint=BUNDLE, dim=templates.shape[1])
    with Progress(console=Console(stderr=True)) as bar:
        task, seconds = bar.add_task("enrolling", total=len(templates)), 0.0
        for start in range(0, len(templates), CALL):
            rows = templates[start : start + CALL]
            new = [
                NewTemplate(f"s{(start + i) // PER_SUBJECT}", row, {"view": "090"}, 60) for i, row in enumerate(rows)
            ]
            began = time.perf_counter()
            library.store.enroll(GALLERY, BUNDLE, new)
            seconds += time.perf_counter() - began
            bar.advance(task, CALL)
    view = library.views.at(library.store.head(GALLERY))
    view.index.settle()
    library.snapshots.save(view)
    library.close()
    rate, asked = len(templates) / seconds, bench_store.ASKED["sqlite"]
    detail = f"{len(templates):,} templates, {CALL:,} a call, sealed, audited, durable"
    return Row("enrollment of them into sqlite / asked for", rate, asked, rate / asked, 1.0, "/s", detail)


def _ready(where: Path) -> Row:
    """Seconds from the start of a process to its first answer, the median of some starts."""
    found = []
    for _ in range(STARTS):
        found.append(started("first", str(where)))
    seconds = median(one[0] for one in found)
    counts = all(loaded == 1 and kind == "coarse" for _, loaded, kind in found)
    detail = "from the start of a process, its index from a snapshot"
    name = "the first answer after a restart"
    return Row(name, seconds, 5, seconds, 5, "s", detail, lower_is_better=True, counts=counts)


def _beside(where: Path) -> list[Row]:
    """Medians of searches in quiet phases, and in phases while another process enrolls 100 templates a second."""
    library = Library(open_store(where))
    asked = np.load(where / "probes.npz")
    probes = np.concatenate([asked["mated"], asked["strangers"]])
    quiet: list[float] = []
    busy: list[float] = []
    enrolled = 0
    with Follower(library, warm=True, snapshots=None), _writer(where) as writer:
        library.identify(GALLERY, probes[:1], fingerprint=BUNDLE)
        for _ in range(PHASES):
            quiet += _searched(library, probes)
            _say(writer, "go")
            busy += _searched(library, probes)
            _say(writer, "stop")
            assert writer.stdout is not None
            enrolled += int(writer.stdout.readline())
    library.close()
    rate = enrolled / (PHASES * PHASE_S)
    ratio = median(busy) / median(quiet)
    return [
        Row(
            f"a search while {ENROLLMENTS_A_SECOND} enrollments/s run / in quiet", median(busy) * 1e3,
            median(quiet) * 1e3, ratio, 1.5, "ms", f"identify, store and all; {rate:.0f} enrollments/s came",
            lower_is_better=True, counts=rate >= 0.9 * ENROLLMENTS_A_SECOND,
        )
    ]  # fmt: skip


def _searched(library: Library, probes: Floats) -> list[float]:
    """Seconds of every search of a phase."""
    until, taken = time.perf_counter() + PHASE_S, []
    rng = np.random.default_rng()
    while time.perf_counter() < until:
        probe = probes[[rng.integers(len(probes))]]
        began = time.perf_counter()
        library.identify(GALLERY, probe, fingerprint=BUNDLE)
        taken.append(time.perf_counter() - began)
        time.sleep(0.001)
    return taken


@contextmanager
def _writer(where: Path) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-P", "-m", __spec__.name, "write", str(where)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()  # it is there
        yield writer
        _say(writer, "end")


def _say(writer: subprocess.Popen[str], word: str) -> None:
    assert writer.stdin is not None
    writer.stdin.write(word + "\n")
    writer.stdin.flush()


def write(where: str) -> None:
    """Enroll one template after the other, at the rate that is asked for, from "go" to "stop"."""
    store = open_store(Path(where))
    real = population.resample(population.load(), 2000, PER_SUBJECT, 10, seed=7).templates
    print("ready", flush=True)
    number = 0
    while sys.stdin.readline().strip() == "go":
        began, came = time.perf_counter(), 0
        while (left := PHASE_S - (time.perf_counter() - began)) > 0:
            due = began + came / ENROLLMENTS_A_SECOND - time.perf_counter()
            time.sleep(max(0.0, min(due, left)))
            store.enroll(GALLERY, BUNDLE, [NewTemplate(f"new{number}", real[number % len(real)])])
            number, came = number + 1, came + 1
        sys.stdin.readline()
        print(came, flush=True)
    store.close()


if __name__ == "__main__":
    match sys.argv[1]:
        case "write":
            write(sys.argv[2])
        case "enroll":
            print(json.dumps([asdict(row) for row in bench_store.run()]))
        case "live":
            print(json.dumps([asdict(row) for row in live(int(sys.argv[2]))]))
