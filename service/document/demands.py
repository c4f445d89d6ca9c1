"""Which scopes each operation needs, read off its route: what the document says is what is asked for."""

from collections.abc import Iterable, Iterator
from itertools import product
from typing import Any

from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from service.access.needs import NEEDS


def write_demands(document: dict[str, Any], routes: Iterable[BaseRoute]) -> None:
    """Say of each operation that needs more than any key which scopes do, as alternatives of OpenAPI."""
    wanted = {route.name: _needed(route.dependant) for route in _flat(routes)}
    for methods in document["paths"].values():
        for operation in methods.values():
            if groups := wanted.get(operation["operationId"], []):
                operation["security"] = [{"key": list(scopes)} for scopes in product(*groups)]
                text = ", and ".join(" or ".join(f"`{scope}`" for scope in scopes) for scopes in groups)
                told = operation.get("description", "")
                operation["description"] = f"{told}\n\nNeeds a key with the scope {text}.".strip()


def _flat(routes: Iterable[BaseRoute]) -> Iterator[APIRoute]:
    """Routers are included as they are; their routes stay their own."""
    for route in routes:
        included = getattr(route, "original_router", None)
        if included is not None:
            yield from _flat(included.routes)
        elif isinstance(route, APIRoute):
            yield route


def _needed(dependant: Dependant) -> list[list[str]]:
    """Of each group of scopes one is needed."""
    found = [getattr(each.call, NEEDS, ()) for each in dependant.dependencies]
    return [[str(scope) for scope in scopes] for scopes in found if scopes]
