"""Streams of cameras: opened, fed with frames, listened to, ended."""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Depends, Header, Query
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from model.errors import (
    BundleMismatch,
    Conflict,
    InvalidRequest,
    LayoutMismatch,
    LimitExceeded,
    ModelMissing,
    NotAllowed,
    Overloaded,
    UnknownGallery,
    UnknownLayout,
    UnknownResource,
)
from service.access.caller import Caller, Scope
from service.access.needs import needs
from service.answers.recognition import Answer
from service.bodies.media import media_type
from service.document.openapi import documented, refusals
from service.parts import TheLimits
from service.receive import INLINE_BYTES, received
from service.sse import Told, event_stream
from service.streams import told
from service.streams.asked import OpenStream, StreamFrames
from service.streams.frames import Arrived, arrived, decoder, raw_frames
from service.streams.hub import Streams
from service.streams.rendered import rendered
from service.streams.socket import Form, Socket
from service.streams.stream import Stream

router = APIRouter(prefix="/streams", tags=["streams"])

RAW = "application/octet-stream"
MEDIA = ("application/json", "application/msgpack", RAW)
Identifier: TypeAlias = Annotated[Caller, needs(Scope.IDENTIFY)]


async def _streams(connection: HTTPConnection) -> Streams:
    streams: Streams = connection.app.state.streams
    return streams


TheStreams: TypeAlias = Annotated[Streams, Depends(_streams)]


@router.post(
    "",
    summary="Open a stream for the frames of one camera",
    **documented(
        told.Stream,
        asked=OpenStream,
        status=HTTPStatus.CREATED,
        problems=(
            UnknownLayout,
            LayoutMismatch,
            ModelMissing,
            NotAllowed,
            UnknownGallery,
            BundleMismatch,
            LimitExceeded,
            Overloaded,
        ),
    ),
)
async def open_stream(request: Request, streams: TheStreams, caller: Identifier) -> Answer:
    """Frames go in by the WebSocket `/streams/{stream}` or by POST; people are followed through them, and a decision on
    each comes out as soon as it is sure, again when it changes, and as a last word when they leave. Events come out of
    the same WebSocket, or as server-sent events. Nothing of a stream is stored. It ends when no frame comes."""
    stream = await streams.open(await received(request, OpenStream), caller)
    answer = Answer(streams.state(stream), HTTPStatus.CREATED)
    answer.headers["Location"] = f"/streams/{stream.opening.id}"
    return answer


@router.get("", summary="The caller's streams, by id, a page at a time", **documented(told.Streams))
async def list_streams(
    streams: TheStreams,
    caller: Identifier,
    after: Annotated[str, Query(max_length=128, description="the last stream of the page before")] = "",
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Answer:
    found = [streams.state(each) for each in streams.of(caller) if each.opening.id > after]
    following = found[limit - 1].id if len(found) > limit else None
    return Answer(told.Streams(streams=found[:limit], next=following))


@router.get(
    "/{stream}", summary="One stream, and who is followed in it", **documented(told.Stream, problems=(UnknownResource,))
)
async def show_stream(stream: str, streams: TheStreams, caller: Identifier) -> Answer:
    return Answer(streams.state(streams.get(stream, caller)))


@router.delete(
    "/{stream}",
    summary="End a stream: frames that came are finished, and a last word is said on everybody",
    status_code=HTTPStatus.NO_CONTENT,
    response_class=Response,
    responses=refusals(UnknownResource, NotAllowed),
)
async def end_stream(stream: str, streams: TheStreams, caller: Identifier) -> Response:
    await streams.run(stream, caller).end("deleted")
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post(
    "/{stream}/frames",
    summary="Frames for a stream, all of them or none",
    **documented(
        told.Taken,
        asked=StreamFrames,
        status=HTTPStatus.ACCEPTED,
        problems=(UnknownResource, NotAllowed, Conflict, LimitExceeded, InvalidRequest, Overloaded),
    ),
)
async def send_frames(
    stream: str,
    request: Request,
    streams: TheStreams,
    limits: TheLimits,
    caller: Identifier,
    shape: Annotated[
        str | None, Header(alias="X-Shape", max_length=64, description="of raw float32: frames,people,joints,numbers")
    ] = None,
) -> Answer:
    """JSON, msgpack, or little-endian float32 with its shape. 429 while those before are still being worked on."""
    found = streams.run(stream, caller)
    kind, body = media_type(request, MEDIA), await request.body()

    def read() -> list[Arrived]:
        if kind == RAW:
            return raw_frames(body, found.opening.form, limits.people, _shape(shape))
        asked: StreamFrames = decoder(kind)(StreamFrames, body)
        return arrived(asked.frames, found.opening.form, limits.people)

    frames = read() if len(body) <= INLINE_BYTES else await asyncio.to_thread(read)
    await found.inlet.offer(frames)
    return Answer(told.Taken(len(frames)), HTTPStatus.ACCEPTED)


def _shape(given: str | None) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in (given or "").split(","))
    except ValueError as error:
        raise InvalidRequest("X-Shape", "must be frames,people,joints,numbers, such as 25,2,17,3") from error


@router.get(
    "/{stream}/events",
    summary="What happens in a stream, as server-sent events",
    response_class=Response,
    responses={
        200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}},
        **refusals(UnknownResource, Overloaded),
    },
)
async def stream_events(
    stream: str,
    request: Request,
    streams: TheStreams,
    caller: Identifier,
    skeletons: Annotated[bool, Query(description="tell of every frame and everybody in it, too")] = False,
) -> Response:
    """`track_started`, `decision`, `action`, `track_ended`, `stats`, with `skeletons` also `frame`; `missed` where the
    reader was too slow; `ended` is the last. Who is followed already is told first."""
    found = streams.get(stream, caller)
    return event_stream(request, _events(found, caller, skeletons=skeletons), lambda: found.end("shutdown"))


async def _events(stream: Stream, caller: Caller, *, skeletons: bool) -> AsyncIterator[Told]:
    async with stream.listen(skeletons=skeletons) as events:
        async for event in events:
            yield rendered(event, stream, caller)


@router.websocket("/{stream}")
async def stream_socket(
    socket: WebSocket,
    stream: str,
    streams: TheStreams,
    caller: Identifier,
    skeletons: bool = False,
    binary: Form = "msgpack",
) -> None:
    """Frames in, events out. Text messages are JSON; `binary` says what the others hold. What is refused gets a problem
    document before it is a socket."""
    state: Any = socket.app.state
    found, people = streams.run(stream, caller), state.settings.limits.people
    await Socket(socket, found, caller, people, binary=binary, skeletons=skeletons).converse(state.listeners)
