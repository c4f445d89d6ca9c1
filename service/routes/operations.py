"""Is the process alive, can it answer, what has it counted, and how is it doing?"""

import asyncio
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response

from service.access.caller import Caller, Scope
from service.access.needs import needs
from service.answers import operations as answers
from service.answers.recognition import Answer, Health, Readiness
from service.document.openapi import documented
from service.operation.life import Phase
from service.operation.operations import operations
from service.operation.readiness import OK
from service.parts import TheEngine

router = APIRouter(tags=["operation"])


@router.get(
    "/healthz",
    summary="The process lives (200), or should be replaced (503)",
    **documented(Health, also=(HTTPStatus.SERVICE_UNAVAILABLE,)),
)
async def healthz(engine: TheEngine) -> Answer:
    """It does not live any more when a worker has died of itself: nothing that needs it would ever be answered."""
    died = engine.readiness.died()
    return Answer(Health("died" if died else "ok"), HTTPStatus.SERVICE_UNAVAILABLE if died else HTTPStatus.OK)


@router.get(
    "/readyz",
    summary="Requests can be answered now (200) or not (503)",
    **documented(Readiness, also=(HTTPStatus.SERVICE_UNAVAILABLE,)),
)
async def readyz(request: Request, engine: TheEngine) -> Answer:
    """What it rests on: the workers of the models and of the search, the store, indexes that follow it, the master key,
    free space and the keys of callers; and that the service is not about to end."""
    checks = dict(await request.app.state.shared.ask("checks", engine.readiness.checks))
    checks["callers"] = request.app.state.ring.state()
    if request.app.state.life.phase is not Phase.SERVING:
        checks["service"] = "it is about to end"
    ready = all(state == OK for state in checks.values())
    return Answer(Readiness(ready, checks), HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE)


@router.get(
    "/metrics",
    summary="Counters and histograms, for Prometheus",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def metrics(request: Request, engine: TheEngine) -> Response:
    text = await request.app.state.shared.ask("metrics", engine.metrics.exposition)
    return Response(text, media_type=CONTENT_TYPE_LATEST)


@router.get("/operations", summary="How the service is doing", **documented(answers.Operations))
async def show_operations(request: Request, engine: TheEngine, caller: Annotated[Caller, needs(Scope.AUDIT)]) -> Answer:
    """Of this process: queues, times of the latest answers, batches, decisions, and for each gallery that is open its
    index and how far what comes in has moved from what its calibration was measured on."""
    return Answer(await asyncio.to_thread(operations, engine, request.app, caller))
