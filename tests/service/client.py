"""A client of an application in this process: requests go through the whole application, but through no socket."""

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI


class Client:
    """httpx's verbs, called from a test that is not asynchronous."""

    def __init__(self, portal: BlockingPortal, client: httpx.AsyncClient, app: FastAPI) -> None:
        self._portal, self._client, self.app = portal, client, app

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        response: httpx.Response = self._portal.call(partial(self._client.request, method, path, **more))
        return response

    def soon(self, method: str, path: str, **more: Any) -> "Future[httpx.Response]":
        """The same, without waiting for the answer."""
        return self._portal.start_task_soon(partial(self._client.request, method, path, **more))

    def get(self, path: str, **more: Any) -> httpx.Response:
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> httpx.Response:
        return self.request("POST", path, **more)

    def patch(self, path: str, **more: Any) -> httpx.Response:
        return self.request("PATCH", path, **more)

    def delete(self, path: str, **more: Any) -> httpx.Response:
        return self.request("DELETE", path, **more)


@contextmanager
def started(app: FastAPI) -> Iterator[Client]:
    """The application, started, and a client of it; stopped at the end."""
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(app.router.lifespan_context(app)):
        # An unforeseen error becomes the answer that a caller would get.
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        client = httpx.AsyncClient(transport=transport, base_url="http://localhost")
        try:
            yield Client(portal, client, app)
        finally:
            portal.call(client.aclose)
