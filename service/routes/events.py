"""Decisions as they are made, for whoever stays to listen."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from model.errors import UnknownGallery
from service.access.caller import Caller, Scope
from service.access.needs import needs
from service.document.openapi import refusals
from service.events import Bus, Decided, Missed
from service.parts import TheEngine
from service.sse import MEDIA_TYPE, Counted, Told, event_stream
from service.told import event_of

router = APIRouter(tags=["events"])

Galleries = Annotated[list[str] | None, Query(max_length=64, description="of these only")]
Outcomes = Annotated[list[Literal["match", "no_match", "abstain"]] | None, Query(description="with these only")]
Kinds = Annotated[list[Literal["identify", "verify", "stream"]] | None, Query(description="of these only")]


@router.get(
    "/events",
    summary="Decisions from now on, as they are made: server-sent events, without end",
    response_class=Response,
    responses={200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}, **refusals(UnknownGallery)},
)
async def follow_decisions(
    request: Request,
    engine: TheEngine,
    caller: Annotated[Caller, needs(Scope.IDENTIFY)],
    gallery: Galleries = None,
    outcome: Outcomes = None,
    kind: Kinds = None,
) -> Response:
    """Each is an event `decision` of a gallery that the key reaches. Those of this process only: where there are
    several, listen to each, or use webhooks. A reader that does not keep up is told how many it has `missed`."""
    for name in gallery or ():
        caller.check_gallery(name)
        await asyncio.to_thread(engine.library.store.head, name)

    def wanted(event: Decided) -> bool:
        return (
            caller.reaches(event.gallery)
            and (not gallery or event.gallery in gallery)
            and (not outcome or event.decision.outcome.value in outcome)
            and (not kind or event.kind in kind)
        )

    return event_stream(request, _told(engine.events, wanted, caller))


async def _told(events: Bus[Decided], wanted: Callable[[Decided], bool], caller: Caller) -> AsyncIterator[Told]:
    async with events.subscribe(wanted) as decisions:
        async for each in decisions:
            if isinstance(each, Missed):
                yield "missed", Counted(each.count)
            else:
                yield "decision", event_of(each, caller)
