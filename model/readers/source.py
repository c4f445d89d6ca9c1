"""Bytes of a file, read with a bound, and the name under which errors speak of it."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from model.errors import LimitExceeded, UnreadableFile
from model.limits import FILE_BYTES

TEXT_BYTES = 64 * 1024 * 1024
"""Split into words, text takes up to twenty times its size."""
_NUMBER_AT_END = re.compile(r"^(.*?)(\d{1,18})(?:_keypoints)?$", re.ASCII)


@dataclass(frozen=True, slots=True)
class Source:
    """A file's content. `path` is None where only bytes came in (the service)."""

    name: str
    data: bytes
    path: Path | None = None

    def fail(self, reason: str) -> NoReturn:
        """Raise `UnreadableFile` for this file, on one line whatever the file put into it."""
        raise UnreadableFile(self.name, printable(reason))

    def text(self) -> str:
        """The content as UTF-8 text, without a byte order mark; for formats of plain ASCII keywords and numbers.

        Raises `LimitExceeded` for a size that only a hostile file has.
        """
        if len(self.data) > TEXT_BYTES:
            raise LimitExceeded(f"bytes of {self.name}", TEXT_BYTES, len(self.data))
        return self.data.decode("utf-8-sig", errors="replace")


def printable(text: str) -> str:
    """Text of a file, fit for a terminal: no line breaks, no escape sequences.

    >>> printable("knee\x1b[31m")
    'knee?[31m'
    """
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def open_source(path: Path, limit: int = FILE_BYTES) -> Source:
    """The file at `path`; raises `UnreadableFile` where it is none, `LimitExceeded` above `limit` bytes."""
    name = printable(str(path))
    try:
        if not path.exists():
            raise UnreadableFile(name, "there is no such file")
        if not path.is_file():  # a pipe or a device could deliver without end
            raise UnreadableFile(name, "is not a regular file")
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise UnreadableFile(name, error.strerror or str(error)) from error
    return source_of(data, name, path, limit)


def source_of(data: bytes, name: str = "", path: Path | None = None, limit: int = FILE_BYTES) -> Source:
    """Bytes as a source; raises `LimitExceeded` above `limit` bytes, `UnreadableFile` for none."""
    name = printable(name) or "the data"
    if len(data) > limit:
        raise LimitExceeded(f"bytes of {name}", limit, max(len(data), path.stat().st_size if path else 0))
    if not data:
        raise UnreadableFile(name, "is empty")
    return Source(name, data, path)


def numbered(name: str) -> tuple[str, int | None]:
    """A file's or image's name as (what is before the number, frame number).

    >>> numbered("street_000000000012_keypoints.json"), numbered("cam1/0007.jpg"), numbered("poster.png")
    (('street_', 12), ('cam1/', 7), ('poster', None))
    """
    stem = re.sub(r"\.\w{1,5}$", "", name)
    found = _NUMBER_AT_END.match(stem)
    return (found[1], int(found[2])) if found else (stem, None)
