"""ASGI middleware around every request: headers that guard the answer, a measurement, and a log line if wanted."""

import time

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gallery.actor import acting_as
from service import request_id
from service.errors import our_mistake
from service.metrics import Metrics
from service.problem import ProblemResponse

_log = structlog.get_logger("gaitkeeper.request")


class Observe:
    """Counts each request under its route's pattern: the path itself may hold a subject's name, so it is not kept."""

    def __init__(self, app: ASGIApp, metrics: Metrics, access_log: bool) -> None:
        self._app, self._metrics, self._access_log = app, metrics, access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        status, begun = 500, False
        start = time.perf_counter()
        asked_as = request_id.request_id_of(scope["headers"])

        async def guarded(message: Message) -> None:
            nonlocal status, begun
            if message["type"] == "http.response.start":
                status, begun = message["status"], True
                headers = MutableHeaders(scope=message)
                headers.setdefault("cache-control", "no-store")
                headers.setdefault("x-content-type-options", "nosniff")
                headers[request_id.HEADER] = asked_as
            await send(message)

        try:
            with request_id.answering(asked_as), acting_as(f"http:{(scope.get('client') or ('unknown',))[0]}"):
                await self._app(scope, receive, guarded)
        except Exception:
            # Answered here and not further out, where nobody knows the request's id any more; what happened goes on to
            # the server's log.
            _log.error("failed", request_id=asked_as)
            if not begun:
                with request_id.answering(asked_as):
                    await ProblemResponse(our_mistake())(scope, receive, guarded)
            raise
        finally:
            seconds = time.perf_counter() - start
            route = getattr(scope.get("route"), "path", "unmatched")
            self._metrics.request(scope["method"], route, status, seconds)
            if self._access_log:
                _log.info("answered", method=scope["method"], route=route, status=status, ms=round(1000 * seconds, 2))
