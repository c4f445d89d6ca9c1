"""Galleries, their subjects, and the enrollment of templates."""

import asyncio
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from model.errors import BundleMismatch, GalleryExists, UnknownGallery, UnknownSubject, UnusableSequence
from service import answers
from service.answers import Answer
from service.openapi import SEQUENCE_PROBLEMS, documented
from service.parts import TheEngine, TheLimits
from service.receive import received, received_sequence, unless_gone
from service.wire import CreateGallery, EnrollRequest

router = APIRouter(prefix="/galleries", tags=["galleries"])


@router.get("", summary="All galleries", **documented(answers.Galleries))
async def list_galleries(engine: TheEngine) -> Answer:
    found = await asyncio.to_thread(engine.library.list)
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
    return Answer(answers.gallery(await asyncio.to_thread(engine.library.describe, gallery)))
