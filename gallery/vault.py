"""A sequence as bytes for the vault, which keeps what came in so that a later encoder can embed it again.

    b"GKV1" | length of the header, 4 bytes, little-endian | header, JSON | zlib(joints, then confidence; float32)

Nothing is converted or rounded: what comes out is the sequence that went in. The store seals it under the data key
of its subject (`gallery/store/vault.py`); here it is plain.
"""

import hashlib
import struct
import zlib
from typing import NoReturn

import msgspec
import numpy as np

from model.errors import GaitkeeperError, InvalidArchive
from model.limits import FILE_FRAMES
from model.named_layouts import layout_named
from model.sequence import SkeletonSequence, Units

MAGIC = b"GKV1"
HEADER_BYTES = 1024
_LENGTH = struct.Struct("<I")


class _Header(msgspec.Struct, forbid_unknown_fields=True):
    layout: str
    frames: int
    dims: int
    fps: float
    units: str
    aspect: float | None


def pack(sequence: SkeletonSequence) -> bytes:
    """The bytes that `unpack` makes the same sequence of, number for number."""
    header = msgspec.json.encode(
        _Header(
            sequence.layout.name,
            sequence.frames,
            sequence.dims,
            sequence.fps,
            sequence.units.value,
            sequence.aspect,
        )
    )
    numbers = sequence.joints.astype("<f4").tobytes() + sequence.confidence.astype("<f4").tobytes()
    # Level 1: coordinates hardly get smaller by more.
    return MAGIC + _LENGTH.pack(len(header)) + header + zlib.compress(numbers, 1)


def unpack(packed: bytes) -> SkeletonSequence:
    """The sequence that was packed. Raises `InvalidArchive` for anything else, before it allocates what it claims."""
    start = len(MAGIC) + _LENGTH.size
    if packed[: len(MAGIC)] != MAGIC or len(packed) < start:
        _refuse("is not one")
    (length,) = _LENGTH.unpack_from(packed, len(MAGIC))
    if length > HEADER_BYTES:
        _refuse("its header is too long")
    try:
        header = msgspec.json.decode(packed[start : start + length], type=_Header)
        layout, units = layout_named(header.layout), Units(header.units)
    except (msgspec.DecodeError, GaitkeeperError, ValueError) as error:
        raise InvalidArchive("skeleton of the vault", f"its header is wrong: {error}") from error
    if not 0 < header.frames <= FILE_FRAMES or header.dims not in (2, 3):
        _refuse(f"{header.frames} frames of {header.dims} coordinates cannot be")
    count = header.frames * layout.count
    numbers = np.frombuffer(_inflated(packed[start + length :], 4 * count * (header.dims + 1)), "<f4")
    joints = numbers[: count * header.dims].reshape(header.frames, layout.count, header.dims)
    confidence = numbers[count * header.dims :].reshape(header.frames, layout.count)
    try:
        return SkeletonSequence(joints, confidence, layout, header.fps, units, header.aspect)
    except GaitkeeperError as error:
        raise InvalidArchive("skeleton of the vault", str(error)) from error


def source_of(sequence: SkeletonSequence) -> str:
    """A name for the content of a sequence: the same recording, read again from any file, has the same."""
    identity = hashlib.sha256(
        f"{sequence.layout.name} {sequence.joints.shape} {sequence.fps:.6g} {sequence.units} {sequence.aspect}".encode()
    )
    identity.update(sequence.joints.tobytes())
    identity.update(sequence.confidence.tobytes())
    return identity.hexdigest()


def _inflated(deflated: bytes, size: int) -> bytes:
    """Exactly `size` bytes; what would become more is not inflated further."""
    inflate = zlib.decompressobj()
    try:
        content = inflate.decompress(deflated, size)
        # At the last byte the checksum may still be to come.
        rest = inflate.decompress(inflate.unconsumed_tail, 1)
    except zlib.error as error:
        raise InvalidArchive("skeleton of the vault", f"is damaged: {error}") from error
    if len(content) != size or rest or not inflate.eof or inflate.unused_data:
        _refuse("is not as long as its header says")
    return content


def _refuse(reason: str) -> NoReturn:
    raise InvalidArchive("skeleton of the vault", reason)
