"""Galleries, their subjects, and the enrollment of templates."""

import asyncio
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from model.errors import BundleMismatch, GalleryExists, UnknownGallery, UnknownSubject, UnusableSequence
from service import answers
from service.answers import Answer
from service.openapi import SEQUENCE_PROBLEMS, documented, refusals
from service.parts import TheEngine, TheLimits
from service.receive import received, received_sequence, unless_gone
from service.wire import CreateGallery, EnrollRequest

router = APIRouter(prefix="/galleries", tags=["galleries"])


@router.get("", summary="All galleries", **documented(answers.Galleries))
async def list_galleries(engine: TheEngine) -> Answer:
    found = await asyncio.to_thread(engine.library.galleries)
    return Answer(answers.Galleries([answers.gallery(each) for each in found]))


@router.post(
    "",
    summary="Create a gallery for the templates of this service's encoder",
    **documented(answers.Gallery, asked=CreateGallery, status=HTTPStatus.CREATED, problems=(GalleryExists,)),
)
async def create_gallery(request: Request, engine: TheEngine) -> Answer:
    asked = await received(request, CreateGallery)
    made = await asyncio.to_thread(engine.create_gallery, asked.name)
    return Answer(answers.gallery(made), HTTPStatus.CREATED)


@router.get("/{gallery}", summary="One gallery", **documented(answers.Gallery, problems=(UnknownGallery,)))
async def show_gallery(gallery: str, engine: TheEngine) -> Answer:
    return Answer(answers.gallery(await asyncio.to_thread(engine.library.gallery, gallery)))


@router.delete(
    "/{gallery}",
    summary="Delete a gallery with all its subjects",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses=refusals(UnknownGallery),
)
async def delete_gallery(gallery: str, engine: TheEngine) -> Response:
    await asyncio.to_thread(engine.library.delete, gallery)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.get(
    "/{gallery}/subjects",
    summary="The subjects of a gallery, by id, a page at a time",
    **documented(answers.Subjects, problems=(UnknownGallery,)),
)
async def list_subjects(
    gallery: str,
    engine: TheEngine,
    after: Annotated[str, Query(max_length=128, description="the last subject of the page before")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Answer:
    found = await asyncio.to_thread(engine.library.subjects, gallery, after=after, limit=limit + 1)
    page = [answers.subject_summary(each) for each in found[:limit]]
    following = page[-1].subject if len(found) > limit else None
    return Answer(answers.Subjects(gallery=gallery, subjects=page, next=following))


@router.get(
    "/{gallery}/subjects/{subject}",
    summary="One subject and its templates",
    **documented(answers.Subject, problems=(UnknownGallery, UnknownSubject)),
)
async def show_subject(gallery: str, subject: str, engine: TheEngine) -> Answer:
    found = await asyncio.to_thread(engine.library.subject, gallery, subject)
    templates = await asyncio.to_thread(engine.library.templates_of, gallery, subject)
    return Answer(answers.subject(found, templates))


@router.delete(
    "/{gallery}/subjects/{subject}",
    summary="Erase a subject: from this answer on, none names it",
    **documented(answers.Erased, problems=(UnknownGallery, UnknownSubject)),
)
async def erase_subject(gallery: str, subject: str, engine: TheEngine) -> Answer:
    erased = await asyncio.to_thread(engine.library.erase_subject, gallery, subject)
    return Answer(answers.Erased(gallery=gallery, subject=subject, templates=erased))


@router.post(
    "/{gallery}/subjects/{subject}/templates",
    summary="Enroll a sequence of a subject",
    **documented(
        answers.Enrolled,
        asked=EnrollRequest,
        status=HTTPStatus.CREATED,
        problems=(*SEQUENCE_PROBLEMS, UnusableSequence, UnknownGallery, BundleMismatch),
    ),
)
async def enroll(gallery: str, subject: str, request: Request, engine: TheEngine, limits: TheLimits) -> Answer:
    """A sequence that cannot be identified by is refused with the reasons. The same sequence sent again for the same
    subject adds nothing and is answered with status 200."""
    asked, probe = await received_sequence(request, EnrollRequest, engine.encoding, limits)
    added = await unless_gone(request, engine.enroll(probe, gallery, subject, asked.labels))
    answer = answers.Enrolled(
        gallery=gallery,
        subject=subject,
        template=added.template,
        repeated=added.repeated,
        quality=answers.quality(probe.quality),
        notes=list(probe.notes),
        bundle=engine.encoding.fingerprint,
    )
    return Answer(answer, HTTPStatus.OK if added.repeated else HTTPStatus.CREATED)
