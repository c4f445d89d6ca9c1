"""What is told of jobs."""

from typing import Any, Literal, TypeAlias

import msgspec

from gallery.store import Store
from gallery.store import job_items as items
from gallery.store import jobs as kept
from gallery.store.jobs import JobState
from service.access.caller import Caller, Scope
from service.jobs.works import ENROLL

State: TypeAlias = Literal["queued", "running", "done", "failed", "cancelled"]


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Long work. done, total: how far it is, in what it counts: items, templates, steps; total is null where it is not
    known yet. asked: how. result: what came of it; `error` of a job that failed is the `type` of a problem document.
    cancelling: its end was asked for."""

    id: str
    kind: Literal["enroll", "calibrate", "migrate"]
    gallery: str
    owner: str
    state: State
    done: int
    total: int | None
    asked: dict[str, Any]
    result: dict[str, Any] | None
    cancelling: bool
    created: str
    finished: str | None


class Jobs(msgspec.Struct, frozen=True):
    """A page of jobs, the newest first. next: ask again with after=next; null on the last page."""

    jobs: list[Job]
    next: str | None


class JobResult(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one item. place: in the list that was sent, from 0. reasons: of a refusal, machine-readable."""

    place: int
    status: Literal["enrolled", "repeated", "refused"]
    template: int | None
    reasons: list[str]


class JobResults(msgspec.Struct, frozen=True):
    """A page of what became of a job's items. next: ask again with after=next; null on the last page."""

    results: list[JobResult]
    next: int | None


def job(store: Store, found: kept.Job) -> Job:
    """An enrollment says at any time how many items came to each end."""
    result = None if found.result is None else dict(found.result)
    if found.kind == ENROLL and found.state is not JobState.DONE:
        result = {**(result or {}), **items.counted_results(store, found.id)}
    return Job(
        id=found.id,
        kind=found.kind,  # type: ignore[arg-type]
        gallery=found.gallery or "",
        owner=found.owner,
        state=found.state.value,
        done=found.done,
        total=found.total,
        asked={key: value for key, value in found.params.items() if value is not None},
        result=result,
        cancelling=found.cancelling and not found.state.ended,
        created=found.created.isoformat(),
        finished=None if found.finished is None else found.finished.isoformat(),
    )


def result(found: items.ItemResult) -> JobResult:
    return JobResult(
        place=found.place,
        status=found.status,  # type: ignore[arg-type]
        template=found.template,
        reasons=list(found.reasons),
    )


def may_see(caller: Caller, found: kept.Job) -> bool:
    """Whoever asked for it, and who may manage or audit its gallery."""
    if found.gallery is None or not caller.reaches(found.gallery):
        return False
    return found.owner == caller.id or caller.may(Scope.MANAGE) or caller.may(Scope.AUDIT)
