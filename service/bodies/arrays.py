"""Sequences as arrays: raw float32, and NumPy's .npy. What they are is said beside them, in header fields.

An array is (frames, joints, channels), or (sequences, frames, joints, channels) for several of one length. Its header
says how much there is before any of it is looked at; nothing is unpickled, and nothing is longer than the body.
"""

import io
import math
import struct
import tokenize
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NoReturn, TypeVar, get_args

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from model.errors import InvalidRequest, LimitExceeded
from model.layout import Layout
from model.named_layouts import layout_named
from model.sequence import FPS_LIMIT, SkeletonSequence, Units
from service.bodies.asked import SequenceRequest
from service.bodies.parameters import Head, asked_by
from service.bodies.submitted import Body, Frames, Submitted, check_count
from service.settings import Limits

Q = TypeVar("Q", bound=SequenceRequest)
Channels = Literal["xy", "xyc", "xyz", "xyzc"]

FLOAT_BYTES = 4
HEADER_BYTES = 4096
_MAGIC = b"\x93NUMPY"
_LENGTHS = {(1, 0): "<H", (2, 0): "<I", (3, 0): "<I"}
_ITEM_BYTES = 8


@dataclass(frozen=True, slots=True)
class Described:
    """What header fields say of an array."""

    layout: Layout
    fps: float
    units: Units
    aspect: float | None
    channels: Channels | None

    def sequence(self, array: NDArray[Any]) -> SkeletonSequence:
        """(frames, joints, channels) as a sequence. Raises `InvalidSequence`, `LayoutMismatch`."""
        channels = self._channels(array.shape[2])
        if channels[-1] == "c":
            joints, confidence = array[..., :-1], array[..., -1]
        else:
            joints, confidence = array, np.ones(array.shape[:2], np.float32)
        return SkeletonSequence(joints, confidence, self.layout, self.fps, self.units, self.aspect)

    def _channels(self, count: int) -> Channels:
        """As they were named; otherwise confidence comes last, but for two, and for three in metres."""
        if self.channels is not None:
            if len(self.channels) != count:
                raise InvalidRequest("X-Channels", f"says {len(self.channels)} channels, the array has {count}")
            return self.channels
        if count == 3:
            return "xyz" if self.units is Units.METRES else "xyc"
        if count not in (2, 4):
            raise InvalidRequest("body", f"must have 2 to 4 channels, x, y(, z)(, confidence), got {count}")
        return "xy" if count == 2 else "xyzc"


def read_raw(kind: type[Q], body: bytes, head: Head, limits: Limits) -> Body[Q]:
    """Little-endian float32 in the order of C, of the shape in `X-Shape`. Raises `InvalidRequest`, naming the field."""
    text = head.header("x-shape") or _missing("X-Shape", "the sizes, such as 60,17,3")
    shape = _shape(text)
    if math.prod(shape) * FLOAT_BYTES != len(body):
        raise InvalidRequest(
            "X-Shape", f"{text} of float32 are {math.prod(shape) * FLOAT_BYTES} bytes, not {len(body)}"
        )
    _check_size(shape, limits)
    return _body(kind, np.frombuffer(body, "<f4").reshape(shape), head)


def read_npy(kind: type[Q], body: bytes, head: Head, limits: Limits) -> Body[Q]:
    """NumPy's format, of any real numbers. Raises `InvalidRequest` for `body`."""
    start, shape, fortran, dtype = _npy_header(body)
    if math.prod(shape) * dtype.itemsize != len(body) - start:
        raise InvalidRequest("body", f"promises {shape} of {dtype}, which is not what it holds")
    _check_size(shape, limits)
    flat = np.frombuffer(body, dtype, offset=start)
    return _body(kind, flat.reshape(shape[::-1]).T if fortran else flat.reshape(shape), head)


def _body(kind: type[Q], array: NDArray[Any], head: Head) -> Body[Q]:
    asked = asked_by(kind, head.given)
    described = _described(*(head.header(f"x-{name}") for name in ("layout", "fps", "units", "aspect", "channels")))
    if array.ndim == 3:
        return Body.of_one(asked, described.sequence(array))
    each = (Submitted(str(number), described.sequence(one)) for number, one in enumerate(array, 1))
    return Body(asked, each, several=True)


def _check_size(shape: tuple[int, ...], limits: Limits) -> None:
    if len(shape) == 4:
        check_count(shape[0], "body", limits)
    Frames(limits).add(math.prod(shape[:-2]), "body")


@lru_cache(maxsize=256)
def _described(
    layout: str | None, fps: str | None, units: str | None, aspect: str | None, channels: str | None
) -> Described:
    named = layout_named(layout or _missing("X-Layout", "the layout, such as coco-17"))
    rate = _number("X-Fps", fps or _missing("X-Fps", "frames a second"))
    if not 0 < rate <= FPS_LIMIT:
        raise InvalidRequest("X-Fps", f"must be above 0 and at most {FPS_LIMIT:g}, got {rate:g}")
    if units is not None and units not in list(Units):
        raise InvalidRequest("X-Units", f"must be one of {', '.join(Units)}")
    if channels is not None and channels not in get_args(Channels):
        raise InvalidRequest("X-Channels", f"must be one of {', '.join(get_args(Channels))}")
    ratio = None if aspect is None else _number("X-Aspect", aspect)
    return Described(named, rate, Units(units or "pixels"), ratio, _channels(channels))


def _channels(name: str | None) -> Channels | None:
    return next((each for each in get_args(Channels) if each == name), None)


def _missing(name: str, what: str) -> NoReturn:
    raise InvalidRequest(name, f"is needed with this media type: {what}")


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise InvalidRequest(name, "is not a number") from error


def _shape(text: str) -> tuple[int, ...]:
    sizes = [size.strip() for size in text.split(",", 5)]
    if len(sizes) not in (3, 4) or not all(size.isascii() and size.isdigit() and len(size) < 10 for size in sizes):
        raise InvalidRequest("X-Shape", "must be frames,joints,channels or sequences,frames,joints,channels")
    return _positive(tuple(int(size) for size in sizes), "X-Shape")


def _positive(shape: tuple[int, ...], field: str) -> tuple[int, ...]:
    if len(shape) not in (3, 4) or min(shape) < 1:
        raise InvalidRequest(field, f"must be (frames, joints, channels) or several of these, got {shape}")
    return shape


def _npy_header(body: bytes) -> tuple[int, tuple[int, ...], bool, np.dtype[Any]]:
    """Where the numbers begin, and what they are."""
    form = _LENGTHS.get((body[6], body[7])) if len(body) > 16 and body[:6] == _MAGIC else None
    if form is None:
        raise InvalidRequest("body", "is no .npy of version 1 to 3")
    (length,) = struct.unpack_from(form, body, 8)
    start = 8 + struct.calcsize(form) + length
    if length > HEADER_BYTES:
        raise LimitExceeded("body (bytes of its header)", HEADER_BYTES, length)
    return (start, *_npy_described(bytes(body[6:start])))


@lru_cache(maxsize=256)
def _npy_described(head: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether the first index runs fastest, and type. A caller sends many of the same, so they are kept."""
    read = npy.read_array_header_1_0 if head[0] == 1 else npy.read_array_header_2_0
    try:
        shape, fortran, dtype = read(io.BytesIO(head[2:]))
    except (ValueError, SyntaxError, TypeError, tokenize.TokenError, RecursionError, MemoryError) as error:
        raise InvalidRequest("body", "is no .npy: its header cannot be read") from error
    if dtype.kind not in "fiu" or dtype.itemsize > _ITEM_BYTES or dtype.hasobject:
        raise InvalidRequest("body", f"holds {str(dtype)[:40]}, and only real numbers are read")
    return _positive(shape, "body"), fortran, dtype
