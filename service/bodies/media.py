"""Which media type is read by what."""

from collections.abc import Callable
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
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in known:
        raise HTTPException(415, f"send Content-Type: {' or '.join(known)}, not {kind[:64] or 'nothing'}")
    if (encoding := request.headers.get("content-encoding", "identity").lower()) != "identity":
        raise HTTPException(415, f"send the body as it is, not with Content-Encoding: {encoding[:64]}")
    return kind
