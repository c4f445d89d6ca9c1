"""The process around the application: a socket, uvicorn on uvloop and httptools, a beginning and an end."""

import errno
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from model.errors import InvalidRequest
from service.http import BoundedHttp
from service.settings import Settings


def listen(host: str, port: int) -> socket.socket:
    """A bound socket; port 0 takes a free one. Raises `InvalidRequest` if the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        reason = (
            "is in use by another program" if error.errno == errno.EADDRINUSE else f"cannot be had: {error.strerror}"
        )
        raise InvalidRequest("port", f"{host}:{port} {reason}; choose another with --host and --port") from error
    sock.setblocking(False)
    return sock


def address(sock: socket.socket) -> str:
    """Where the service at this socket is found."""
    host, port = sock.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class _Server(uvicorn.Server):
    """Says when it is ready to answer."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Ends first what would not end by itself: streams of events."""
        if isinstance(self.config.app, FastAPI):
            self.config.app.state.listeners.leave()
        await super().shutdown(sockets)


def _server(app: ASGIApp, settings: Settings, on_started: Callable[[], None]) -> _Server:
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=BoundedHttp,
        ws="websockets-sansio",
        ws_max_size=settings.limits.body_bytes,
        # What comes in is bounded after it is inflated, but a small message costs a window of memory for each caller.
        ws_per_message_deflate=False,
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )
    return _Server(config, on_started)


def run(app: ASGIApp, sock: socket.socket, settings: Settings, on_started: Callable[[], None]) -> None:
    """Serve until SIGTERM (ends with status 0) or Ctrl-C (`KeyboardInterrupt`), finishing what was accepted."""
    signal.signal(signal.SIGTERM, leave)
    _server(app, settings, on_started).run(sockets=[sock])


def leave(number: int, frame: FrameType | None) -> None:
    """End with status 0, undoing contexts on the way."""
    del number, frame
    raise SystemExit(0)


@contextmanager
def running(app: ASGIApp, settings: Settings) -> Iterator[str]:
    """The service in a thread of this process, as a real HTTP server; gives its address."""
    started = threading.Event()
    server = _server(app, settings, started.set)

    def serve() -> None:
        try:
            server.run(sockets=[sock])
        finally:
            started.set()

    with listen(settings.host, settings.port) as sock:
        where = address(sock)
        thread = threading.Thread(target=serve, name="http-server", daemon=True)
        thread.start()
        started.wait()
        if not server.started:
            raise RuntimeError("the service did not start; its log says why")
        try:
            yield where
        finally:
            server.should_exit = True
            thread.join()
