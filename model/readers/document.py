"""JSON of unknown make: looked at one level at a time, so that little is built before it is known what it is."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
import numpy as np
from msgspec import Raw

from model.errors import LimitExceeded, UnreadableFile
from model.limits import JSON_DEPTH
from model.readers.source import Source

T = TypeVar("T")
MOST_VALUES = 30_000_000
"""Commas; two hours of a whole body, and some two gigabytes while they are parsed."""
LOOK_AHEAD = 2000
"""So many frames without anybody may come before the first person of a recording."""
# What many JSON libraries write for a joint that was not found, outside of strings.
_NO_NUMBER = re.compile(rb"(?<=[\[,:\s])(NaN|-?Infinity)(?=[\],}\s])")


@dataclass(frozen=True, slots=True)
class Document:
    """The top level of a JSON file: `members` of an object, or `items` of an array."""

    source: Source
    members: dict[str, Raw]
    items: list[Raw]

    def keys_of_first(self) -> set[str]:
        """The keys of the first item that is an object with any; empty where there is none."""
        return next((set(found) for found in self.first_filled(dict[str, Raw]) if found), set())

    def first_filled(self, kind: type[T]) -> Iterator[T]:
        """Leading items (of an array) or values (of an object) that are of that kind."""
        for raw in (self.items or list(self.members.values()))[:LOOK_AHEAD]:
            found = attempt(raw, kind)
            if found is not None:
                yield found


def attempt(data: Raw, kind: type[T] | Any) -> T | None:
    """JSON text as a value of type `kind`; None where it is none, since this only looks."""
    try:
        found: T = msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return found


def open_document(source: Source) -> Document:
    """The top level; raises `UnreadableFile` where the text is no JSON, `LimitExceeded` where it is nested absurdly."""
    data = source.data.removeprefix(b"\xef\xbb\xbf").lstrip()
    if (values := data.count(b",")) > MOST_VALUES:
        raise LimitExceeded(f"values in {source.name}", MOST_VALUES, values)
    if data[:1] == b"[":
        return Document(source, {}, decode(source, data, list[Raw]))
    return Document(source, decode(source, data, dict[str, Raw]), [])


def decode(source: Source, data: bytes | Raw, kind: type[T] | Any, where: str = "") -> T:
    """JSON text as a value of type `kind`; errors say where in the file."""
    try:
        value: T = msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as error:
        raise UnreadableFile(source.name, f"{where}: {error}" if where else str(error)) from None
    except msgspec.DecodeError as error:
        raise UnreadableFile(source.name, f"is not JSON: {what_is_wrong(bytes(data), error)}") from None
    except UnicodeDecodeError:
        raise UnreadableFile(source.name, "is not JSON: text is not UTF-8") from None
    except RecursionError:
        raise LimitExceeded(f"nesting of {source.name}", JSON_DEPTH, depth_of(bytes(data))) from None
    return value


def what_is_wrong(data: bytes, error: msgspec.DecodeError) -> str:
    """Why `data` is not JSON, for people; a NaN is called one."""
    found = _NO_NUMBER.search(data)
    return f"it holds {found[0].decode()}, and JSON has no such number" if found else str(error)


def depth_of(data: bytes) -> int:
    """The deepest nesting in the first million bytes."""
    letters = np.frombuffer(data[:1_000_000], dtype=np.uint8)
    steps = np.isin(letters, list(b"[{")).astype(int) - np.isin(letters, list(b"]}"))
    return int(np.cumsum(steps).max())
