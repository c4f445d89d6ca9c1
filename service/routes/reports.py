"""Stored reports of evaluations, to be looked at."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request

from model.errors import UnknownResource
from service.access.caller import Caller, Scope
from service.access.needs import needs
from service.answers import reports as answers
from service.answers.recognition import Answer
from service.document.openapi import documented
from service.reports import Reports
from service.settings import Settings

router = APIRouter(tags=["reports"])
READERS = (Scope.IDENTIFY, Scope.MANAGE, Scope.AUDIT)


@router.get(
    "/reports",
    summary="Stored reports of evaluations, by name, a page at a time",
    **documented(answers.StoredReports),
)
async def list_reports(
    request: Request,
    caller: Annotated[Caller, needs(*READERS)],
    after: Annotated[str, Query(max_length=512, description="the last report of the page before")] = "",
    limit: Annotated[int, Query(ge=1, le=200)] = 100,
) -> Answer:
    """What `gaitkeeper evaluate` and `gaitkeeper reproduce` wrote into the folder of the setting `reports`."""
    del caller
    found, following = await asyncio.to_thread(_reports(request).page, after, limit)
    return Answer(answers.reports(found, following))


@router.get(
    "/reports/{name}",
    summary="A stored report with its curves",
    **documented(answers.StoredReport, problems=(UnknownResource,)),
)
async def show_report(name: str, request: Request, caller: Annotated[Caller, needs(*READERS)]) -> Answer:
    del caller
    return Answer(answers.report(await asyncio.to_thread(_reports(request).report, name)))


def _reports(request: Request) -> Reports:
    settings: Settings = request.app.state.settings
    return Reports(settings.reports or settings.data / "reports")
