"""The id of a request: in its answer, in its problem document and in every log line that it causes.

Whoever sends a sane `X-Request-Id` finds their own again; anybody else gets a new one. What is not sane (spaces, line
ends, an essay) is replaced and not refused: an id of a proxy's making is nobody's mistake.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from secrets import token_hex

HEADER = "x-request-id"
SCOPE = "gaitkeeper.request_id"
INSTANCE_PREFIX = "urn:gaitkeeper:request:"

_SANE = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}")
_BYTES = 16
_current: ContextVar[str | None] = ContextVar("request_id", default=None)


def request_id_of(headers: list[tuple[bytes, bytes]]) -> str:
    """The id that came with the request, if it is one, else a new one."""
    sent = next((value for name, value in headers if name == b"x-request-id"), b"")
    return sent.decode() if _SANE.fullmatch(sent) else token_hex(_BYTES)


@contextmanager
def answering(request_id: str) -> Iterator[None]:
    """What is done within is done for this request, in the threads that it asks too."""
    token = _current.set(request_id)
    try:
        yield
    finally:
        _current.reset(token)


def current() -> str | None:
    """The id of the request that is being answered; None outside of one."""
    return _current.get()


def instance() -> str | None:
    """What RFC 9457 calls the occurrence of a problem: the request that is being answered; None outside of one."""
    found = current()
    return None if found is None else INSTANCE_PREFIX + found
