"""ASGI middleware around every request: headers that guard the answer, a measurement, and a log line if wanted."""

import time

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gallery.actor import acting_as
from service.access.needs import CALLER
from service.errors import our_mistake
from service.operation.metrics import Metrics
from service.problem import ProblemResponse
from service.surface import request_id

_EVENT_STREAM = b"text/event-stream"
_GUARDS = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
_REQUEST_ID = request_id.HEADER.encode()

_log = structlog.get_logger("gaitkeeper.request")


class Observe:
    """Counts each request under its route's pattern: the path itself may hold a subject's name, so it is not kept.

    The log has the request's id and the caller's. What goes on, as events do, counts until it has begun; a WebSocket
    has a log line and no time.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics, access_log: bool) -> None:
        self._app, self._metrics, self._access_log = app, metrics, access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        asked_as = scope[request_id.SCOPE] = request_id.request_id_of(scope["headers"])
        with request_id.answering(asked_as), acting_as(f"http:{(scope.get('client') or ('unknown',))[0]}"):
            if scope["type"] == "http":
                await self._answered(asked_as, scope, receive, send)
            else:
                await self._connected(scope, receive, send)

    async def _answered(self, asked_as: str, scope: Scope, receive: Receive, send: Send) -> None:
        status, begun = 500, 0.0
        start = time.perf_counter()

        async def guarded(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status = message["status"]
                given = dict(message.get("headers", ()))
                guards = ((name, value) for name, value in _GUARDS if name not in given)
                message["headers"] = [*message.get("headers", ()), *guards, (_REQUEST_ID, asked_as.encode())]
                goes_on = given.get(b"content-type", b"").startswith(_EVENT_STREAM)
                begun = time.perf_counter() if goes_on else -1
            await send(message)

        try:
            await self._app(scope, receive, guarded)
        except Exception:
            # Answered here and not further out, where nobody knows the request's id any more; what happened goes on to
            # the server's log.
            _log.error("failed")
            if not begun:
                await ProblemResponse(our_mistake())(scope, receive, guarded)
            raise
        finally:
            seconds = (begun if begun > 0 else time.perf_counter()) - start
            self._metrics.request(scope["method"], _route(scope), status, seconds)
            self._note("answered", scope, method=scope["method"], status=status, ms=round(1000 * seconds, 2))

    async def _connected(self, scope: Scope, receive: Receive, send: Send) -> None:
        start, accepted = time.perf_counter(), False

        async def noted(message: Message) -> None:
            nonlocal accepted
            accepted = accepted or message["type"] == "websocket.accept"
            await send(message)

        try:
            await self._app(scope, receive, noted)
        finally:
            self._note("disconnected", scope, accepted=accepted, seconds=round(time.perf_counter() - start, 1))

    def _note(self, event: str, scope: Scope, **more: object) -> None:
        if self._access_log:
            caller = scope.get(CALLER)
            _log.info(event, route=_route(scope), caller=None if caller is None else caller.id, **more)


def _route(scope: Scope) -> str:
    found: str = getattr(scope.get("route"), "path", "unmatched")
    return found
