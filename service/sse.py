"""Server-sent events (WHATWG HTML, 9.2): an answer that goes on for as long as its reader stays."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final, TypeAlias

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from model.errors import GaitkeeperError, Overloaded
from service.access.needs import caller_of
from service.errors import problem_of
from service.gone import hung_up
from service.problem import ProblemResponse

Told: TypeAlias = tuple[str, msgspec.Struct]

MEDIA_TYPE: Final = "text/event-stream"
HEARTBEAT_S = 15.0
# A reader that takes nothing for so long is gone, though its connection may not know it.
STALLED_S = 60.0
# So long may the last events take when the service stops.
LAST_WORD_S = 5.0
RETRY_AFTER_S = 5.0
# A browser reconnects after so many milliseconds.
_GREETING = b"retry: 3000\n\n"
_HEARTBEAT = b": still here\n\n"


class Listeners:
    """Who reads events in this process: how many at once, and until when."""

    def __init__(self, at_once: int = 256, of_one: int = 32) -> None:
        self._at_once, self._of_one = at_once, of_one
        self._inside: Counter[str] = Counter()
        self._leaving = asyncio.Event()

    @property
    def count(self) -> int:
        return self._inside.total()

    @property
    def leaving(self) -> bool:
        return self._leaving.is_set()

    def leave(self) -> None:
        """Ends all streams of events, and those that would begin; in the thread of the event loop."""
        self._leaving.set()

    async def left(self) -> None:
        """Returns when `leave` was called."""
        await self._leaving.wait()

    @contextmanager
    def entered(self, caller: str) -> Iterator[None]:
        """Raises `Overloaded` where there are too many, of this caller or in all."""
        if self.count >= self._at_once or self._inside[caller] >= self._of_one:
            raise Overloaded(RETRY_AFTER_S, "too many listen to events")
        self._inside[caller] += 1
        try:
            yield
        finally:
            self._inside[caller] -= 1
            self._inside += Counter()  # forgets those who are not there


def event_stream(
    request: Request, events: AsyncIterator[Told], at_end: Callable[[], Awaitable[object]] | None = None
) -> Response:
    """An answer of `events`, (name, body) each, until they end, the reader hangs up or the service stops.

    Each has the next number as its id. An error of ours in between is told as an event `problem`, the last one. A
    comment is sent while nothing happens. 429 where there are too many readers. at_end: what is done when the service
    stops, of which the readers are still told.
    """
    return _EventStream(request.app.state.listeners, caller_of(request).id, events, at_end)


class _EventStream(Response):
    media_type = MEDIA_TYPE

    def __init__(
        self,
        listeners: Listeners,
        caller: str,
        events: AsyncIterator[Told],
        at_end: Callable[[], Awaitable[object]] | None,
    ) -> None:
        super().__init__(headers={"X-Accel-Buffering": "no"})  # nginx would wait for a page of them
        del self.headers["content-length"]
        self._listeners, self._caller, self._events, self._at_end = listeners, caller, events, at_end

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            with self._listeners.entered(self._caller):
                await self._answer(receive, send)
        except Overloaded as error:
            await ProblemResponse(problem_of(error))(scope, receive, send)
        finally:
            if isinstance(self._events, AsyncGenerator):
                await self._events.aclose()

    async def _answer(self, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": HTTPStatus.OK, "headers": self.raw_headers})
        telling = asyncio.ensure_future(self._tell(send))
        gone = asyncio.ensure_future(hung_up(receive))
        leaving = asyncio.ensure_future(self._listeners.left())
        tasks = {telling, gone, leaving}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            if leaving.done() and self._at_end is not None:
                await self._at_end()
                await asyncio.wait({telling, gone}, timeout=LAST_WORD_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if not telling.cancelled() and isinstance(error := telling.exception(), Exception):
            if not isinstance(error, TimeoutError):  # who has stalled is left, and the server closes the connection
                raise error
        elif gone.cancelled():
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _tell(self, send: Send) -> None:
        await _sent(send, _GREETING)
        number = 0
        following = asyncio.ensure_future(_next(self._events))
        try:
            while True:
                done, _ = await asyncio.wait({following}, timeout=HEARTBEAT_S)
                if not done:
                    await _sent(send, _HEARTBEAT)
                    continue
                told = following.result()
                if told is None:
                    return
                number += 1
                await _sent(send, written(number, *told))
                following = asyncio.ensure_future(_next(self._events))
        except GaitkeeperError as error:
            await _sent(send, written(number + 1, "problem", problem_of(error)))
        finally:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)


def written(number: int, name: str, body: msgspec.Struct) -> bytes:
    """One event on the wire. JSON has no line breaks of its own, so its data is one line.

    >>> written(3, "missed", Counted(2))
    b'id: 3\\nevent: missed\\ndata: {"count":2}\\n\\n'
    """
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (number, name.encode(), msgspec.json.encode(body))


class Counted(msgspec.Struct, frozen=True):
    """So many events were dropped here: the reader was too far behind."""

    count: int


async def _next(events: AsyncIterator[Told]) -> Told | None:
    return await anext(events, None)


async def _sent(send: Send, content: bytes) -> None:
    """Raises `TimeoutError` for a reader that has stalled."""
    async with asyncio.timeout(STALLED_S):  # `wait_for` would swallow being cancelled at the moment it is sent
        await send({"type": "http.response.body", "body": content, "more_body": True})
