"""Who is at a job: they have a lease, and what is not renewed is taken over.

Any number of processes take jobs from the same table. A worker that was held up for longer than its lease finds that
the job is not its own any more (`JobLost`) at the next thing that it writes, and so does nothing twice.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, or_, select, update

from gallery.store.jobs import Job, JobState, as_job, end_job, found_jobs
from gallery.store.moments import moment
from gallery.store.schema import jobs
from gallery.store.store import Store

# A job that kills whoever is at it must not do so for ever.
TAKEN_OVER_AT_MOST: Final = 5
_SECOND = 1_000_000


class JobLost(Exception):
    """Another worker has taken the job over, or its gallery is gone: leave it be. No caller's error."""


def claim(store: Store, worker: str, kinds: Collection[str], lease_s: float) -> Job | None:
    """The oldest job of these kinds that nobody is at, from now on this worker's; None if there is none."""
    free = _free(kinds)
    with store.ask() as connection:  # asked every second by everybody: that must not keep writers waiting
        if connection.execute(select(jobs.c.id).where(*free).limit(1)).one_or_none() is None:
            return None
    with store.write() as connection:
        oldest = (
            select(jobs.c.id, jobs.c.state, jobs.c.result).where(*free).order_by(jobs.c.created, jobs.c.id).limit(1)
        )
        found = connection.execute(oldest).one_or_none()
        if found is None:
            return None
        key, left = found.id, found.state == JobState.RUNNING
        taken_over = (found.result or {}).get("taken_over", 0) + left
        if taken_over > TAKEN_OVER_AT_MOST:
            end_job(connection, store, key, JobState.FAILED, {"error": "its workers were killed, each time"})
            return None
        values = {"state": JobState.RUNNING.value, "worker": worker, "lease": _until(lease_s)}
        values |= {"result": {"taken_over": taken_over}} if taken_over else {}
        connection.execute(update(jobs).where(jobs.c.id == key).values(**values))
        return as_job(connection.execute(found_jobs(jobs.c.id == key)).one())


def renew(
    store: Store, key: str, worker: str, lease_s: float, done: int | None = None, total: int | None = None
) -> bool:
    """Keep a job that is this worker's, and tell how far it is; True where its end is asked for. Raises `JobLost`."""
    values: dict[str, Any] = {"lease": _until(lease_s)}
    values |= {} if done is None else {"done": done}
    values |= {} if total is None else {"total": total}
    with store.write() as connection:
        hold(connection, key, worker)
        connection.execute(update(jobs).where(jobs.c.id == key).values(**values))
        return bool(connection.scalar(select(jobs.c.cancel).where(jobs.c.id == key)))


def hold(connection: Connection, key: str, worker: str) -> None:
    """Raises `JobLost` unless the job is this worker's, in a transaction that writes: to its end nobody takes it."""
    own = (jobs.c.id == key, jobs.c.worker == worker, jobs.c.state == JobState.RUNNING.value)
    if connection.scalar(select(jobs.c.id).where(*own)) is None:
        raise JobLost(key)


def give_back(store: Store, worker: str) -> int:
    """Let others go on with what this worker is at, at once; returns how many jobs these are."""
    with store.write() as connection:
        own = (jobs.c.worker == worker, jobs.c.state == JobState.RUNNING.value)
        values = {"state": JobState.QUEUED.value, "worker": None, "lease": None}
        return connection.execute(update(jobs).where(*own).values(**values)).rowcount


def free_dead(store: Store, is_dead: Callable[[str], bool]) -> int:
    """Let others go on at once with what workers were at of whom it is known here that they are dead; how many."""
    with store.ask() as connection:
        rows = connection.execute(select(jobs.c.worker).where(jobs.c.state == JobState.RUNNING.value).distinct()).all()
    dead = [row.worker for row in rows if row.worker is not None and is_dead(row.worker)]
    if not dead:
        return 0
    with store.write() as connection:
        theirs = (jobs.c.worker.in_(dead), jobs.c.state == JobState.RUNNING.value)
        return connection.execute(update(jobs).where(*theirs).values(lease=0)).rowcount


def finish(store: Store, key: str, worker: str, state: JobState, result: Mapping[str, Any] | None) -> None:
    """End a job that is this worker's; what is left of its inputs is destroyed with their key. Raises `JobLost`."""
    with store.write() as connection:
        hold(connection, key, worker)
        end_job(connection, store, key, state, result)


def _free(kinds: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    left = and_(jobs.c.state == JobState.RUNNING.value, jobs.c.lease < moment())
    return (jobs.c.kind.in_(list(kinds)), or_(jobs.c.state == JobState.QUEUED.value, left))


def _until(lease_s: float) -> int:
    return moment() + int(lease_s * _SECOND)
