"""Keys of callers: made, listed, rotated and revoked, by admins only."""

import asyncio
from http import HTTPStatus
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from gallery.api_keys import ApiKey, is_id
from gallery.store import Store
from gallery.store.api_keys import key_page, make_key, revoke_key, rotate_key, show_key
from model.errors import Conflict, InvalidRequest, NotAllowed, UnknownResource
from service.access.caller import Caller, Scope
from service.access.needs import needs
from service.access.ring import KeyRing
from service.answers import keys as answers
from service.answers.keys import CreateKey, RotateKey
from service.answers.recognition import Answer
from service.document.openapi import documented, refusals
from service.parts import TheEngine
from service.receive import received
from service.surface.paging import A_PAGE, AfterName, Limit, cut

router = APIRouter(prefix="/keys", tags=["keys"])
Admin: TypeAlias = Annotated[Caller, needs(Scope.ADMIN)]
_AT_ONCE = 500


async def _ring(request: Request) -> KeyRing:
    ring: KeyRing = request.app.state.ring
    return ring


TheRing: TypeAlias = Annotated[KeyRing, Depends(_ring)]


@router.get("", summary="All keys, by id, a page at a time", **documented(answers.Keys))
async def list_keys(engine: TheEngine, caller: Admin, after: AfterName = "", limit: Limit = A_PAGE) -> Answer:
    """Revoked and expired ones too. None shows what its caller sends: that is not known here."""
    if after and not is_id(after):
        raise InvalidRequest("after", "must be the id of a key")
    found = await asyncio.to_thread(_reached, engine.library.store, caller, after, limit + 1)
    return Answer(answers.keys(*cut(found, limit)))


@router.post(
    "",
    summary="Make a key, which is shown this once",
    **documented(answers.MadeKey, asked=CreateKey, status=HTTPStatus.CREATED, problems=(NotAllowed,)),
)
async def create_key(request: Request, engine: TheEngine, ring: TheRing, caller: Admin) -> Answer:
    """An admin who is bound to galleries makes keys for those only. An `Idempotency-Key` does nothing here: the answer
    is kept nowhere. If it was lost, revoke the key and make another one."""
    asked = (await received(request, CreateKey)).checked()
    if not caller.reaches_all(asked.galleries):
        raise NotAllowed((), "a key that is bound to galleries makes keys for those only")
    made, shown = await asyncio.to_thread(make_key, engine.library.store, asked)
    await asyncio.to_thread(ring.refresh)
    return Answer(answers.made(made, shown), HTTPStatus.CREATED, {"Location": f"/keys/{made.id}"})


@router.get("/{key}", summary="One key", **documented(answers.Key, problems=(UnknownResource,)))
async def show_one_key(key: str, engine: TheEngine, caller: Admin) -> Answer:
    return Answer(answers.key(await asyncio.to_thread(_own, engine.library.store, caller, key)))


@router.delete(
    "/{key}",
    summary="Revoke a key: it is refused from this answer on, by other processes within a second",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses=refusals(UnknownResource),
)
async def delete_key(key: str, engine: TheEngine, ring: TheRing, caller: Admin) -> Response:
    """Streams of its caller end. It stays in the list, as revoked."""
    await asyncio.to_thread(_own, engine.library.store, caller, key)
    await asyncio.to_thread(revoke_key, engine.library.store, key)
    await asyncio.to_thread(ring.refresh)
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post(
    "/{key}/rotation",
    summary="Give a key another secret; the one before is good for a while",
    **documented(answers.MadeKey, asked=RotateKey, problems=(UnknownResource, Conflict)),
)
async def rotate_one_key(key: str, request: Request, engine: TheEngine, ring: TheRing, caller: Admin) -> Answer:
    """Id, scopes and galleries stay. The one before the one before is refused at once."""
    asked = await received(request, RotateKey)
    await asyncio.to_thread(_own, engine.library.store, caller, key)
    rotated, shown = await asyncio.to_thread(rotate_key, engine.library.store, key, asked.grace_seconds)
    await asyncio.to_thread(ring.refresh)
    return Answer(answers.made(rotated, shown))


def _own(store: Store, caller: Caller, key: str) -> ApiKey:
    """A key that the caller reaches all galleries of. Raises `UnknownResource`."""
    found = show_key(store, key)
    if not caller.reaches_all(found.galleries):
        raise UnknownResource("key", key)
    return found


def _reached(store: Store, caller: Caller, after: str, limit: int) -> list[ApiKey]:
    found: list[ApiKey] = []
    while len(found) < limit and (page := key_page(store, after, _AT_ONCE)):
        found += [each for each in page if caller.reaches_all(each.galleries)]
        after = page[-1].id
    return found[:limit]
