"""How fast the store takes and gives templates, on each kind of database: sealed, audited and durable.

The rates that are asked for belong to a machine like the one that they were set for: two cores and a disk that brings
a commit to rest in some milliseconds. PostgreSQL runs here with fsync and full-page writes, as it should elsewhere.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from gallery.store import Store, open_store
from gallery.template import NewTemplate
from model.clips import unit_length
from tests.bench.report import Row, show
from tests.postgres import PrivateServer

TEMPLATES = 40_000
TEMPLATES_PER_SUBJECT = 4
DIM = 256
CALL = 1000
ASKED = {"sqlite": 20_000, "postgresql": 10_000}
BUNDLE = "b" * 64


def run() -> list[Row]:
    """The rows of this benchmark."""
    return [row for kind in ASKED for row in _measured(kind)]


def _measured(kind: str) -> list[Row]:
    rng = np.random.default_rng(0)
    embeddings = unit_length(rng.standard_normal((TEMPLATES, DIM)).astype(np.float32))
    new = [
        NewTemplate(f"s{place // TEMPLATES_PER_SUBJECT}", each, {"view": "090"}, 60, f"recording {place}")
        for place, each in enumerate(embeddings)
    ]
    with _store(kind) as store:
        store.create_gallery("bench", BUNDLE, DIM)
        enrolling = _seconds(lambda: [store.enroll("bench", BUNDLE, call) for call in _calls(new)])
        reading = min(_seconds(lambda: store.everything("bench")) for _ in range(3))
        right = np.array_equal(store.everything("bench")[1].embeddings, embeddings) and store.check() == []
    taken, given = TEMPLATES / enrolling, TEMPLATES / reading
    described = f"{DIM}-d, {TEMPLATES_PER_SUBJECT} a subject"
    return [
        Row(
            name=f"enrollment into {kind} / asked for",
            ours=taken,
            other=ASKED[kind],
            ratio=taken / ASKED[kind],
            floor=1.0,
            unit="/s",
            detail=f"{described}, {CALL:,} a call, sealed, audited, durable",
            counts=right,
        ),
        Row(
            name=f"reading all of {kind} / enrollment",
            ours=given,
            other=taken,
            ratio=given / taken,
            floor=None,
            unit="/s",
            detail=f"{described}, unsealed",
        ),
    ]


def _calls(new: list[NewTemplate]) -> Iterator[list[NewTemplate]]:
    yield from (new[start : start + CALL] for start in range(0, len(new), CALL))


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


@contextmanager
def _store(kind: str) -> Iterator[Store]:
    directory = Path(tempfile.mkdtemp(prefix="gaitkeeper-bench-"))
    try:
        if kind == "sqlite":
            store = open_store(directory)
            yield store
            store.close()
            return
        with PrivateServer(fsync="on", full_page_writes="on", shared_buffers="256MB", max_wal_size="4GB") as own:
            store = open_store(directory, database=own.server.create("bench"))
            yield store
            store.close()
    finally:
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    show(run())
