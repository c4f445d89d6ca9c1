"""Workers that are killed (SIGKILL) in the middle of a bulk enrollment, on both databases: the work goes on behind what
is durable, and nothing is done twice."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from gallery.library import Library
from gallery.store import Store
from gallery.store.job_items import Input, results_page
from gallery.store.jobs import Job, JobState, add_job, job
from gallery.vault import pack
from tests.fakes import FakeEncoder, walking

ROOT = Path(__file__).parents[3]
ITEMS = 256
WITHIN_S = 60


Start = Callable[[], "subprocess.Popen[str]"]


@pytest.fixture
def start(tmp_path: Path, database: str | None) -> Iterator[Start]:
    """Starts another worker."""
    more = [] if database is None else [database]
    command = [sys.executable, "-P", "-m", "tests.service.jobs.working", str(tmp_path / "data"), *more]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    def begin() -> "subprocess.Popen[str]":
        worker = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        workers.enter_context(worker)
        workers.callback(worker.kill)
        return worker

    with ExitStack() as workers:
        yield begin


def enrolled_in_bulk(store: Store) -> Job:
    """A job with many items, each of another sequence; every fourth is of a subject that came before."""
    library, encoder = Library(store), FakeEncoder()
    library.create("door", fingerprint=encoder.fingerprint, dim=encoder.dim)
    sent = [Input(f"p{n - n % 4}", pack(walking(n, 60)), {"n": str(n)}) for n in range(ITEMS)]
    return add_job(store, "enroll", "door", "key:a", {}, sent)


def ready(worker: "subprocess.Popen[str]") -> None:
    assert worker.stdout is not None
    assert worker.stdout.readline() == "working\n"


def kill_whoever_is_at_it(store: Store, key: str, workers: "list[subprocess.Popen[str]]") -> None:
    """Kills the job's worker when it has done some more."""
    before = job(store, key).done
    end = time.monotonic() + WITHIN_S
    while (found := job(store, key)).done == before or found.worker is None:
        assert time.monotonic() < end
        time.sleep(0.005)
    killed = next(each for each in workers if f":{each.pid}:" in str(found.worker))
    killed.kill()
    assert killed.wait() == -signal.SIGKILL
    assert job(store, key).state is JobState.RUNNING  # nobody had the time to say anything


def test_what_is_killed_is_taken_over_and_gets_to_the_end(store: Store, start: Start) -> None:
    """Of two processes the one that is at the job is killed, then the other, and a third one ends it."""
    workers = [start(), start()]
    for each in workers:
        ready(each)
    key = enrolled_in_bulk(store).id
    kill_whoever_is_at_it(store, key, workers)
    kill_whoever_is_at_it(store, key, workers)
    assert start().wait(WITHIN_S) == 0
    ended = job(store, key)
    assert (ended.state, ended.done) == (JobState.DONE, ITEMS)
    assert ended.result == {"enrolled": ITEMS, "repeated": 0, "refused": 0}
    found = results_page(store, key, limit=ITEMS + 1)
    assert [each.place for each in found] == list(range(ITEMS))
    assert len({each.template for each in found}) == ITEMS
    assert store.gallery("door").gallery.templates == ITEMS
    held = [each for one in store.subjects("door") for each in store.templates_of("door", one.id)]
    assert sorted(int(each.labels["n"]) for each in held) == list(range(ITEMS))
