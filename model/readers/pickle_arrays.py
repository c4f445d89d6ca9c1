"""numpy's way to write an array in a pickle, rebuilt without numpy's own constructors.

What a pickle names is mapped to the makers below, which check every argument; no name is ever imported.
"""

import math
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

_DTYPE = re.compile(r"[<>|=]?([biuf][1248]|[?bBhHiIlLqQefd]|S\d{1,6}|U\d{1,6})", re.ASCII)


class Refused(Exception):
    """A pickle that wants something else than data; becomes UnreadableFile before it leaves the reader."""


class Dtype:
    """A number type under construction: numpy's type code, then its byte order as state."""

    def __init__(self, code: object) -> None:
        if not isinstance(code, str) or not _DTYPE.fullmatch(code):
            raise Refused(f"holds an array of {str(code)[:20]!r}; only numbers and text are read")
        self.code = code

    def set_state(self, state: object) -> None:
        order = state[1] if isinstance(state, tuple) and len(state) > 1 else "="
        if order in ("<", ">") and self.code[0] not in "<>|=":
            self.code = f"{order}{self.code}"


class Array:
    """An array under construction: empty, then its version, shape, type, order and bytes as state."""

    def __init__(self) -> None:
        self.values: NDArray[Any] = np.empty(0)

    def set_state(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise Refused("holds an array that is not written as numpy does")
        _, shape, kind, fortran, data = state
        self.values = _array(data, kind, shape, fortran is True)


def _array(data: object, kind: object, shape: object, fortran: bool) -> NDArray[Any]:
    if not (isinstance(data, bytes | bytearray) and isinstance(kind, Dtype) and isinstance(shape, tuple)):
        raise Refused("holds an array that is not written as numpy does (of objects, it may be)")
    sizes = [size for size in shape if isinstance(size, int) and size >= 0]
    dtype = np.dtype(kind.code)
    if len(sizes) != len(shape) or len(shape) > 8 or math.prod(sizes) * dtype.itemsize != len(data):
        raise Refused(f"holds an array whose shape {str(shape)[:40]} is not that of its bytes")
    if not dtype.itemsize:
        raise Refused("holds an array of empty text")
    return np.frombuffer(data, dtype=dtype).reshape(sizes, order="F" if fortran else "C")


def _dtype(*arguments: object) -> Dtype:
    return Dtype(arguments[0] if arguments else None)


def _reconstruct(*_: object) -> Array:
    return Array()


def _from_buffer(*arguments: object) -> Array:
    if len(arguments) != 4:
        raise Refused("holds an array that is not written as numpy does")
    data, kind, shape, order = arguments
    made = Array()
    made.values = _array(data, kind, shape, order == "F")
    return made


def _scalar(*arguments: object) -> Any:
    if len(arguments) != 2:
        raise Refused("holds a number that is not written as numpy does")
    return _array(arguments[1], arguments[0], (), False).item()


def _encode(*arguments: object) -> bytes:
    """Protocol 2 writes bytes as text to be encoded."""
    if not arguments or not isinstance(arguments[0], str) or arguments[1:] not in ((), ("latin1",), ("latin-1",)):
        raise Refused("encodes something else than bytes")
    try:
        return arguments[0].encode("latin1")
    except UnicodeEncodeError:
        raise Refused("encodes something else than bytes") from None


def _bytes(*arguments: object) -> bytes:
    if not arguments:
        return b""
    if len(arguments) == 1 and isinstance(arguments[0], bytes):
        return arguments[0]
    return _encode(*arguments)


def _array_type(*_: object) -> Any:
    raise Refused("calls numpy.ndarray itself")


Maker = Callable[..., Any]

MAKERS: Mapping[tuple[str, str], Maker] = MappingProxyType(
    {
        ("numpy", "ndarray"): _array_type,  # an argument of _reconstruct
        ("numpy", "dtype"): _dtype,
        ("_codecs", "encode"): _encode,
        ("builtins", "bytearray"): _bytes,
        ("__builtin__", "bytearray"): _bytes,
        ("__builtin__", "bytes"): _bytes,
        **{
            (f"numpy.{core}.{module}", name): maker
            for core in ("core", "_core")
            for module, name, maker in (
                ("multiarray", "_reconstruct", _reconstruct),
                ("multiarray", "scalar", _scalar),
                ("numeric", "_frombuffer", _from_buffer),
            )
        },
    }
)
