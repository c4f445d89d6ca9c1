"""Long work, kept so that it outlives the process: who is at it has a lease, and what is not renewed is taken over.

    queued ──> running ──> done | failed | cancelled

Any number of processes take jobs from the same table. A worker that was held up for longer than its lease finds that
the job is not its own any more (`JobLost`) at the next thing that it writes, and so does nothing twice. What a job has
to take in is sealed under a key of its own, which is destroyed when the job has ended (`job_items.py`).
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, delete, func, insert, or_, select, update

from gallery.keys.sealing import new_key
from gallery.store import audit, heads
from gallery.store.job_items import Input, add_inputs
from gallery.store.moments import moment, when
from gallery.store.schema import galleries, job_inputs, jobs
from gallery.store.store import Store
from model.errors import Conflict, LimitExceeded, UnknownResource

# Unfinished ones of all callers together: each is some kilobytes and more of sealed input.
WAITING_AT_MOST: Final = 1000
# A job that kills whoever is at it must not do so for ever.
TAKEN_OVER_AT_MOST: Final = 5
_SECOND = 1_000_000


class JobState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self in (JobState.DONE, JobState.FAILED, JobState.CANCELLED)


class JobLost(Exception):
    """Another worker has taken the job over, or its gallery is gone: leave it be. No caller's error."""


@dataclass(frozen=True, slots=True)
class Job:
    """done, total: how far it is, in things that its kind counts; total: None where that is not known yet. params: what
    was asked. result: what came of it. cancelling: somebody has asked for its end. worker: who is at it."""

    id: str
    kind: str
    gallery: str | None
    owner: str
    state: JobState
    done: int
    total: int | None
    params: Mapping[str, Any]
    result: Mapping[str, Any] | None
    cancelling: bool
    worker: str | None
    created: datetime
    finished: datetime | None


def add_job(
    store: Store, kind: str, gallery: str, owner: str, params: Mapping[str, Any], inputs: Sequence[Input] = ()
) -> Job:
    """Put a job into the queue; on return it is durable. inputs: what it is to take in, if that is its kind.

    Raises `UnknownGallery`, and `LimitExceeded` where too many wait.
    """
    key = str(uuid.uuid4())
    with store.write() as connection:
        at = heads.head(connection, gallery)
        waiting = connection.scalar(select(func.count()).select_from(jobs).where(jobs.c.finished.is_(None))) or 0
        if waiting >= WAITING_AT_MOST:
            raise LimitExceeded("unfinished jobs", WAITING_AT_MOST, waiting + 1)
        secret = store.secrets.add(connection, None, "job", new_key()) if inputs else None
        values = {"id": key, "kind": kind, "gallery_id": at.key, "owner": owner, "state": JobState.QUEUED.value}
        values |= {"done": 0, "total": len(inputs) or None, "params": dict(params), "result": None, "cancel": False}
        connection.execute(insert(jobs).values(**values, secret=secret, created=moment()))
        if secret is not None:
            add_inputs(connection, store, at, key, secret, inputs)
        audit.append(connection, store, "job", at.key, job=key, kind=kind, state="queued", inputs=len(inputs))
        return _job(connection.execute(_found(jobs.c.id == key)).one())


def job(store: Store, key: str) -> Job:
    """Raises `UnknownResource`."""
    with store.ask() as connection:
        row = connection.execute(_found(jobs.c.id == key)).one_or_none()
    if row is None:
        raise UnknownResource("job", key)
    return _job(row)


def jobs_page(
    store: Store,
    *,
    after: str | None = None,
    limit: int = 100,
    owner: str | None = None,
    also: Collection[str] | None = (),
) -> list[Job]:
    """The newest first, those behind `after` (an id). owner, also: those of this owner, and those of these galleries;
    None: of all. Raises `UnknownResource` for an `after` that is not there."""
    theirs: list[ColumnElement[bool]] = []
    if also is not None:
        theirs.append(or_(jobs.c.owner == owner, galleries.c.name.in_(list(also))))
    wanted = _found(*theirs).order_by(jobs.c.created.desc(), jobs.c.id.desc()).limit(limit)
    with store.read() as connection:
        if after is not None:
            last = connection.execute(select(jobs.c.created, jobs.c.id).where(jobs.c.id == after)).one_or_none()
            if last is None:
                raise UnknownResource("job", after)
            same = and_(jobs.c.created == last.created, jobs.c.id < last.id)
            wanted = wanted.where(or_(jobs.c.created < last.created, same))
        return [_job(row) for row in connection.execute(wanted)]


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
            _end(connection, store, key, JobState.FAILED, {"error": "its workers were killed, each time"})
            return None
        values = {"state": JobState.RUNNING.value, "worker": worker, "lease": _until(lease_s)}
        values |= {"result": {"taken_over": taken_over}} if taken_over else {}
        connection.execute(update(jobs).where(jobs.c.id == key).values(**values))
        return _job(connection.execute(_found(jobs.c.id == key)).one())


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


def finish(store: Store, key: str, worker: str, state: JobState, result: Mapping[str, Any] | None) -> None:
    """End a job that is this worker's; what is left of its inputs is destroyed with their key. Raises `JobLost`."""
    with store.write() as connection:
        hold(connection, key, worker)
        _end(connection, store, key, state, result)


def cancel(store: Store, key: str) -> Job:
    """Ask for a job's end: at once if it waits, else when its worker comes to it; what is done stays done.

    Raises `UnknownResource`, `Conflict` where it has ended.
    """
    with store.write() as connection:
        row = connection.execute(_found(jobs.c.id == key)).one_or_none()
        if row is None:
            raise UnknownResource("job", key)
        if JobState(row.state).ended:
            raise Conflict("job", f"it is {row.state} already")
        connection.execute(update(jobs).where(jobs.c.id == key).values(cancel=True))
        if row.state == JobState.QUEUED:
            _end(connection, store, key, JobState.CANCELLED, row.result)
        return _job(connection.execute(_found(jobs.c.id == key)).one())


def purge_jobs(store: Store, older_s: float) -> int:
    """Forget jobs that ended so long ago; returns how many."""
    old = (jobs.c.finished.is_not(None), jobs.c.finished < moment() - int(older_s * _SECOND))
    with store.ask() as connection:
        if connection.execute(select(jobs.c.id).where(*old).limit(1)).one_or_none() is None:
            return 0
    with store.write() as connection:
        return connection.execute(delete(jobs).where(*old)).rowcount


def abandon_jobs(connection: Connection, store: Store, reason: str) -> int:
    """Fail all that have not ended, in the caller's transaction: after a restore they would enroll whom the journal
    has erased since."""
    keys = connection.scalars(select(jobs.c.id).where(jobs.c.finished.is_(None))).all()
    for key in keys:
        _end(connection, store, key, JobState.FAILED, {"error": reason})
    return len(keys)


def _end(connection: Connection, store: Store, key: str, state: JobState, result: Mapping[str, Any] | None) -> None:
    row = connection.execute(select(jobs.c.secret, jobs.c.gallery_id, jobs.c.kind).where(jobs.c.id == key)).one()
    connection.execute(delete(job_inputs).where(job_inputs.c.job_id == key))
    if row.secret is not None:
        store.secrets.destroy(connection, row.secret)
    values = {"state": state.value, "secret": None, "worker": None, "lease": None, "finished": moment()}
    connection.execute(update(jobs).where(jobs.c.id == key).values(**values, result=result))
    audit.append(connection, store, "job", row.gallery_id, job=key, kind=row.kind, state=state.value)


def _free(kinds: Collection[str]) -> tuple[ColumnElement[bool], ...]:
    left = and_(jobs.c.state == JobState.RUNNING.value, jobs.c.lease < moment())
    return (jobs.c.kind.in_(list(kinds)), or_(jobs.c.state == JobState.QUEUED.value, left))


def _until(lease_s: float) -> int:
    return moment() + int(lease_s * _SECOND)


def _found(*which: ColumnElement[bool]) -> Select[Any]:
    named = select(jobs, galleries.c.name.label("gallery"))
    return named.outerjoin(galleries, galleries.c.id == jobs.c.gallery_id).where(*which)


def _job(row: Row[Any]) -> Job:
    ended = None if row.finished is None else when(row.finished)
    about = (row.id, row.kind, row.gallery, row.owner, JobState(row.state), row.done, row.total, row.params)
    return Job(*about, row.result, bool(row.cancel), row.worker, when(row.created), ended)
