"""The process around the application: a socket, uvicorn on uvloop and httptools, a beginning and an end."""

import asyncio
import errno
import signal
import socket
import ssl
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp

from model.errors import InvalidRequest
from service.process.http import BoundedConfig
from service.process.tls import Certificate, context_of
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


def address(sock: socket.socket, scheme: str = "http") -> str:
    """Where the service at this socket is found."""
    host, port = sock.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def scheme(settings: Settings) -> str:
    return "http" if settings.tls_certificate is None else "https"


class _Server(uvicorn.Server):
    """Says when it is ready to answer, and parts in order. drain_seconds: for how long it still answers, not ready."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None], drain_seconds: float) -> None:
        super().__init__(config)
        self._on_started, self._drain_seconds = on_started, drain_seconds

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Readiness goes first; then nobody new is let in, streams of events end, and who is inside is answered."""
        if isinstance(self.config.app, FastAPI):
            state = self.config.app.state
            state.life.leave()
            await self._wait(asyncio.Event().wait(), self._drain_seconds)
            state.life.close()
            state.listeners.leave()
            await self._wait(state.life.empty(), self.config.timeout_graceful_shutdown or 0)
            # Who was not answered until now has had the time.
            self.config.timeout_graceful_shutdown = 1
        await super().shutdown(sockets)

    async def _wait(self, until: Coroutine[Any, Any, object], seconds: float) -> None:
        """For as long at most; a second Ctrl-C ends it."""
        task = asyncio.ensure_future(until)
        end = time.monotonic() + seconds
        while not task.done() and not self.force_exit and (left := end - time.monotonic()) > 0:
            await asyncio.wait({task}, timeout=min(left, 0.1))
        task.cancel()


def _server(app: ASGIApp, settings: Settings, on_started: Callable[[], None]) -> _Server:
    tls = _tls(settings)
    config = BoundedConfig(
        app,
        settings.limits,
        loop="uvloop",
        ws_max_size=settings.limits.body_bytes,
        # What comes in is bounded after it is inflated, but a small message costs a window of memory for each caller.
        ws_per_message_deflate=False,
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        # uvicorn would believe every program of this machine.
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies,
        ssl_context_factory=None if tls is None else partial(_given, tls),
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )
    return _Server(config, on_started, settings.drain_seconds)


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if settings.tls_certificate is None or settings.tls_key is None:
        return None
    return context_of(Certificate(settings.tls_certificate, settings.tls_key))


def _given(tls: ssl.SSLContext, *_: object) -> ssl.SSLContext:
    return tls


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
        where = address(sock, scheme(settings))
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
