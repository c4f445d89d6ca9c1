"""How a service ends: readiness goes first, then nobody new is let in, and what was accepted is finished.

serving ──> leaving: not ready, and still answering, so that whoever sends traffic sees it and sends no more
        ──> closed: 503 with Retry-After and Connection: close to whoever is new; who is inside is waited for
"""

import asyncio
from enum import IntEnum
from http import HTTPStatus
from typing import Literal

import msgspec
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gallery.template import now
from service.errors import http_problem
from service.limits import ALWAYS_ANSWERED
from service.problem import Problem, ProblemResponse

RETRY_AFTER_S = 5
# Of WebSocket (RFC 6455 registry): the service restarts.
RESTART = 1012


class Phase(IntEnum):
    SERVING = 0
    LEAVING = 1
    CLOSED = 2


class Life:
    """Where a service stands between its beginning and its end. Changed in the thread of the event loop only."""

    def __init__(self) -> None:
        self.phase = Phase.SERVING
        self.started = now()
        self.inside = 0
        self._changed = asyncio.Event()

    @property
    def name(self) -> Literal["serving", "leaving", "closed"]:
        return ("serving", "leaving", "closed")[self.phase]

    def leave(self) -> None:
        """Not ready from now on; still answering."""
        self.phase = max(self.phase, Phase.LEAVING)

    def close(self) -> None:
        """Let nobody in from now on."""
        self.phase = Phase.CLOSED
        self._changed.set()

    async def empty(self) -> None:
        """Returns when everybody who was let in has been answered."""
        while self.inside:
            self._changed.clear()
            await self._changed.wait()

    def entered(self) -> None:
        self.inside += 1

    def left(self) -> None:
        self.inside -= 1
        if not self.inside:
            self._changed.set()


class Door:
    """ASGI middleware: counts who is inside, and turns away who comes when the service is closed.

    Health, readiness and metrics are answered to the end and are nobody's business to wait for.
    """

    def __init__(self, app: ASGIApp, life: Life) -> None:
        self._app, self._life = app, life

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket") or scope["path"] in ALWAYS_ANSWERED:
            await self._app(scope, receive, send)
        elif self._life.phase is Phase.CLOSED:
            await self._turn_away(scope, receive, send)
        else:
            self._life.entered()
            try:
                await self._app(scope, receive, self._parting(send))
            finally:
                self._life.left()

    def _parting(self, send: Send) -> Send:
        """`send` that asks to connect anew, and so perhaps to another process, once this one is leaving."""

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start" and self._life.phase is not Phase.SERVING:
                MutableHeaders(scope=message)["connection"] = "close"
            await send(message)

        return sending

    async def _turn_away(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": RESTART, "reason": "the service is stopping"})
        else:
            await ProblemResponse(stopping(), {"Connection": "close"})(scope, receive, send)


def stopping() -> Problem:
    """What is said to whoever comes too late."""
    problem = http_problem(
        HTTPStatus.SERVICE_UNAVAILABLE, "this process is stopping; ask again, of another one perhaps"
    )
    return msgspec.structs.replace(problem, retry_after=RETRY_AFTER_S)
