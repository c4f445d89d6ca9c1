"""The console: a page at `/console/`, its files, and what its drawings need to know of skeletons."""

from functools import cache

import msgspec
from fastapi import APIRouter, FastAPI
from starlette.responses import RedirectResponse, Response

from model.named_layouts import LAYOUTS
from model.quality import IN_WORDS
from service.console_files import HEADERS, ConsoleFiles

router = APIRouter(include_in_schema=False)


@router.get("/console")
async def console() -> RedirectResponse:
    return RedirectResponse("console/")  # relative: right behind any prefix


@router.get("/console/model.json")
async def skeletons() -> Response:
    """layouts: joints, parents and body parts by name. words: what each word of the quality checks means."""
    return Response(_skeletons(), media_type="application/json", headers=dict(HEADERS))


@cache
def _skeletons() -> bytes:
    layouts = {
        name: {"joints": layout.joints, "parents": layout.parents, "parts": dict(layout.parts)}
        for name, layout in LAYOUTS.items()
    }
    return msgspec.json.encode({"layouts": layouts, "words": {str(word): text for word, text in IN_WORDS.items()}})


def install(app: FastAPI) -> None:
    app.include_router(router)
    app.mount("/console", ConsoleFiles(), name="console")
