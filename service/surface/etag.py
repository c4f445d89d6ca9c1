"""Validators (RFC 9110, sections 8.8 and 13), and the address of the next page (RFC 8288), for whatever is got as JSON.

An answer's ETag is a hash of its bytes. `If-None-Match` spares the way of an answer that the caller has; `If-Match` on
a change holds it to what the caller has seen: 412 if that was changed since. What is seen and what is changed are
compared one request at a time in this process; two processes on one store may both find that nothing was changed.
"""

import asyncio
import hashlib
import re
from typing import Final
from urllib.parse import parse_qsl, urlencode
from weakref import WeakValueDictionary

import msgspec
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from model.errors import OutOfDate
from service.errors import problem_of
from service.limits import ALWAYS_ANSWERED
from service.problem import ProblemResponse

_TAGS: Final = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')
_JSON: Final = "application/json"
_CONDITIONS: Final = frozenset({b"if-match", b"if-none-match", b"content-length", b"content-type", b"idempotency-key"})


class _Page(msgspec.Struct):
    next: str | int | None = None


class Tagged:
    """ASGI middleware."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._changing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in ALWAYS_ANSWERED:
            await self._app(scope, receive, send)
        elif scope["method"] == "GET":
            await self._app(scope, receive, _Tagging(scope, send))
        elif expected := Headers(scope=scope).get("if-match"):
            lock = self._changing.setdefault(scope["path"], asyncio.Lock())
            async with lock:
                await self._changed(expected, scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _changed(self, expected: str, scope: Scope, receive: Receive, send: Send) -> None:
        """The change, if what is there is what was expected; else why not, which may be that nothing is there."""
        now = await self._present(scope)
        if now.status not in (200, 405):
            for message in now.messages:
                await send(message)
        elif now.status == 405 or not _among(now.tag, expected):
            await ProblemResponse(problem_of(OutOfDate(scope["path"])))(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    async def _present(self, scope: Scope) -> "_Collected":
        """What a GET of the same address answers now."""
        collected = _Collected()
        headers = [(name, value) for name, value in scope["headers"] if name not in _CONDITIONS]
        asked = {**scope, "method": "GET", "headers": headers, "query_string": b"", "path_params": {}}

        async def nothing() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        await self._app(asked, nothing, collected)
        return collected


class _Collected:
    """A send that keeps what is sent."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def __call__(self, message: Message) -> None:
        self.messages.append(message)

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])

    @property
    def tag(self) -> str:
        return tag_of(b"".join(message.get("body", b"") for message in self.messages[1:]))


class _Tagging:
    """A send that puts `ETag` and `Link` into an answer that is JSON and comes in one piece."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope, self._send = scope, send
        self._start: Message | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_taggable(message):
            self._start = message
            return
        start, self._start = self._start, None
        if start is None:
            await self._send(message)
            return
        if not message.get("more_body"):
            message = self._tagged(start, message)
        await self._send(start)
        await self._send(message)

    def _tagged(self, start: Message, message: Message) -> Message:
        body = message.get("body", b"")
        headers = MutableHeaders(scope=start)
        headers["etag"] = tag_of(body)
        if following := _following(body):
            headers["link"] = f'<{_address(self._scope, following)}>; rel="next"'
        if not _among(headers["etag"], Headers(scope=self._scope).get("if-none-match", "")):
            return message
        start["status"] = 304
        for name in ("content-length", "content-type"):
            del headers[name]
        return {**message, "body": b""}


def tag_of(body: bytes) -> str:
    """The ETag of an answer.

    >>> tag_of(b"{}")
    '"01e7b720ff566d53"'
    """
    return f'"{hashlib.blake2b(body, digest_size=8).hexdigest()}"'


def _is_taggable(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    return start["status"] == 200 and headers.get("content-type") == _JSON and "etag" not in headers


def _among(tag: str, expected: str) -> bool:
    return expected.strip() == "*" or tag in _TAGS.findall(expected)


def _following(body: bytes) -> str | int | None:
    """`next` of a page; None of the last one, and of what is no page."""
    if b'"next":' not in body:
        return None
    try:
        return msgspec.json.decode(body, type=_Page).next
    except msgspec.ValidationError:
        return None


def _address(scope: Scope, following: str | int) -> str:
    """The address of the page behind this one."""
    asked = dict(parse_qsl(scope["query_string"].decode("latin-1"))) | {"after": str(following)}
    path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
    return f"{path}?{urlencode(asked)}"
