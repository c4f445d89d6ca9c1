"""Long work, kept so that it outlives the process.

    queued ──> running ──> done | failed | cancelled

Who is at it has a lease (`job_leases.py`). What a job has to take in is sealed under a key of its own, which is
destroyed when the job has ended (`job_items.py`).
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
from gallery.store.resources import check_resource
from gallery.store.schema import galleries, job_inputs, jobs
from gallery.store.store import Store
from model.errors import Conflict, LimitExceeded, UnknownResource

# Unfinished ones of all callers together: each is some kilobytes and more of sealed input.
WAITING_AT_MOST: Final = 1000
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
        return as_job(connection.execute(found_jobs(jobs.c.id == key)).one())


def job(store: Store, key: str) -> Job:
    """Raises `UnknownResource`."""
    check_resource("job", key)
    with store.ask() as connection:
        row = connection.execute(found_jobs(jobs.c.id == key)).one_or_none()
    if row is None:
        raise UnknownResource("job", key)
    return as_job(row)


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
    wanted = found_jobs(*theirs).order_by(jobs.c.created.desc(), jobs.c.id.desc()).limit(limit)
    with store.read() as connection:
        if after is not None:
            check_resource("job", after)
            last = connection.execute(select(jobs.c.created, jobs.c.id).where(jobs.c.id == after)).one_or_none()
            if last is None:
                raise UnknownResource("job", after)
            same = and_(jobs.c.created == last.created, jobs.c.id < last.id)
            wanted = wanted.where(or_(jobs.c.created < last.created, same))
        return [as_job(row) for row in connection.execute(wanted)]


def cancel(store: Store, key: str) -> Job:
    """Ask for a job's end: at once if it waits, else when its worker comes to it; what is done stays done.

    Raises `UnknownResource`, `Conflict` where it has ended.
    """
    check_resource("job", key)
    with store.write() as connection:
        row = connection.execute(found_jobs(jobs.c.id == key)).one_or_none()
        if row is None:
            raise UnknownResource("job", key)
        if JobState(row.state).ended:
            raise Conflict("job", f"it is {row.state} already")
        connection.execute(update(jobs).where(jobs.c.id == key).values(cancel=True))
        if row.state == JobState.QUEUED:
            end_job(connection, store, key, JobState.CANCELLED, row.result)
        return as_job(connection.execute(found_jobs(jobs.c.id == key)).one())


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
        end_job(connection, store, key, JobState.FAILED, {"error": reason})
    return len(keys)


def end_job(connection: Connection, store: Store, key: str, state: JobState, result: Mapping[str, Any] | None) -> None:
    """End a job, and destroy what is left of its inputs, in the caller's transaction."""
    row = connection.execute(select(jobs.c.secret, jobs.c.gallery_id, jobs.c.kind).where(jobs.c.id == key)).one()
    connection.execute(delete(job_inputs).where(job_inputs.c.job_id == key))
    if row.secret is not None:
        store.secrets.destroy(connection, row.secret)
    values = {"state": state.value, "secret": None, "worker": None, "lease": None, "finished": moment()}
    connection.execute(update(jobs).where(jobs.c.id == key).values(**values, result=result))
    audit.append(connection, store, "job", row.gallery_id, job=key, kind=row.kind, state=state.value)


def found_jobs(*which: ColumnElement[bool]) -> Select[Any]:
    named = select(jobs, galleries.c.name.label("gallery"))
    return named.outerjoin(galleries, galleries.c.id == jobs.c.gallery_id).where(*which)


def as_job(row: Row[Any]) -> Job:
    ended = None if row.finished is None else when(row.finished)
    about = (row.id, row.kind, row.gallery, row.owner, JobState(row.state), row.done, row.total, row.params)
    return Job(*about, row.result, bool(row.cancel), row.worker, when(row.created), ended)
