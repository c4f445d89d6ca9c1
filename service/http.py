"""uvicorn's HTTP protocol with a bound that it lacks: on the head of a request, its URL and header fields."""

from http import HTTPStatus

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from service.errors import http_problem
from service.problem import MEDIA_TYPE

HEAD_BYTES = 64 * 1024


class BoundedHttp(HttpToolsProtocol):
    """Refuses a head of more than `HEAD_BYTES` (and what one read from the socket brings) with status 431.

    Without a bound it is kept, and copied again at each read, for as long as the caller goes on sending.
    """

    _in_head = False
    _head_bytes = 0

    def data_received(self, data: bytes) -> None:
        # Of a read that began before this head we cannot tell how much is head; it is not counted.
        if self._in_head:
            self._head_bytes += len(data)
        if self._head_bytes <= HEAD_BYTES:
            super().data_received(data)
        elif not self.transport.is_closing():
            self._refuse()

    def on_message_begin(self) -> None:
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def _refuse(self) -> None:
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        body = msgspec.json.encode(http_problem(status, f"URL and header fields: at most {HEAD_BYTES} bytes"))
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {MEDIA_TYPE}\r\nContent-Length: {len(body)}\r\n"
        )
        self.transport.write(f"{head}Connection: close\r\n\r\n".encode() + body)
        self.transport.close()
