"""The sequences that ship with the service, to try it with."""

import asyncio
from typing import Annotated

from fastapi import APIRouter
from starlette.responses import Response

from model.errors import UnknownResource
from service import samples
from service.access.caller import Caller
from service.access.needs import needs
from service.answers.recognition import Answer
from service.answers.samples import SampleFiles, sample_files
from service.bodies.asked import Sequence
from service.document.openapi import documented

router = APIRouter(prefix="/samples", tags=["samples"])


@router.get("", summary="The sequences that ship with the service", **documented(SampleFiles))
async def list_samples(caller: Annotated[Caller, needs()]) -> Answer:
    del caller
    return Answer(sample_files(await asyncio.to_thread(samples.shipped)))


@router.get(
    "/{name}", summary="One of them, as `sequence` takes it", **documented(Sequence, problems=(UnknownResource,))
)
async def show_sample(name: str, caller: Annotated[Caller, needs()]) -> Response:
    del caller
    return Response(await asyncio.to_thread(_content, name), media_type="application/json")


def _content(name: str) -> bytes:
    path = next((path for path, _ in samples.shipped().all if path.stem == name), None)
    if path is None:
        raise UnknownResource("sample", name)
    return path.read_bytes()
