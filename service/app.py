"""The application: settings in, routes out. Importing this loads neither models nor torch."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from msgspec import DecodeError, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from model.errors import GaitkeeperError
from service import errors
from service.access.authenticate import Authenticate
from service.access.ring import KeyRing
from service.direct import ShortWay
from service.document import openapi
from service.document import page as docs
from service.engine.aside import Aside
from service.engine.background import beside
from service.engine.engine import Engine
from service.engine.opening import open_engine
from service.limits import Admission
from service.operation.life import Door, Life
from service.operation.metrics import Metrics
from service.operation.observe import Observe
from service.operation.shared import Shared
from service.operation.telemetry import Traced
from service.problem import ProblemResponse
from service.routes import (
    console,
    events,
    galleries,
    jobs,
    keys,
    models,
    operations,
    recognition,
    reports,
    samples,
    sequences,
    streams,
    subjects,
    templates,
    trust,
    webhooks,
    whoami,
)
from service.settings import Settings
from service.sse import Listeners
from service.streams.hub import Streams
from service.surface.deadline import Deadline
from service.surface.etag import Tagged
from service.surface.head import Head
from service.surface.idempotency import Idempotent
from service.surface.version import Version

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

# What nginx logs when the caller hung up; nobody receives it.
_CALLER_GONE = 499


def create_app(settings: Settings, engine: Engine | None = None, tracing: "TracerProvider | None" = None) -> FastAPI:
    """The service of one deployment. tracing: where spans go, if anywhere (`telemetry.exporting`).

    The engine, opened from the settings when the application starts if none is given, is closed when it stops:
    what was accepted is answered first.
    """
    metrics = engine.metrics if engine else Metrics()
    app = FastAPI(
        title="gaitkeeper",
        version=_version(),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
        # FastAPI's own would send paths, and what errors say, which may be names; ours is in telemetry.py.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        lifespan=partial(_living, open_parts=lambda: engine or open_engine(settings, metrics)),
    )
    app.state.settings = settings
    app.state.aside = Aside()
    app.state.listeners = Listeners()
    app.state.life = Life()
    app.state.shared = Shared()
    for part in (
        recognition,
        sequences,
        galleries,
        subjects,
        templates,
        streams,
        jobs,
        events,
        webhooks,
        reports,
        samples,
        trust,
        keys,
        whoami,
        models,
        operations,
    ):
        app.include_router(part.router)
    docs.install(app)
    console.install(app)
    openapi.install(app)
    _answer_errors(app)
    app.router.default = errors.nothing_there(app.router.default)
    # The one added last is met first.
    app.add_middleware(ShortWay, routes=recognition.router.routes, handlers=app.exception_handlers)
    app.add_middleware(Idempotent)
    app.add_middleware(Tagged)
    app.add_middleware(Deadline, seconds=settings.deadline_seconds)
    app.add_middleware(Authenticate, access=settings.access)
    app.add_middleware(Admission, limits=settings.limits)
    app.add_middleware(Version)
    app.add_middleware(Head)
    app.add_middleware(Door, life=app.state.life)
    app.add_middleware(Observe, metrics=metrics, access_log=settings.access_log)
    if tracing is not None:
        app.add_middleware(Traced, provider=tracing)
    return app


@asynccontextmanager
async def _living(app: FastAPI, open_parts: Callable[[], Engine]) -> AsyncIterator[None]:
    engine = open_parts()
    app.state.engine = engine
    app.state.ring = ring = KeyRing(engine.library.store)
    app.state.streams = streams = Streams(engine, app.state.settings.limits)
    told = (lambda: app.state.life.inside, lambda: streams.count, lambda: app.state.listeners.count)
    engine.metrics.watch_callers(*told)
    try:
        if app.state.settings.access == "keys":
            await asyncio.to_thread(ring.start)
        with beside(engine, app.state.settings) as app.state.background:
            yield
    finally:
        app.state.listeners.leave()
        app.state.aside.close()
        await app.state.streams.close()
        await asyncio.to_thread(ring.stop)
        engine.close()


def _answer_errors(app: FastAPI) -> None:
    app.add_exception_handler(GaitkeeperError, errors.answer_our_error)
    app.add_exception_handler(HTTPException, errors.answer_http_error)
    app.add_exception_handler(RequestValidationError, errors.answer_invalid_parameter)
    app.add_exception_handler(ValidationError, _answer_refused_body)
    app.add_exception_handler(DecodeError, _answer_malformed_body)
    app.add_exception_handler(ClientDisconnect, _answer_nobody)
    app.add_exception_handler(Exception, errors.answer_our_mistake)


async def _answer_refused_body(request: Request, error: Exception) -> Response:
    assert isinstance(error, ValidationError)
    return await errors.answer_our_error(request, errors.refused_body(error))


async def _answer_malformed_body(request: Request, error: Exception) -> Response:
    del request
    return ProblemResponse(errors.malformed(str(error)))


async def _answer_nobody(request: Request, error: Exception) -> Response:
    del request, error
    return Response(status_code=_CALLER_GONE)


def _version() -> str:
    try:
        return version("gaitkeeper")
    except PackageNotFoundError:
        return "0"
