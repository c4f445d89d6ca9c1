"""Files of pose estimators to sequences: read, people followed, each judged. Nothing is kept."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter
from starlette.requests import Request

from model.errors import UnreadableFile
from service.access.caller import Caller, Scope
from service.access.needs import needs
from service.answers import tracks as answers
from service.answers.recognition import Answer
from service.bodies.asked import ReadRequest
from service.document.openapi import SEQUENCE_PROBLEMS, documented
from service.gone import unless_gone
from service.parts import TheEngine, aside_of
from service.receive import received_sequences

router = APIRouter(prefix="/sequences", tags=["recognition"])


@router.post(
    "",
    summary="Read keypoint files: a sequence for each person, and what its quality is",
    **documented(answers.Tracks, asked=ReadRequest, problems=(*SEQUENCE_PROBLEMS, UnreadableFile)),
)
async def read_sequences(
    request: Request,
    engine: TheEngine,
    caller: Annotated[Caller, needs(Scope.IDENTIFY, Scope.ENROLL)],
) -> Answer:
    """The files go into a form, each with its name. Each sequence of the answer can be sent as the `sequence` of
    another request. Nothing is kept of them."""
    del caller
    found = await received_sequences(request, ReadRequest, engine.encoding)
    return Answer(await unless_gone(request, aside_of(request).call(partial(answers.tracks, found.each))))
