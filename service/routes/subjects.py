"""The subjects of a gallery: enroll, show, change, merge, move and erase them."""

import asyncio
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from gallery.access import copy_of
from gallery.duplicates import Duplicates
from gallery.erasure import receipt_of
from gallery.store.managing import merge_subjects, move_subject
from model.errors import (
    BundleMismatch,
    DuplicateSubject,
    SubjectExists,
    SubjectHeld,
    UnknownGallery,
    UnknownSubject,
    UnknownTemplate,
    UnusableSequence,
)
from service.access.caller import Caller, Scope
from service.access.needs import needs
from service.answers import galleries as answers
from service.answers.recognition import Answer
from service.bodies.asked import EnrollRequest
from service.document.openapi import SEQUENCE_PROBLEMS, documented, refusals
from service.engine.stage import Probe
from service.parts import TheEngine
from service.receive import one_of_each, received, received_sequences
from service.several import answered
from service.surface.paging import A_PAGE, AfterName, Limit, cut
from service.wire import ChangeSubject, MergeSubject, MoveSubject

router = APIRouter(prefix="/galleries/{gallery}/subjects", tags=["subjects"])
ONE = (UnknownGallery, UnknownSubject)


@router.get(
    "",
    summary="The subjects of a gallery, by id, a page at a time",
    dependencies=[needs(Scope.ENROLL, Scope.MANAGE)],
    **documented(answers.Subjects, problems=(UnknownGallery,)),
)
async def list_subjects(
    gallery: str,
    engine: TheEngine,
    after: AfterName = "",
    limit: Limit = A_PAGE,
) -> Answer:
    found = await asyncio.to_thread(engine.library.subjects, gallery, after=after, limit=limit + 1)
    page, last = cut(found, limit)
    summaries = [answers.subject_summary(each) for each in page]
    return Answer(answers.Subjects(gallery=gallery, subjects=summaries, next=None if last is None else last.id))


@router.get(
    "/{subject}",
    summary="One subject and its templates",
    dependencies=[needs(Scope.ENROLL, Scope.MANAGE)],
    **documented(answers.Subject, problems=ONE),
)
async def show_subject(gallery: str, subject: str, engine: TheEngine) -> Answer:
    return Answer(await asyncio.to_thread(answers.held, engine.library, gallery, subject))


@router.patch(
    "/{subject}",
    summary="Change a subject: its id, consent, hold or metadata",
    dependencies=[needs(Scope.MANAGE)],
    **documented(answers.Subject, asked=ChangeSubject, problems=(*ONE, SubjectExists)),
)
async def change_subject(gallery: str, subject: str, request: Request, engine: TheEngine) -> Answer:
    """What is left out stays. A subject that is held is not erased, nor purged when its consent ends."""
    asked = await received(request, ChangeSubject)
    name = await asyncio.to_thread(asked.apply, engine.library.store, gallery, subject)
    return Answer(await asyncio.to_thread(answers.held, engine.library, gallery, name))


@router.post(
    "/{subject}/merge",
    summary="Give all templates of a subject to another one; the subject is no more",
    dependencies=[needs(Scope.MANAGE)],
    **documented(answers.Subject, asked=MergeSubject, problems=(*ONE, SubjectHeld)),
)
async def merge_subject(gallery: str, subject: str, request: Request, engine: TheEngine) -> Answer:
    asked = await received(request, MergeSubject)
    await asyncio.to_thread(merge_subjects, engine.library.store, gallery, subject, asked.into, force=asked.force)
    return Answer(await asyncio.to_thread(answers.held, engine.library, gallery, asked.into))


@router.post(
    "/{subject}/move",
    summary="Move a subject to another gallery of the same bundle",
    **documented(answers.Subject, asked=MoveSubject, problems=(*ONE, SubjectExists, SubjectHeld, BundleMismatch)),
)
async def move_to(
    gallery: str, subject: str, request: Request, engine: TheEngine, caller: Annotated[Caller, needs(Scope.MANAGE)]
) -> Answer:
    asked = await received(request, MoveSubject)
    caller.check_gallery(asked.gallery)
    await asyncio.to_thread(move_subject, engine.library.store, gallery, subject, asked.gallery)
    return Answer(await asyncio.to_thread(answers.held, engine.library, asked.gallery, subject))


@router.get(
    "/{subject}/copy",
    summary="All that is held on a subject, as a zip (an access request)",
    dependencies=[needs(Scope.MANAGE), needs(Scope.EMBED)],
    response_class=Response,
    responses={200: {"content": {"application/zip": {}}}, **refusals(*ONE)},
)
async def copy_subject(gallery: str, subject: str, engine: TheEngine) -> Response:
    """Its embeddings are in it, and its skeletons where the gallery keeps them: no other answer gives these."""
    found = await asyncio.to_thread(copy_of, engine.library.store, gallery, subject)
    return Response(found.content, media_type="application/zip")


@router.delete(
    "/{subject}",
    summary="Erase a subject: from this answer on, none names it",
    dependencies=[needs(Scope.MANAGE)],
    **documented(answers.Erased, problems=(*ONE, SubjectHeld)),
)
async def erase_subject(gallery: str, subject: str, engine: TheEngine) -> Answer:
    """The receipt is signed. Its state is `withheld` now and `destroyed` within a minute: see `/erasures/{erasure}`."""
    store = engine.library.store
    erasure = await asyncio.to_thread(engine.library.erase_subject, gallery, subject)
    receipt = await asyncio.to_thread(receipt_of, store, erasure.id)
    return Answer(answers.erased(gallery, subject, erasure, receipt))


@router.delete(
    "/{subject}/templates/{template}",
    summary="Erase one template, and its subject with its last one",
    dependencies=[needs(Scope.MANAGE)],
    **documented(answers.Erased, problems=(*ONE, UnknownTemplate, SubjectHeld)),
)
async def erase_template(gallery: str, subject: str, template: int, engine: TheEngine) -> Answer:
    erasure = await asyncio.to_thread(engine.erase_template, gallery, subject, template)
    receipt = await asyncio.to_thread(receipt_of, engine.library.store, erasure.id)
    return Answer(answers.erased(gallery, subject, erasure, receipt))


@router.post(
    "/{subject}/templates",
    summary="Enroll a sequence of a subject",
    dependencies=[needs(Scope.ENROLL)],
    **documented(
        answers.Enrolled,
        asked=EnrollRequest,
        status=HTTPStatus.CREATED,
        also=(HTTPStatus.OK,),
        problems=(*SEQUENCE_PROBLEMS, UnusableSequence, UnknownGallery, BundleMismatch, DuplicateSubject),
    ),
)
async def enroll(gallery: str, subject: str, request: Request, engine: TheEngine) -> Answer:
    """A sequence that cannot be identified by is refused with the reasons. The same sequence sent again for the same
    subject adds nothing and is answered with status 200. Where the gallery has a calibration of its own, a new subject
    who looks like one that is enrolled is refused with 409 and the candidate, unless `force` is set."""
    found = one_of_each(await received_sequences(request, EnrollRequest, engine.encoding))
    asked = found.asked
    consent = None if asked.consent is None else asked.consent.checked()
    duplicates = Duplicates.OFF if asked.force else None

    async def one(probe: Probe) -> answers.Enrolled:
        added = await engine.enroll(probe, gallery, subject, asked.labels, consent, duplicates)
        return answers.enrolled(gallery, subject, added, probe)

    return await answered(request, found, one, kind=answers.Enrolled, status=_enrolled, at_once=1)


def _enrolled(answer: answers.Enrolled) -> HTTPStatus:
    return HTTPStatus.OK if answer.repeated else HTTPStatus.CREATED
