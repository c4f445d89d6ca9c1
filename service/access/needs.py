"""What a route needs of its caller, said in its signature: `caller: Annotated[Caller, needs(Scope.IDENTIFY)]`."""

from typing import Any

from fastapi import Depends
from starlette.requests import HTTPConnection

from model.errors import UnknownCaller
from service.access.caller import Caller, Scope

CALLER = "gaitkeeper.caller"
NEEDS = "gaitkeeper_needs"


def needs(*scopes: Scope) -> Any:
    """A dependency: the caller, who has one of these scopes (any key at all if none is named), and who reaches the
    gallery of the path if there is one. Galleries named in a body are checked by the route: `caller.check_gallery`.

    Raises `UnknownCaller`, `NotAllowed`, `UnknownGallery`.
    """

    async def _caller(connection: HTTPConnection) -> Caller:
        caller = caller_of(connection)
        if scopes:
            caller.check(*scopes)
        if gallery := connection.path_params.get("gallery"):
            caller.check_gallery(gallery)
        return caller

    # For whoever asks a route what it needs.
    setattr(_caller, NEEDS, scopes)
    return Depends(_caller)


def caller_of(connection: HTTPConnection) -> Caller:
    """Who asks. Raises `UnknownCaller` where nobody was asked for a key: a route that needs one is not open."""
    found: Caller | None = connection.scope.get(CALLER)
    if found is None:
        raise UnknownCaller("this address is open to everybody, and what it leads to is not")
    return found
