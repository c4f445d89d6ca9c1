"""A worker's grip on one job: renewed while the work goes on, and what tells the work to end."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from gallery.store import Store
from gallery.store.job_leases import JobLost, hold, renew
from gallery.store.jobs import Job
from model.errors import StoreUnavailable

_log = structlog.get_logger("gaitkeeper")


class Cancelled(Exception):
    """Somebody has asked for the job's end."""


class Interrupted(Exception):
    """The process stops; whoever takes the job next goes on where it is."""


class Hold:
    """`gallery.jobs.Hold` on a job that was claimed.

    stopping: set when the process stops. changed: called when others may want to look at the job again.
    """

    def __init__(
        self,
        store: Store,
        job: Job,
        worker: str,
        lease_s: float,
        stopping: threading.Event,
        changed: Callable[[str], None],
    ) -> None:
        self._store, self._job, self._worker, self._lease_s = store, job, worker, lease_s
        self._stopping, self._changed = stopping, changed
        self._cancelled = job.cancelling
        self._lost = False
        self._over = threading.Event()

    def check(self) -> None:
        """Raises `JobLost`, `Cancelled`, `Interrupted`."""
        if self._lost:
            raise JobLost(self._job.id)
        if self._cancelled:
            raise Cancelled
        if self._stopping.is_set():
            raise Interrupted

    def told(self, done: int | None = None, total: int | None = None) -> None:
        self._renew(done, total)
        self.check()

    def fence(self, connection: Any) -> None:
        """Raises `JobLost`."""
        hold(connection, self._job.id, self._worker)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """The lease is renewed by a thread, however long the work takes between two looks."""
        keeper = threading.Thread(target=self._keep, name=f"lease-{self._job.id[:8]}", daemon=True)
        keeper.start()
        try:
            yield
        finally:
            self._over.set()
            keeper.join()

    def _keep(self) -> None:
        while not self._over.wait(self._lease_s / 3):
            try:
                self._renew()
            except StoreUnavailable as error:  # the work will meet it too, or it passes
                _log.warning("the lease of a job could not be renewed", job=self._job.id, reason=str(error))

    def _renew(self, done: int | None = None, total: int | None = None) -> None:
        try:
            self._cancelled |= renew(self._store, self._job.id, self._worker, self._lease_s, done, total)
        except JobLost:
            self._lost = True
        self._changed(self._job.id)
