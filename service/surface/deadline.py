"""Nobody waits without end: a request is answered within its deadline, or told that nothing was done.

`X-Deadline-Ms` says how long the caller will wait; the setting `deadline_seconds` is the longest. When the time is up
the work is cancelled: what waits for a model is taken out of its queue before it costs anything. A change that has
begun is not cut off: its deadline ends where its writing begins (`committed`), so `DeadlineExceeded` means that
nothing was changed.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from model.errors import DeadlineExceeded, InvalidRequest
from service.errors import problem_of
from service.problem import ProblemResponse
from service.surface import effects

HEADER = "X-Deadline-Ms"
_HEADER = HEADER.lower().encode()
_DIGITS = 9

P = ParamSpec("P")
T = TypeVar("T")

_timer: ContextVar[asyncio.Timeout | None] = ContextVar("deadline", default=None)


async def committed(work: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
    """What `work` gives, in a thread. From here on the deadline does not hold: a change is done and answered."""
    _end(_timer.get())
    return await asyncio.to_thread(work, *args, **more)


def _end(timer: asyncio.Timeout | None) -> None:
    if timer is None:
        return
    if timer.expired():  # it is being acted upon just now: too late
        raise asyncio.CancelledError
    with suppress(RuntimeError):  # whoever asked was answered, and this goes on behind it
        timer.reschedule(None)


class Deadline:
    """ASGI middleware. An answer that has begun, such as a stream of events, is not cut off either."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app, self._seconds = app, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            seconds = self._allowed(scope)
        except InvalidRequest as error:
            await ProblemResponse(problem_of(error))(scope, receive, send)
            return
        if seconds is None:
            await self._app(scope, receive, send)
            return
        timer = asyncio.timeout(seconds)
        try:
            async with timer:
                await self._within(timer, scope, receive, send)
        except TimeoutError:
            if not timer.expired():
                raise
            # What was cancelled is out of its queue at the loop's next turn; nobody is told so before.
            await asyncio.sleep(0)
            await ProblemResponse(problem_of(DeadlineExceeded(seconds)))(scope, receive, send)

    async def _within(self, timer: asyncio.Timeout, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                _end(timer)
            await send(message)

        async def receiving() -> Message:
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body"):
                _end(timer)
            return message

        at_once = _begins_at_once(scope)
        if at_once and not _has_body(scope):
            _end(timer)
        token = _timer.set(timer)
        try:
            await self._app(scope, receiving if at_once else receive, sending)
        finally:
            _timer.reset(token)

    def _allowed(self, scope: Scope) -> float | None:
        """None for a change without a deadline of its own: it may be long in coming, and is then done."""
        sent = next((value for name, value in scope["headers"] if name == _HEADER), None)
        if sent is None:
            return None if _begins_at_once(scope) else self._seconds
        if not sent.isdigit() or len(sent) > _DIGITS or int(sent) == 0:
            raise InvalidRequest(HEADER, f"must be a whole number of milliseconds, from 1 to {10**_DIGITS - 1}")
        return min(self._seconds, int(sent) / 1000)


def _begins_at_once(scope: Scope) -> bool:
    """Whether this is a change that is begun when all of the request is there; others say themselves when."""
    return effects.changes(scope["method"], scope["path"]) and not effects.encodes(scope["path"])


def _has_body(scope: Scope) -> bool:
    headers = dict(scope["headers"])
    return headers.get(b"content-length", b"0") != b"0" or b"transfer-encoding" in headers
