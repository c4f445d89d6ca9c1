"""Long work: asked for here, answered with 202, and told of until it has ended."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from gallery.migrate import check as check_migration
from gallery.store import Store
from gallery.store import jobs as kept
from gallery.store.job_items import Input, results_page
from gallery.store.jobs import add_job, jobs_page
from model.errors import BundleMismatch, Conflict, EmptyGallery, InvalidBundle, UnknownGallery, UnknownResource
from service.access.caller import Caller, Scope
from service.access.needs import caller_of, needs
from service.answers.recognition import Answer
from service.bodies.media import media_type
from service.document.openapi import documented, refusals
from service.engine.background import Background, background_of
from service.jobs import answers
from service.jobs.bodies import EnrollMany, MigrateGallery, taken_in
from service.jobs.works import CALIBRATE, ENROLL, MIGRATE, named
from service.parts import TheEngine, TheLimits
from service.receive import received
from service.sse import MEDIA_TYPE, Told, event_stream
from service.surface.paging import A_PAGE, Limit, cut
from service.wire import CalibrateGallery

router = APIRouter(tags=["jobs"])

# Others may be at a job: what they do is not told here, so it is looked for.
LOOK_EVERY_S = 1.0
Known = Annotated[Caller, needs()]
JobName = Annotated[str, Query(max_length=36, description="the last one of the page before (`next`)")]


@router.post(
    "/galleries/{gallery}/enrollments",
    summary="Enroll many sequences, as a job",
    dependencies=[needs(Scope.ENROLL)],
    **documented(answers.Job, asked=EnrollMany, status=HTTPStatus.ACCEPTED, problems=(UnknownGallery, BundleMismatch)),
)
async def enroll_many(gallery: str, request: Request, engine: TheEngine, limits: TheLimits) -> Answer:
    """Every item is enrolled, found to be there already, or refused, by itself: `GET /jobs/{job}/results` tells which,
    by its place in the list. Whoever is erased while the job runs is not enrolled again by it. It goes on when the
    service was stopped or killed, and does nothing twice. What was sent is kept sealed until then and destroyed."""
    await asyncio.to_thread(engine.library.head, gallery, engine.encoding.fingerprint)
    media_type(request, ("application/json",))
    with background_of(request).taking_in():
        inputs, force = await asyncio.to_thread(taken_in, await request.body(), limits)
        return await _accepted(request, engine.library.store, ENROLL, gallery, {"force": force}, inputs)


@router.post(
    "/galleries/{gallery}/calibration",
    summary="Calibrate a gallery by its own templates, each subject left out in turn, as a job",
    dependencies=[needs(Scope.MANAGE)],
    **documented(
        answers.Job, asked=CalibrateGallery, status=HTTPStatus.ACCEPTED, problems=(UnknownGallery, EmptyGallery)
    ),
)
async def calibrate_gallery(gallery: str, request: Request, engine: TheEngine) -> Answer:
    """It holds from the end of the job on. A rate that those enrolled are too few to show fails the job, and its result
    says how many more are needed. It takes seconds for some thousand templates."""
    asked = await received(request, CalibrateGallery)
    params = {"target_fpir": asked.rate(), "session": asked.session, "by": list(asked.by)}
    if not (await asyncio.to_thread(engine.library.gallery, gallery)).templates:
        raise EmptyGallery(gallery)
    return await _accepted(request, engine.library.store, CALIBRATE, gallery, params)


@router.post(
    "/galleries/{gallery}/migrations",
    summary="Change a gallery's encoder: embed its vault again, as a job",
    dependencies=[needs(Scope.ADMIN)],
    **documented(answers.Job, asked=MigrateGallery, status=HTTPStatus.ACCEPTED, problems=(UnknownGallery, Conflict)),
)
async def migrate_gallery(gallery: str, request: Request, engine: TheEngine) -> Answer:
    """The gallery goes on answering meanwhile. Cancelled, it is where it was, and another migration to the same bundle
    goes on from there. Where no other gallery needs the present encoder, the new one answers when the job is done."""
    asked = await received(request, MigrateGallery)
    await asyncio.to_thread(engine.library.gallery, gallery)

    def check() -> None:
        try:
            bundle = named(request.app.state.settings, asked.bundle)
        except InvalidBundle as error:
            raise Conflict("bundle", error.reason) from error
        check_migration(engine.library.store, gallery, bundle.fingerprint, partial=asked.partial)

    await asyncio.to_thread(check)
    params = {
        "bundle": asked.bundle,
        "partial": asked.partial,
        "calibrate": asked.calibrate,
        "switch": asked.switch,
    }
    return await _accepted(request, engine.library.store, MIGRATE, gallery, params)


@router.get(
    "/jobs", summary="Jobs, the newest first, a page at a time", **documented(answers.Jobs, problems=(UnknownResource,))
)
async def list_jobs(engine: TheEngine, caller: Known, after: JobName = "", limit: Limit = A_PAGE) -> Answer:
    """One's own, and those of galleries that one may manage or audit."""
    store, also = engine.library.store, _also(caller)
    found = await asyncio.to_thread(jobs_page, store, after=after or None, limit=limit + 1, owner=caller.id, also=also)
    page, last = cut(found, limit)
    told = [await asyncio.to_thread(answers.job, store, each) for each in page if answers.may_see(caller, each)]
    return Answer(answers.Jobs(told, None if last is None else last.id))


@router.get("/jobs/{job}", summary="How far a job is", **documented(answers.Job, problems=(UnknownResource,)))
async def show_job(job: str, engine: TheEngine, caller: Known) -> Answer:
    return Answer(await asyncio.to_thread(_seen, engine.library.store, job, caller))


@router.get(
    "/jobs/{job}/results",
    summary="What became of each item of a bulk enrollment, a page at a time",
    **documented(answers.JobResults, problems=(UnknownResource,)),
)
async def list_results(
    job: str,
    engine: TheEngine,
    caller: Known,
    after: Annotated[int, Query(ge=-1, le=2**31 - 1, description="the last place of the page before (`next`)")] = -1,
    limit: Limit = A_PAGE,
) -> Answer:
    store = engine.library.store
    await asyncio.to_thread(_seen, store, job, caller)
    found = await asyncio.to_thread(results_page, store, job, after=after, limit=limit + 1)
    page, last = cut(found, limit)
    return Answer(answers.JobResults([answers.result(each) for each in page], None if last is None else last.place))


@router.delete(
    "/jobs/{job}",
    summary="Cancel a job: what is done stays done, the rest is not begun",
    **documented(answers.Job, status=HTTPStatus.ACCEPTED, problems=(UnknownResource, Conflict)),
)
async def cancel_job(job: str, request: Request, engine: TheEngine, caller: Known) -> Answer:
    """One that runs ends behind its present batch: `state` says when."""
    store = engine.library.store

    def cancelled() -> answers.Job:
        if _found(store, job, caller).owner != caller.id:
            caller.check(Scope.MANAGE)
        return answers.job(store, kept.cancel(store, job))

    told = await asyncio.to_thread(cancelled)
    background_of(request).moved.publish(job)
    return Answer(told, HTTPStatus.ACCEPTED)


@router.get(
    "/jobs/{job}/events",
    summary="How far a job is, as it gets on: server-sent events `job`, to its end",
    response_class=Response,
    responses={
        200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}},
        **refusals(UnknownResource),
    },
)
async def follow_job(job: str, request: Request, engine: TheEngine, caller: Known) -> Response:
    store = engine.library.store
    await asyncio.to_thread(_seen, store, job, caller)
    return event_stream(request, _following(background_of(request), store, job, caller))


async def _following(background: Background, store: Store, job: str, caller: Caller) -> AsyncIterator[Told]:
    last: answers.Job | None = None
    async with background.moved.subscribe(lambda moved: moved == job) as moves:
        move = asyncio.ensure_future(anext(moves))
        try:
            while True:
                found = await asyncio.to_thread(_seen, store, job, caller)
                if found != last:
                    yield "job", found
                if found.finished is not None:
                    return
                last = found
                await asyncio.wait({move}, timeout=LOOK_EVERY_S)
                if move.done():
                    move = asyncio.ensure_future(anext(moves))
        finally:
            move.cancel()


def _found(store: Store, job: str, caller: Caller) -> kept.Job:
    """Raises `UnknownResource`, too, for one that the caller may not see."""
    found = kept.job(store, job)
    if not answers.may_see(caller, found):
        raise UnknownResource("job", job)
    return found


def _seen(store: Store, job: str, caller: Caller) -> answers.Job:
    return answers.job(store, _found(store, job, caller))


def _also(caller: Caller) -> Sequence[str] | None:
    if not (caller.may(Scope.MANAGE) or caller.may(Scope.AUDIT)):
        return ()
    return None if caller.galleries is None else sorted(caller.galleries)


async def _accepted(
    request: Request,
    store: Store,
    kind: str,
    gallery: str,
    params: Mapping[str, Any],
    inputs: Sequence[Input] = (),
) -> Answer:
    owner = caller_of(request).id
    made = await asyncio.to_thread(add_job, store, kind, gallery, owner, params, inputs)
    background_of(request).jobs.wake()
    answer = Answer(await asyncio.to_thread(answers.job, store, made), HTTPStatus.ACCEPTED)
    answer.headers["Location"] = f"/jobs/{made.id}"
    return answer
