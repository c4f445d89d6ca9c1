"""Which media type is read by what."""

from collections.abc import Callable
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeAlias

from starlette.exceptions import HTTPException
from starlette.requests import Request

from service.bodies import arrays, structured
from service.bodies.files import read_files
from service.bodies.parameters import Head
from service.bodies.submitted import Body
from service.settings import Limits

Read: TypeAlias = Callable[[type[Any], bytes, Head, Limits], Body[Any]]

FILES = "multipart/form-data"
READERS: MappingProxyType[str, Read] = MappingProxyType(
    {
        "application/json": structured.read_json,
        "application/octet-stream": arrays.read_raw,
        "application/x-npy": arrays.read_npy,
        "application/msgpack": structured.read_msgpack,
        FILES: read_files,
    }
)


def media_type(request: Request, known: tuple[str, ...]) -> str:
    """The media type of the body. Raises HTTP 415 for one that is not known here, or for a body that is compressed:
    whatever it holds is small, and what it becomes is not known before it is."""
    headers = dict(request.scope["headers"])
    sent, encoded = headers.get(b"content-type", b""), headers.get(b"content-encoding", b"identity")
    kind, encoding = _media(sent), encoded.decode("latin-1").lower()
    if kind not in known:
        raise HTTPException(415, f"send Content-Type: {' or '.join(known)}, not {kind[:64] or 'nothing'}")
    if encoding != "identity":
        raise HTTPException(415, f"send the body as it is, not with Content-Encoding: {encoding[:64]}")
    return kind


@lru_cache(maxsize=64)
def _media(sent: bytes) -> str:
    return sent.decode("latin-1").partition(";")[0].strip().lower()
