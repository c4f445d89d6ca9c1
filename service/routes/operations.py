"""Is the process alive, can it answer, and what has it counted?"""

import asyncio
from http import HTTPStatus

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from service.answers import Answer, Health, Readiness
from service.openapi import documented
from service.parts import TheEngine

router = APIRouter(tags=["operation"])


@router.get("/healthz", summary="The process answers", **documented(Health))
async def healthz() -> Answer:
    return Answer(Health())


@router.get("/readyz", summary="Requests can be answered now (200) or not (503)", **documented(Readiness))
async def readyz(engine: TheEngine) -> Answer:
    checks = await asyncio.to_thread(engine.checks)
    ready = all(state == "ok" for state in checks.values())
    return Answer(Readiness(ready, checks), HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE)


@router.get("/metrics", summary="Counters and histograms, for Prometheus", response_class=Response)
async def metrics(engine: TheEngine) -> Response:
    return Response(engine.metrics.exposition(), media_type=CONTENT_TYPE_LATEST)
