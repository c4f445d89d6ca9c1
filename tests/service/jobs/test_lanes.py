"""The threads that are at jobs: what ends a job, and what leaves it to others."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import pytest

from gallery.jobs import enroll_items
from gallery.library import Library
from gallery.store.job_items import Input
from gallery.store.job_leases import claim
from gallery.store.jobs import Job, JobState, add_job, cancel, job
from gallery.vault import pack
from model.errors import EmptyGallery, GaitkeeperError, InvalidRequest, Overloaded, StoreUnavailable
from model.sequence import Floats
from service.engine.loaded import as_encoder
from service.jobs.hold import Hold
from service.jobs.lanes import Lane, is_dead
from service.jobs.patient import PIECE, PatientEncoder
from tests.fakes import FakeEncoder, walking

Work = Callable[[Job, Hold], Mapping[str, Any]]


@contextmanager
def at_work(library: Library, work: Work, **more: float) -> Iterator[tuple[Lane, threading.Event]]:
    """A lane with one kind of work, and an event that is set whenever a job got on."""
    moved = threading.Event()
    lane = Lane(library.store, {"enroll": work}, lambda _: moved.set(), every_s=0.01, **more)
    lane.start()
    try:
        yield lane, moved
    finally:
        lane.stop()


def ended(library: Library, key: str) -> Job:
    end = time.monotonic() + 10
    while (found := job(library.store, key)).finished is None:
        assert time.monotonic() < end
        time.sleep(0.005)
    return found


def queued(library: Library, owner: str = "key:a") -> str:
    return add_job(library.store, "enroll", "default", owner, {}).id


def test_what_is_done_has_its_result(library: Library) -> None:
    with at_work(library, lambda job, hold: {"enrolled": 3}):
        found = ended(library, queued(library))
    assert (found.state, found.result) == (JobState.DONE, {"enrolled": 3})


def test_a_job_is_done_by_its_owner(library: Library) -> None:
    from gallery.actor import actor

    with at_work(library, lambda job, hold: {"by": actor()}):
        assert ended(library, queued(library, "key:b")).result == {"by": "key:b"}


def test_one_that_is_cancelled_ends_between_two_batches(library: Library) -> None:
    begun = threading.Event()

    def endless(job: Job, hold: Hold) -> Mapping[str, Any]:
        while True:
            begun.set()
            hold.told(1, 2)

    with at_work(library, endless):
        key = queued(library)
        assert begun.wait(10)
        cancel(library.store, key)
        assert ended(library, key).state is JobState.CANCELLED


def test_a_bulk_enrollment_that_is_cancelled_ends_behind_its_present_batch(library: Library) -> None:
    cancelled = threading.Event()

    class Cancelling(FakeEncoder):
        def embed_clips(self, clips: Floats) -> Floats:
            if not cancelled.is_set():
                cancel(library.store, key)
                cancelled.set()
            return super().embed_clips(clips)

    sent = [Input(f"p{number}", pack(walking(number)), {}) for number in range(70)]
    key = add_job(library.store, "enroll", "default", "key:a", {}, sent).id
    with at_work(library, partial(enroll_items, library, Cancelling())):
        found = ended(library, key)
    assert found.state is JobState.CANCELLED
    assert found.done == library.gallery("default").templates == 32


def test_one_that_never_looks_hears_of_its_end_by_its_lease(library: Library) -> None:
    def waits(job: Job, hold: Hold) -> Mapping[str, Any]:
        while True:
            hold.check()

    with at_work(library, waits, lease_s=0.15):
        key = queued(library)
        while job(library.store, key).state is not JobState.RUNNING:
            time.sleep(0.005)
        cancel(library.store, key)
        assert ended(library, key).state is JobState.CANCELLED


def test_a_process_that_stops_gives_back_what_it_is_at(library: Library) -> None:
    begun = threading.Event()

    def endless(job: Job, hold: Hold) -> Mapping[str, Any]:
        while True:
            begun.set()
            hold.check()

    with at_work(library, endless):
        key = queued(library)
        assert begun.wait(10)
    assert (job(library.store, key).state, job(library.store, key).worker) == (JobState.QUEUED, None)


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (EmptyGallery("door"), {"error": "urn:gaitkeeper:problem:empty-gallery", "detail": str(EmptyGallery("door"))}),
        (
            InvalidRequest("gallery", "ann and ben"),
            {"error": "urn:gaitkeeper:problem:invalid-request", "field": "gallery"},
        ),
        (
            ValueError("ann"),
            {"error": "urn:gaitkeeper:problem:internal-error", "detail": "the service's log says more"},
        ),
    ],
)
def test_what_fails_says_why_and_names_nobody(library: Library, error: Exception, kept: dict[str, Any]) -> None:
    def fails(job: Job, hold: Hold) -> Mapping[str, Any]:
        raise error

    with at_work(library, fails):
        found = ended(library, queued(library))
        assert (found.state, found.result) == (JobState.FAILED, kept)
        assert ended(library, queued(library)).state is JobState.FAILED  # and the lane goes on


def test_a_store_that_fails_for_a_moment_is_waited_for(library: Library) -> None:
    tries: list[GaitkeeperError] = []

    def fails_twice(job: Job, hold: Hold) -> Mapping[str, Any]:
        if len(tries) < 2:
            tries.append(StoreUnavailable("busy"))
            raise tries[-1]
        return {}

    with at_work(library, fails_twice):
        assert ended(library, queued(library)).state is JobState.DONE
    assert len(tries) == 2


def clips(count: int) -> Floats:
    return np.zeros((count, 60, 17, 3), np.float32)


def test_long_work_is_cut_into_pieces(library: Library) -> None:
    encoder = FakeEncoder()
    model = as_encoder(encoder)
    rows = PatientEncoder(model, model.run, lambda: False).embed_clips(clips(2 * PIECE + 1))
    assert encoder.calls == [PIECE, PIECE, 1]
    assert rows.shape == (2 * PIECE + 1, encoder.dim)
    assert PatientEncoder(model, model.run, lambda: False).embed_clips(clips(0)).shape == (0, encoder.dim)


def test_long_work_lets_others_go_first(library: Library) -> None:
    encoder = FakeEncoder()
    model, asked = as_encoder(encoder), [True, True, False]
    seen: list[int] = []

    def busy() -> bool:
        seen.append(len(encoder.calls))
        return asked.pop(0) if asked else False

    PatientEncoder(model, model.run, busy).embed_clips(clips(1))
    assert seen == [0, 0, 0]


def test_a_full_queue_is_waited_for(library: Library) -> None:
    model, refusals = as_encoder(FakeEncoder()), [Overloaded(1.0)]

    def run(clips: Floats) -> Floats:
        if refusals:
            raise refusals.pop()
        return model.run(clips)

    assert len(PatientEncoder(model, run, lambda: False).embed_clips(clips(2))) == 2


def test_work_that_is_to_end_ends_between_two_pieces(library: Library) -> None:
    encoder = FakeEncoder()
    model = as_encoder(encoder)

    def check() -> None:
        if len(encoder.calls) == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        PatientEncoder(model, model.run, lambda: False, check).embed_clips(clips(3 * PIECE))
    assert encoder.calls == [PIECE]


def test_it_is_known_which_processes_of_this_machine_are_gone() -> None:
    own = Lane(None, {}, lambda _: None).worker  # type: ignore[arg-type]
    host, pid, _ = own.rsplit(":", 2)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert not is_dead(own)
    assert is_dead(f"{host}:{pid}:of-before")  # the same number, of a process that had it before
    assert is_dead(f"{host}:{ended.pid}:x")
    assert not is_dead(f"{host}:{os.getppid()}:x")
    assert not is_dead(f"elsewhere:{ended.pid}:x")
    assert not is_dead("w1")


def test_what_a_process_that_is_gone_was_at_goes_on_at_once(library: Library) -> None:
    ended_process = subprocess.Popen([sys.executable, "-c", ""])
    ended_process.wait()
    host = Lane(library.store, {}, lambda _: None).worker.rsplit(":", 2)[0]
    key = queued(library)
    assert claim(library.store, f"{host}:{ended_process.pid}:x", ["enroll"], 3600.0) is not None
    with at_work(library, lambda job, hold: {}):
        assert ended(library, key).state is JobState.DONE
