"""Traces by OpenTelemetry, where the standard variables ask for them; without, nothing that sends is even imported.

A span for each request (continuing the caller's `traceparent`) and for its encoding and its search in it. Spans hold
the route's pattern, status, request id and the id of the caller: no path, no name, no score.
"""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bound_contextvars

from model.errors import InvalidRequest
from service.access.needs import CALLER
from service.surface.request_id import SCOPE

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

# Any of these asks for traces (OpenTelemetry specification, "Environment variables").
_ASKED_BY = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_NOT_TRACED = frozenset({"/healthz", "/readyz", "/metrics"})
_tracer: "ContextVar[Tracer | None]" = ContextVar("tracer", default=None)
_nothing = nullcontext()


def configured(environment: Mapping[str, str]) -> bool:
    """Whether the variables ask for traces.

    >>> configured({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}), configured({})
    (True, False)
    >>> configured({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318", "OTEL_SDK_DISABLED": "true"})
    False
    """
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or environment.get("OTEL_TRACES_EXPORTER") == "none":
        return False
    return any(environment.get(name) for name in _ASKED_BY)


def span(name: str) -> AbstractContextManager[Any]:
    """A part of the request that is being answered, if it is traced."""
    return Spans().during(name)


class Spans:
    """Parts of the request that was being answered when this was made, begun in any thread."""

    def __init__(self) -> None:
        self._tracer, self._within = _tracer.get(), None
        if self._tracer is not None:
            from opentelemetry.context import get_current

            self._within = get_current()

    def until(self, name: str, done: "Future[Any]") -> None:
        """From now until the future is done."""
        if self._tracer is not None:
            begun = self._tracer.start_span(name, self._within)
            done.add_done_callback(lambda _: begun.end())

    def during(self, name: str) -> AbstractContextManager[Any]:
        return _nothing if self._tracer is None else self._tracer.start_as_current_span(name, self._within)


@contextmanager
def exporting(environment: Mapping[str, str]) -> Iterator["TracerProvider | None"]:
    """Sends spans by OTLP over HTTP, as the process's own variables say, if `environment` asks for it.

    Raises `InvalidRequest` where what sends them is not installed.
    """
    if not configured(environment):
        yield None
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        reason = "traces are asked for, and OpenTelemetry is not installed: pip install 'gaitkeeper[telemetry]'"
        raise InvalidRequest("environment (OTEL_...)", reason) from error
    name = environment.get("OTEL_SERVICE_NAME", "gaitkeeper")
    provider = TracerProvider(resource=Resource.create({"service.name": name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    try:
        yield provider
    finally:
        provider.shutdown()


class Traced:
    """ASGI middleware: a span for each request, and its trace in every log line."""

    def __init__(self, app: ASGIApp, provider: "TracerProvider") -> None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._app, self._tracer = app, provider.get_tracer("gaitkeeper")
        self._propagator = TraceContextTextMapPropagator()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _NOT_TRACED:
            return await self._app(scope, receive, send)
        from opentelemetry.trace import SpanKind, Status, StatusCode

        status = 500

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        told = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        asked = self._tracer.start_as_current_span(
            scope["method"], self._propagator.extract(told), SpanKind.SERVER, record_exception=False
        )
        token = _tracer.set(self._tracer)
        try:
            with asked as found, bound_contextvars(trace_id=f"{found.get_span_context().trace_id:032x}"):
                try:
                    await self._app(scope, receive, sending)
                finally:
                    found.set_attributes(_about(scope, status))
                    found.update_name(f"{scope['method']} {_route(scope)}")
                    if status >= 500:
                        found.set_status(Status(StatusCode.ERROR))
        finally:
            _tracer.reset(token)


def _about(scope: Scope, status: int) -> dict[str, str | int]:
    """By the names of OpenTelemetry's semantic conventions, as far as there are such."""
    about: dict[str, str | int] = {
        "http.request.method": scope["method"],
        "http.route": _route(scope),
        "http.response.status_code": status,
        "gaitkeeper.request_id": scope.get(SCOPE, ""),
    }
    if caller := scope.get(CALLER):
        about["gaitkeeper.caller"] = caller.id
    return about


def _route(scope: Scope) -> str:
    found: str = getattr(scope.get("route"), "path", "unmatched")
    return found
