"""Who asks?"""

from typing import Annotated

from fastapi import APIRouter
from starlette.requests import Request

from service.access.caller import Caller
from service.access.needs import needs
from service.answers.keys import Whoami, whoami
from service.answers.recognition import Answer
from service.document.openapi import documented
from service.settings import Settings

router = APIRouter(tags=["keys"])


@router.get("/whoami", summary="Who asks, and what they may", **documented(Whoami))
async def show_caller(request: Request, caller: Annotated[Caller, needs()]) -> Answer:
    settings: Settings = request.app.state.settings
    return Answer(whoami(caller, settings.access))
