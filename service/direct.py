"""The short way to an endpoint that is asked often.

Its dependencies are called one by one, not solved each time (`Direct`), and its address is looked up, not found by
trying one route after the other, within as many layers as FastAPI needs for what it does not use (`ShortWay`).
"""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send


class Direct(APIRoute):
    """A route that takes the request, and what coroutines make of the request alone; it answers with a `Response`."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        found, endpoint = self.dependant, self.endpoint
        plain = not (found.path_params or found.query_params or found.header_params or found.body_params)
        assert plain, f"{self.path} has parameters, which this does not read"
        assert found.request_param_name == "request"
        # Those of no name only refuse.
        needed = [(each.name or "", each.call) for each in found.dependencies if each.call is not None]
        assert not any(each.dependencies for each in found.dependencies)

        async def handle(request: Request) -> Response:
            given = {name: await call(request) for name, call in needed}
            given.pop("", None)
            response: Response = await endpoint(request, **given)
            return response

        return handle


class ShortWay:
    """ASGI middleware, the innermost: what is asked of a `Direct` route is answered by it at once.

    handlers: what answers an error of each type, as FastAPI keeps them; an error that only the one of `Exception` is
    for goes on, as it does there.
    """

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute], handlers: Mapping[Any, Callable[..., Any]]) -> None:
        self._app, self._handlers = app, handlers
        self._ways = {
            (method, route.path): (route, route.get_route_handler())
            for route in routes
            if isinstance(route, Direct)
            for method in route.methods or ()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        way = self._ways.get((scope["method"], scope["path"])) if scope["type"] == "http" else None
        if way is None:
            await self._app(scope, receive, send)
            return
        scope["route"], handle = way
        request = Request(scope, receive, send)
        try:
            response = await handle(request)
        except Exception as error:
            response = await self._told(request, error)
        await response(scope, receive, send)

    async def _told(self, request: Request, error: Exception) -> Response:
        kinds = (kind for kind in type(error).__mro__ if kind is not Exception)
        answer = next((self._handlers[kind] for kind in kinds if kind in self._handlers), None)
        if answer is None:
            raise error
        response: Response = await answer(request, error)
        return response
