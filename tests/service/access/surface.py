"""Every address of the application, as it is routed, and what it says it needs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from starlette.routing import BaseRoute, Mount, WebSocketRoute

from gallery.api_keys import Scope
from service.access.needs import NEEDS


@dataclass(frozen=True)
class Address:
    """method: `WS` of a WebSocket, `*` of all that is below. needs: a set of scopes for each dependency that demands
    one of them; None where nothing is demanded at all."""

    method: str
    path: str
    needs: tuple[frozenset[Scope], ...] | None

    def filled(self, **names: str) -> str:
        """The path with these names in it, and with something that could be a name everywhere else."""
        parts = (
            part if not part.startswith("{") else names.get(part[1:-1].partition(":")[0], "1") for part in self.parts
        )
        return "/".join(parts)

    @property
    def parts(self) -> list[str]:
        return self.path.split("/")


def addresses(app: FastAPI) -> list[Address]:
    return [each for route in _flat(app.routes) for each in _of(route)]


def _flat(routes: Iterable[BaseRoute]) -> Iterator[BaseRoute]:
    for route in routes:
        included: Any = getattr(route, "original_router", None)
        if included is None:
            yield route
        else:
            assert not route.include_context.prefix, "the paths below would be others"  # type: ignore[attr-defined]
            yield from _flat(included.routes)


def _of(route: BaseRoute) -> Iterator[Address]:
    path: str = getattr(route, "path", "")
    demanded = _needs(getattr(route, "dependant", None))
    if isinstance(route, Mount):
        yield Address("*", f"{path}/", None)
    elif isinstance(route, WebSocketRoute) or not hasattr(route, "methods"):
        yield Address("WS", path, demanded)
    else:
        for method in sorted(route.methods - {"HEAD"}):
            yield Address(method, path, demanded)


def _needs(dependant: Dependant | None) -> tuple[frozenset[Scope], ...] | None:
    if dependant is None:
        return None
    found = [getattr(each.call, NEEDS) for each in dependant.dependencies if hasattr(each.call, NEEDS)]
    return tuple(frozenset(scopes) for scopes in found if scopes) if found else None
