"""Arrays in one encrypted file, written whole or not at all, and read without trusting a byte of it.

    magic (8) | number (8) | length (4) of the sealed header | sealed header | sealed chunks of every array

The header is JSON. The sizes of the arrays follow from it, and the file must be exactly as long as they make it before
room is taken for them. Every chunk is sealed by AES-GCM and bound to the file's number, its array and its place there:
none can be moved, left out, or come from another file.
"""

import json
import os
import struct
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gallery.keys.sealing import OVERHEAD, Sealer, bound_to
from model.errors import InvalidArchive

MAGIC = b"GKINDEX1"
_START = struct.Struct("<8sQI")
MOST_HEADER = 65_536
CHUNK_BYTES = 4 << 20
# AES-GCM and the page cache are faster than one core takes memory in.
THREADS = 2


@dataclass(frozen=True, slots=True)
class Column:
    """An array of this type and shape; the first axis counts rows."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def row_bytes(self) -> int:
        return int(np.dtype(self.dtype).itemsize * np.prod(self.shape[1:], dtype=np.int64))

    @property
    def rows_a_chunk(self) -> int:
        return max(1, CHUNK_BYTES // max(1, self.row_bytes))

    @property
    def sealed_bytes(self) -> int:
        return self.shape[0] * self.row_bytes + -(-self.shape[0] // self.rows_a_chunk) * OVERHEAD

    @property
    def chunks(self) -> Iterator[tuple[int, int]]:
        """First and last row (exclusive) of each chunk."""
        step = self.rows_a_chunk
        return ((start, min(start + step, self.shape[0])) for start in range(0, self.shape[0], step))


@dataclass(frozen=True, slots=True)
class _Chunk:
    column: int
    number: int
    rows: tuple[int, int]
    offset: int
    length: int


# The rows [start, stop) of a column.
Source = Callable[[int, int], NDArray[Any]]
Layout = Callable[[dict[str, Any]], Sequence[Column]]


def write_sealed(
    path: Path, key: bytes, number: int, header: dict[str, Any], columns: Sequence[tuple[Column, Source]]
) -> None:
    """Write the file, readable for its owner only, and have it on the disk when this returns. Raises `OSError`."""
    sealer = Sealer(key)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            sealed = sealer.seal(json.dumps(header, sort_keys=True).encode(), bound_to("snapshot header", number))
            file.write(_START.pack(MAGIC, number, len(sealed)) + sealed)
            for place, (column, source) in enumerate(columns):
                for chunk, (start, stop) in enumerate(column.chunks):
                    rows = np.ascontiguousarray(source(start, stop), column.dtype)
                    assert rows.shape == (stop - start, *column.shape[1:])
                    file.write(sealer.seal(rows.data.cast("B"), bound_to("snapshot", number, place, chunk)))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    _sync(path.parent)


def read_sealed(path: Path, key: bytes, layout: Layout) -> tuple[int, dict[str, Any], list[NDArray[Any]]]:
    """Number, header and arrays of a file. layout: the arrays that belong to a header.

    Raises `InvalidArchive` for a file that is another one's, cut off, damaged, or cannot be read.
    """
    try:
        with path.open("rb") as file:
            return _read(file.fileno(), Sealer(key), layout)
    except InvalidArchive as error:
        raise InvalidArchive(str(path), error.reason) from None
    except OSError as error:
        raise InvalidArchive(str(path), f"cannot be read: {error.strerror}") from error


def _read(file: int, sealer: Sealer, layout: Layout) -> tuple[int, dict[str, Any], list[NDArray[Any]]]:
    size = os.fstat(file).st_size
    start = os.pread(file, _START.size, 0)
    if len(start) < _START.size or start[: len(MAGIC)] != MAGIC:
        raise InvalidArchive("", "is not a snapshot of an index")
    _, number, length = _START.unpack(start)
    if not OVERHEAD <= length <= min(MOST_HEADER, size):
        raise InvalidArchive("", "has no header")
    plain = sealer.unseal(os.pread(file, length, _START.size), bound_to("snapshot header", number))
    header: dict[str, Any] = json.loads(plain)
    columns = layout(header)
    offset = _START.size + length
    end = offset + sum(column.sealed_bytes for column in columns)
    if end != size:
        raise InvalidArchive("", f"has {size} bytes, not {end}")
    arrays = [np.empty(column.shape, column.dtype) for column in columns]
    chunks = _chunks(columns, offset)

    def take(chunk: _Chunk) -> None:
        sealed = np.empty(chunk.length, np.uint8)
        if os.preadv(file, [sealed.data], chunk.offset) != chunk.length:
            raise InvalidArchive("", "was cut off while it was read")
        out = arrays[chunk.column][slice(*chunk.rows)].data
        sealer.unseal_into(sealed.data, bound_to("snapshot", number, chunk.column, chunk.number), out)

    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(take, chunks):
            pass
    return number, header, arrays


def _chunks(columns: Sequence[Column], offset: int) -> list[_Chunk]:
    """Where every chunk is in the file."""
    found = []
    for place, column in enumerate(columns):
        for number, rows in enumerate(column.chunks):
            length = (rows[1] - rows[0]) * column.row_bytes + OVERHEAD
            found.append(_Chunk(place, number, rows, offset, length))
            offset += length
    return found


def _sync(directory: Path) -> None:
    """Have the file's name on the disk too."""
    opened = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
