"""The short way to an endpoint that is asked often: its dependencies are called one by one, not solved each time."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response


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
