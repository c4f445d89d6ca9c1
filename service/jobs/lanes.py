"""The threads that are at the jobs of this process: one for enrollments, one for all else, so that a long bulk
enrollment keeps no calibration waiting.

Any number of processes share the queue. One that is killed loses its lease, and another one, or itself when it is back,
goes on with the job; one that stops in order gives its jobs back at once.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Collection, Mapping
from functools import cache
from secrets import token_hex
from typing import Any, TypeAlias

import structlog

from gallery.actor import acting_as
from gallery.library import Library
from gallery.store import Store
from gallery.store.job_leases import JobLost, claim, finish, free_dead, give_back
from gallery.store.jobs import Job, JobState, purge_jobs
from model import errors
from model.errors import GaitkeeperError, StoreUnavailable
from service.jobs.hold import Cancelled, Hold, Interrupted
from service.problem import problem_type

_log = structlog.get_logger("gaitkeeper")

Work: TypeAlias = Callable[[Job, Hold], Mapping[str, Any]]

LEASE_S = 15.0
EVERY_S = 1.0
STOPPED_S = 10.0
# How long it is told what became of a job.
KEPT_S = 30 * 24 * 3600.0
_PURGE_EVERY_S = 3600.0
# Not working for so many times in a row, a store will not work the next time either.
_TRIES = 20
# What these say of a request names no subject, so it may be kept with the job.
_TELLABLE = (
    errors.UnknownGallery,
    errors.EmptyGallery,
    errors.BundleMismatch,
    errors.InvalidDataSet,
    errors.InvalidBundle,
    errors.ModelMissing,
    errors.StoreUnavailable,
    errors.KeyUnavailable,
)


class Lane:
    """One thread that takes jobs of these kinds, one after the other.

    works: by kind. told: called with the id of a job that has got on.
    """

    def __init__(
        self,
        store: Store,
        works: Mapping[str, Work],
        told: Callable[[str], None],
        *,
        lease_s: float = LEASE_S,
        every_s: float = EVERY_S,
    ) -> None:
        self._store, self._works, self._told = store, works, told
        self._lease_s, self._every_s = lease_s, every_s
        self.worker = f"{_host()}:{os.getpid()}:{_process()}{token_hex(3)}"
        self._stopping = threading.Event()
        self._woken = threading.Event()
        self._failures = 0
        self._thread: threading.Thread | None = None

    @property
    def kinds(self) -> Collection[str]:
        return self._works.keys()

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name=f"jobs-{'-'.join(self.kinds)}", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """There may be something to do."""
        self._woken.set()

    def stop(self) -> None:
        """Let the batch under way end, and give back the job it is of. One that does not end in time is left to whoever
        takes it over when this process is gone."""
        self._stopping.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(STOPPED_S)

    def _run(self) -> None:
        purged = 0.0
        self._free_dead()
        while not self._stopping.is_set():
            self._woken.clear()
            try:
                if time.monotonic() - purged > _PURGE_EVERY_S or not purged:
                    purge_jobs(self._store, KEPT_S)
                    purged = time.monotonic()
                job = claim(self._store, self.worker, self.kinds, self._lease_s)
            except StoreUnavailable as error:
                _log.warning("no job could be taken; tried again", reason=str(error))
                job = None
            except Exception:  # one failed look must not be the last one
                _log.exception("no job could be taken; tried again")
                job = None
            if job is None:
                self._woken.wait(self._every_s)
            else:
                self._told(job.id)
                self._at(job)
                self._told(job.id)

    def _free_dead(self) -> None:
        """Go on at once with what a process of this machine was at when it was killed, and not after its lease."""
        try:
            free_dead(self._store, is_dead)
        except Exception as error:
            _log.warning("jobs of those who were killed wait for the end of their leases", reason=str(error))

    def _at(self, job: Job) -> None:
        """All of one job, as its owner; nothing that goes wrong in it ends the lane."""
        hold = Hold(self._store, job, self.worker, self._lease_s, self._stopping, self._told)
        about = {"job": job.id, "kind": job.kind}
        try:
            with acting_as(job.owner), hold.kept():
                self._ended(job, *self._worked(job, hold))
            self._failures = 0
        except Interrupted:
            self._give_back()
        except JobLost:
            _log.warning("a job was taken over by another worker", **about)
        except StoreUnavailable as error:
            self._failures += 1
            _log.warning("a job waits for the store", reason=str(error), **about)
            self._give_back()
            self._stopping.wait(self._every_s)
        except Exception:  # of ours, and not of the work, whose own are its end: it may be over in a moment
            _log.exception("what became of a job could not be kept", **about)
            self._give_back()
            self._stopping.wait(self._every_s)

    def _worked(self, job: Job, hold: Hold) -> tuple[JobState, Mapping[str, Any] | None]:
        """What became of it. Raises what leaves it for later."""
        try:
            hold.check()
            return JobState.DONE, self._works[job.kind](job, hold)
        except Cancelled:
            return JobState.CANCELLED, None
        except (Interrupted, JobLost):
            raise
        except StoreUnavailable as error:
            if self._failures < _TRIES:
                raise
            return JobState.FAILED, why(error, job.kind)
        except GaitkeeperError as error:
            return JobState.FAILED, why(error, job.kind)
        except Exception as error:
            _log.error("a job failed", job=job.id, kind=job.kind, error=type(error).__name__, exc_info=True)
            return JobState.FAILED, {"error": problem_type("InternalError"), "detail": "the service's log says more"}

    def _ended(self, job: Job, state: JobState, result: Mapping[str, Any] | None) -> None:
        finish(self._store, job.id, self.worker, state, result)
        _log.info("a job has ended", job=job.id, kind=job.kind, state=state.value)

    def _give_back(self) -> None:
        try:
            give_back(self._store, self.worker)
        except Exception as error:
            _log.warning("a job is free only when its lease is over", reason=str(error))


@cache
def _process() -> str:
    """Tells this process from one before it that had its number."""
    return token_hex(6)


def _host() -> str:
    return socket.gethostname()[:24]


def is_dead(worker: str) -> bool:
    """Whether a worker was a process of this machine that is there no more. It may be wrong where two machines have one
    name: then the job is taken from who is at it, who finds that out before anything is done twice."""
    host, _, rest = worker.rpartition(":")[0].rpartition(":")
    if host != _host() or not rest.isdigit():
        return False
    if int(rest) == os.getpid():
        return not worker.rpartition(":")[2].startswith(_process())
    try:
        os.kill(int(rest), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


def why(error: GaitkeeperError, kind: str) -> dict[str, Any]:
    """What is kept of an error: its type, and its words where they cannot name a subject, who may be erased."""
    found: dict[str, Any] = {"error": problem_type(type(error).__name__)}
    if isinstance(error, _TELLABLE):
        found["detail"] = str(error)
    elif isinstance(error, errors.InvalidRequest):
        found["field"] = error.field
        if kind == "calibrate" or error.field == "bundle":
            found["detail"] = str(error)
    return found


class Lanes:
    """All lanes of a process. works: by lane, the kinds of each."""

    def __init__(self, library: Library, works: Collection[Mapping[str, Work]], told: Callable[[str], None]) -> None:
        self._lanes = [Lane(library.store, each, told) for each in works]

    def start(self) -> None:
        for lane in self._lanes:
            lane.start()

    def wake(self) -> None:
        for lane in self._lanes:
            lane.wake()

    def stop(self) -> None:
        for lane in self._lanes:
            lane.stop()
