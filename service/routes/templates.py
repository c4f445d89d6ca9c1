"""The templates of a gallery, and the skeletons that its vault keeps of them."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from gallery.store.listing import skeleton_of, template_page
from gallery.vault import unpack
from model.errors import UnknownGallery, UnknownResource, UnknownSubject, UnknownTemplate
from model.readers.recording import Track
from model.writing import to_json
from service.access.caller import Caller, Scope
from service.access.needs import needs
from service.answers import templates as answers
from service.answers.recognition import Answer
from service.document.openapi import documented
from service.parts import TheEngine
from service.surface.paging import A_PAGE, Limit, cut

router = APIRouter(prefix="/galleries/{gallery}", tags=["templates"])
# What a database counts up to, and JavaScript too.
NUMBERS = 2**53 - 1


@router.get(
    "/templates",
    summary="The templates of a gallery, by number, a page at a time",
    **documented(answers.Templates, problems=(UnknownGallery,)),
)
async def list_templates(
    gallery: str,
    engine: TheEngine,
    caller: Annotated[Caller, needs(Scope.ENROLL, Scope.MANAGE)],
    after: Annotated[int, Query(ge=0, le=NUMBERS, description="the last template of the page before")] = 0,
    limit: Limit = A_PAGE,
) -> Answer:
    """Without embeddings: those are in the copy of all that is held on a subject, and nowhere else."""
    del caller
    found = await asyncio.to_thread(template_page, engine.library.store, gallery, after, limit + 1)
    return Answer(answers.templates(gallery, *cut(found, limit)))


@router.get(
    "/subjects/{subject}/templates/{template}/skeleton",
    summary="The sequence that a template was made of, where the vault keeps it",
    **documented(answers.Skeleton, problems=(UnknownGallery, UnknownSubject, UnknownTemplate, UnknownResource)),
)
async def show_skeleton(
    gallery: str,
    subject: str,
    template: Annotated[int, Path(ge=1, le=NUMBERS)],
    engine: TheEngine,
    caller: Annotated[Caller, needs(Scope.INVESTIGATE)],
) -> Response:
    """In gaitkeeper's JSON. Each time it is given out is in the audit log."""
    del caller
    content = await asyncio.to_thread(_skeleton, engine, gallery, subject, template)
    return Response(content, media_type="application/json", headers={"Cache-Control": "no-store"})


def _skeleton(engine: TheEngine, gallery: str, subject: str, template: int) -> bytes:
    sequence = unpack(skeleton_of(engine.library.store, gallery, subject, template))
    return to_json([Track(str(template), sequence)])
