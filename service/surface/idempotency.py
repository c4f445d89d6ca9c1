"""`Idempotency-Key`: a request that changes something, sent again because nobody knows what became of it, is done once.

The answer to a POST with such a key is kept for a day and given again, after a restart too. The same key with another
request is a conflict, and so is one whose first request is under way (with Retry-After). An answer that says no is not
kept: nothing was done, and the key may be used again. (draft-ietf-httpapi-idempotency-key-header)
"""

import asyncio
import re
from hashlib import sha256
from typing import Any, Final

import msgspec
import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gallery.store import Store
from gallery.store.idempotency import About, Answered, Key, begin, finish, release
from model.errors import GaitkeeperError, InvalidRequest
from service.access.caller import Caller
from service.access.needs import CALLER
from service.errors import problem_of
from service.problem import ProblemResponse
from service.surface import effects

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
_SANE: Final = re.compile(r'"?([\x21\x23-\x7e]{1,255})"?')
# A longer answer is none that tells what was changed.
_ANSWER_BYTES: Final = 1024 * 1024

_log = structlog.get_logger("gaitkeeper")


class _Kept(msgspec.Struct, array_like=True):
    """What is kept of an answer, but for its status."""

    headers: dict[str, str]
    body: bytes


class _Named(msgspec.Struct):
    """Whom an answer is about, if it says so. name: of a gallery that was made."""

    gallery: str | None = None
    subject: str | None = None
    name: str | None = None


class Idempotent:
    """ASGI middleware, within the one that knows who asks."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sent = None
        if scope["type"] == "http" and effects.kept(scope["method"], scope["path"]):
            sent = Headers(scope=scope).get(HEADER)
        caller: Caller | None = scope.get(CALLER)
        if sent is None or caller is None:  # an open address, where nothing is changed
            await self._app(scope, receive, send)
            return
        try:
            await self._once(_key(caller, sent), scope, receive, send)
        except GaitkeeperError as error:
            await ProblemResponse(problem_of(error))(scope, receive, send)

    async def _once(self, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        if body is None:  # the caller is gone
            return
        store: Store = scope["app"].state.engine.library.store
        if found := await asyncio.to_thread(begin, store, key, _hash(scope, body)):
            await _again(found)(scope, receive, send)
            return
        answer = _Collected(send)
        done = False
        try:
            await self._app(scope, _again_from(body, receive), answer)
            done = answer.is_kept
        finally:
            if not done:  # also when it was cancelled: `committed` changes are not
                await asyncio.shield(asyncio.to_thread(_try, release, store, key))
        if done:
            about = _about(scope, answer.body)
            await asyncio.to_thread(_try, finish, store, key, answer.kept(), about)
            await answer.deliver()


class _Collected:
    """A send that keeps an answer which says yes until it is written down, and lets any other through."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._messages: list[Message] = []
        self._through = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._through = not 200 <= message["status"] < 300
        if self._through:
            await self._send(message)
            return
        self._messages.append(message)
        if sum(len(each.get("body", b"")) for each in self._messages) > _ANSWER_BYTES:
            self._through = True
            await self.deliver()

    @property
    def is_kept(self) -> bool:
        return bool(self._messages) and not self._through

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self._messages[1:])

    def kept(self) -> Answered:
        headers = Headers(raw=self._messages[0]["headers"])
        told = {name: headers[name] for name in ("content-type", "location") if name in headers}
        return Answered(self._messages[0]["status"], msgspec.msgpack.encode(_Kept(told, self.body)))

    async def deliver(self) -> None:
        for message in self._messages:
            await self._send(message)


def _key(caller: Caller, sent: str) -> Key:
    """Raises `InvalidRequest`."""
    found = _SANE.fullmatch(sent)
    if found is None:
        raise InvalidRequest(HEADER, "must be 1 to 255 visible ASCII characters, such as a UUID")
    return Key(caller.id, found[1])


async def _body(receive: Receive) -> bytes | None:
    pieces = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        pieces.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(pieces)


def _again_from(body: bytes, receive: Receive) -> Receive:
    """A receive that gives the body which was read, and then what comes behind it."""
    given = False

    async def receiving() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receiving


def _hash(scope: Scope, body: bytes) -> bytes:
    """Of all that says what is asked."""
    kind = Headers(scope=scope).get("content-type", "")
    head = "\n".join((scope["method"], scope["path"], scope["query_string"].decode("latin-1"), kind))
    return sha256(head.encode() + b"\n\n" + body).digest()


def _again(found: Answered) -> Response:
    kept = msgspec.msgpack.decode(found.content, type=_Kept)
    response = Response(kept.body, found.status)
    MutableHeaders(raw=response.raw_headers).update({**kept.headers, REPLAYED: "true"})
    return response


def _about(scope: Scope, body: bytes) -> About:
    """Whom the answer names, so that it goes with them: as it says itself, else as the address has it."""
    path = scope.get("path_params", {})
    try:
        named = msgspec.json.decode(body, type=_Named)
    except msgspec.MsgspecError:
        named = _Named()
    made = named.name if scope["path"] == "/galleries" else None
    gallery = named.gallery or made or path.get("gallery")
    return About(gallery, named.subject or path.get("subject"))


def _try(work: Any, *args: Any) -> None:
    """What was asked is done: that this cannot be written down is for the log, and not for the caller."""
    try:
        work(*args)
    except GaitkeeperError as error:
        _log.warning("an answer is not kept for its idempotency key", reason=str(error))
