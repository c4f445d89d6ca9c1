"""Galleries and their own calibrations."""

import asyncio
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from model.errors import GalleryExists, UnknownGallery
from service.access.caller import Caller, Scope
from service.access.needs import needs
from service.answers import galleries as answers
from service.answers.recognition import Answer
from service.document.openapi import documented, refusals
from service.parts import TheEngine
from service.receive import received
from service.surface.paging import A_PAGE, AfterName, Limit, cut
from service.wire import CreateGallery

router = APIRouter(prefix="/galleries", tags=["galleries"])


@router.get(
    "", summary="The galleries that the key reaches, by name, a page at a time", **documented(answers.Galleries)
)
async def list_galleries(
    engine: TheEngine, caller: Annotated[Caller, needs()], after: AfterName = "", limit: Limit = A_PAGE
) -> Answer:
    found = await asyncio.to_thread(engine.library.galleries)
    behind = sorted((each for each in found if each.name > after and caller.reaches(each.name)), key=lambda it: it.name)
    page, last = cut(behind, limit)
    return Answer(answers.Galleries([answers.gallery(each) for each in page], None if last is None else last.name))


@router.post(
    "",
    summary="Create a gallery for the templates of this service's encoder",
    **documented(answers.Gallery, asked=CreateGallery, status=HTTPStatus.CREATED, problems=(GalleryExists,)),
)
async def create_gallery(request: Request, engine: TheEngine, caller: Annotated[Caller, needs(Scope.MANAGE)]) -> Answer:
    """A key that is bound to galleries creates only those."""
    asked = await received(request, CreateGallery)
    caller.check_gallery(asked.name)
    made = await asyncio.to_thread(
        engine.create_gallery, asked.name, vault_days=asked.vault_days, protected=asked.protected
    )
    return Answer(answers.gallery(made), HTTPStatus.CREATED)


@router.get(
    "/{gallery}",
    summary="One gallery",
    dependencies=[needs()],
    **documented(answers.Gallery, problems=(UnknownGallery,)),
)
async def show_gallery(gallery: str, engine: TheEngine) -> Answer:
    return Answer(answers.gallery(await asyncio.to_thread(engine.library.gallery, gallery)))


@router.delete(
    "/{gallery}",
    summary="Delete a gallery with all its subjects",
    dependencies=[needs(Scope.MANAGE)],
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses=refusals(UnknownGallery),
)
async def delete_gallery(gallery: str, engine: TheEngine) -> Response:
    await asyncio.to_thread(engine.library.delete, gallery)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.get(
    "/{gallery}/calibration",
    summary="The gallery's own calibration, or the bundle's where it has none",
    dependencies=[needs(Scope.IDENTIFY, Scope.MANAGE)],
    **documented(answers.GalleryCalibration, problems=(UnknownGallery,)),
)
async def show_calibration(gallery: str, engine: TheEngine) -> Answer:
    return Answer(await asyncio.to_thread(answers.calibration, engine.library, gallery))


@router.delete(
    "/{gallery}/calibration",
    summary="Forget the gallery's own calibration; the bundle's holds again",
    dependencies=[needs(Scope.MANAGE)],
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses=refusals(UnknownGallery),
)
async def forget_calibration(gallery: str, engine: TheEngine) -> Response:
    await asyncio.to_thread(engine.library.set_calibration, gallery, None)
    return Response(status_code=HTTPStatus.NO_CONTENT)
