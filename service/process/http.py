"""uvicorn's HTTP and WebSocket protocols, with bounds that they lack: on the head of a request, on the time that a
caller takes to send one, and on the time that a caller takes to receive what it asked for."""

import asyncio
from asyncio import TimerHandle
from http import HTTPStatus
from typing import Any

import msgspec
import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from service.errors import http_problem
from service.problem import MEDIA_TYPE
from service.process.unread import MIN_RATE, Unread
from service.settings import Limits

HEAD_BYTES = 64 * 1024
# RFC 6455, 7.4.1: against the policy.
_POLICY = 1008


class BoundedConfig(uvicorn.Config):
    """uvicorn's, with the bounds that its protocols are to hold."""

    def __init__(self, app: Any, limits: Limits, **more: Any) -> None:
        super().__init__(app, http=BoundedHttp, ws=BoundedWebSocket, **more)
        self.limits = limits


def _limits(config: uvicorn.Config) -> Limits:
    assert isinstance(config, BoundedConfig)
    return config.limits


class BoundedHttp(HttpToolsProtocol):
    """Refuses a head of more than `HEAD_BYTES` (and what one read from the socket brings) with status 431, and a head
    or a body that does not come in time with 408.

    Without the first bound it is kept, and copied again at each read, for as long as the caller goes on sending;
    without the others, so is the connection, for as long as the caller sends a byte now and then.
    """

    _in_head = False
    _head_bytes = 0
    _in_body = False
    _body_bytes = 0
    _begun = _last = 0.0
    _timer: TimerHandle | None = None
    _unread: Unread

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._unread = Unread(transport, _limits(self.config).stall_seconds)
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_body:
            self._body_bytes += len(data)
            self._last = self.loop.time()
        elif self._timer is None:  # whatever it is, a head must come of it: blank lines do not count
            self._await_head()
        # Of a read that began before this head we cannot tell how much is head; it is not counted.
        if self._in_head:
            self._head_bytes += len(data)
        if self._head_bytes <= HEAD_BYTES:
            super().data_received(data)
        elif not self.transport.is_closing():
            self._refuse(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"URL and header fields: at most {HEAD_BYTES} bytes"
            )

    def handle_websocket_upgrade(self) -> None:
        self._forget_timer()
        super().handle_websocket_upgrade()

    # The parser's

    def on_message_begin(self) -> None:
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head, self._in_body, self._body_bytes = False, True, 0
        self._begun = self._last = self.loop.time()
        self._set_timer(_limits(self.config).stall_seconds, self._check_body)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_body = False
        self._forget_timer()
        super().on_message_complete()
        if self.cycle is not None and self.cycle.response_complete:  # it was answered before it was all here
            self._await_head()

    # The transport's

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread.watch()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._unread.moved()

    def on_response_complete(self) -> None:
        self._unread.watch()
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(HTTPStatus.BAD_REQUEST, msg)

    # Ours

    def _await_head(self) -> None:
        self._set_timer(_limits(self.config).head_seconds, self._check_head)

    def _check_head(self) -> None:
        self._timer = None
        if self.transport.is_closing():
            return
        if self._is_answering():  # a next request was begun behind the one under way, which is not given up for it
            self._await_head()
        elif self._in_head:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "the head of the request did not come in time")
        else:
            self.transport.close()

    def _check_body(self) -> None:
        self._timer = None
        if self.transport.is_closing():
            return
        seconds, now = _limits(self.config).stall_seconds, self.loop.time()
        if self.flow.read_paused:  # it is we who do not take it
            self._begun += now - self._last
            self._last = now
        due = min(self._last, self._begun + self._body_bytes / MIN_RATE) + seconds
        if now < due:
            self._set_timer(due - now, self._check_body)
            return
        answered = self.cycle.response_started
        self.cycle.disconnected = True
        self.cycle.message_event.set()
        if answered:
            self.transport.abort()
        else:
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, "the body of the request did not come in time")

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _set_timer(self, seconds: float, then: Any) -> None:
        self._forget_timer()
        self._timer = self.loop.call_later(seconds, then)

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        body = msgspec.json.encode(http_problem(status, reason))
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {MEDIA_TYPE}\r\nContent-Length: {len(body)}\r\n"
        )
        self.transport.write(f"{head}Connection: close\r\n\r\n".encode() + body)
        self._unread.watch()
        self.transport.close()


class BoundedWebSocket(WebSocketsSansIOProtocol):
    """Ends a connection whose other end does not take what is sent, or begins a message and does not finish it. One
    that is silent is asked for a sign of life by uvicorn, every 20 seconds."""

    _timer: TimerHandle | None = None
    _unread: Unread

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._unread = Unread(self.transport, _limits(self.config).stall_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget_timer()
        super().connection_lost(exc)

    async def send(self, message: Any) -> None:
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            # It was refused in full, by an answer: uvicorn would log, for any caller, that the application did nothing.
            self.handshake_complete = True

    def handle_events(self) -> None:
        super().handle_events()
        if not self.frames:
            self._forget_timer()
        elif self._timer is None:
            self._timer = self.loop.call_later(_limits(self.config).stall_seconds, self._give_up)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread.watch()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._unread.moved()

    def keepalive_timeout(self) -> None:
        super().keepalive_timeout()
        self._unread.watch()

    def _give_up(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self.conn.fail(_POLICY, "the message did not come in time")
            self.handle_parser_exception()

    def _forget_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
