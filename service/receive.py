"""From a request to a typed body, and from a caller who left to an end of the work for them."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from model.errors import LimitExceeded
from service.limits import check_frames
from service.settings import Limits
from service.stage import Probe, Stage
from service.wire import Sent, SequenceRequest, decode

T = TypeVar("T")
S = TypeVar("S", bound=Sent)
Q = TypeVar("Q", bound=SequenceRequest)

# Decoding a body of this size takes about a millisecond; a larger one would hold up everybody else's.
INLINE_BYTES = 128 * 1024


async def body_of(request: Request) -> bytes:
    """The body, which must be plain JSON. Raises HTTP 415, or `LimitExceeded` from the middleware that counts it."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, f"send Content-Type: application/json, not {kind or 'nothing'}")
    if (encoding := request.headers.get("content-encoding", "identity").lower()) != "identity":
        raise HTTPException(415, f"send the body as it is, not with Content-Encoding: {encoding}")
    return await request.body()


async def received(request: Request, kind: type[S]) -> S:
    """The request's small body as `kind`."""
    return decode(kind, await body_of(request))


async def received_sequence(request: Request, kind: type[Q], stage: Stage, limits: Limits) -> tuple[Q, Probe]:
    """The request's body as `kind`, and its sequence made ready for the model of `stage`."""
    body = await body_of(request)

    def read() -> tuple[Q, Probe]:
        asked = decode(kind, body)
        check_frames(len(asked.sequence.joints), limits)
        return asked, stage.examine(asked.sequence.checked(), asked.beside())

    return read() if len(body) <= INLINE_BYTES else await asyncio.to_thread(read)


def check_candidates(top_k: int, limits: Limits) -> None:
    if top_k > limits.candidates:
        raise LimitExceeded("top_k", limits.candidates, top_k)


async def unless_gone(request: Request, work: Awaitable[T]) -> T:
    """What `work` gives; if the caller hangs up first, the work is cancelled and `ClientDisconnect` raised."""
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientDisconnect
        return task.result()
    finally:
        task.cancel()
        gone.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
