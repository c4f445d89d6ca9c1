"""Arrays of an npz, checked against its headers before anything is inflated, and without pickles."""

import io
import math
import tokenize
import zipfile
import zlib
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from model.errors import LimitExceeded
from model.limits import ARCHIVE_RATIO, FILE_BYTES
from model.readers.source import Source

MEMBERS = 64
SMALL = 64 * 1024 * 1024
"""Below this an archive may inflate by any ratio: arrays of equal confidences do."""
KINDS = "biufU"

Arrays = dict[str, NDArray[Any]]


def open_archive(source: Source) -> Arrays:
    """Every array of the npz by name. Raises `UnreadableFile`, or `LimitExceeded` for a decompression bomb."""
    try:
        with zipfile.ZipFile(io.BytesIO(source.data)) as archive:
            members = archive.infolist()
            _check_sizes(source, members)
            return {member.filename.removesuffix(".npy"): _array(source, archive, member) for member in members}
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        source.fail(f"is a broken npz: {error}")


def _check_sizes(source: Source, members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MEMBERS:
        raise LimitExceeded(f"arrays in {source.name}", MEMBERS, len(members))
    inflated = sum(member.file_size for member in members)
    if inflated > FILE_BYTES:
        raise LimitExceeded(f"inflated bytes of {source.name}", FILE_BYTES, inflated)
    if inflated > max(SMALL, ARCHIVE_RATIO * len(source.data)):
        raise LimitExceeded(f"inflated size of {source.name} over its size", ARCHIVE_RATIO, inflated / len(source.data))


def _array(source: Source, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    """One .npy: its header must promise exactly the bytes that are there."""
    with archive.open(member) as file:
        data = file.read(member.file_size)
    stream = io.BytesIO(data)
    try:
        version = npy.read_magic(stream)
        header = npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0
        shape, fortran, dtype = header(stream)
    except (ValueError, SyntaxError, TypeError, tokenize.TokenError, RecursionError, MemoryError) as error:
        source.fail(f"{member.filename} is no array: {str(error).splitlines()[0][:80]}")
    if dtype.hasobject or dtype.kind not in KINDS:
        source.fail(f"{member.filename} holds {dtype}, and only numbers and text are read")
    if (
        any(size < 0 for size in shape)
        or dtype.itemsize == 0
        or math.prod(shape) * dtype.itemsize != len(data) - stream.tell()
    ):
        source.fail(f"{member.filename} promises {shape} of {dtype}, which is not what it holds")
    flat = np.frombuffer(data, dtype=dtype, offset=stream.tell())
    return flat.reshape(shape[::-1]).T if fortran else flat.reshape(shape)
