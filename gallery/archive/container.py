"""The file: a header that says how it is locked, then sealed chunks, of which the last is signed.

    b"GKARCHIV" | format, 2 bytes | length, 4 bytes | header, JSON: id and `Lock`
    then chunks: kind, 1 byte | length, 4 bytes | AES-256-GCM, bound to the id, the kind and the chunk's place
        F   the gallery, `records.Facts`, JSON; the first
        R   `records.Record`s, msgpack; as many as needed
        M   the manifest, JSON, signed with Ed25519: counts, and SHA-256 over all chunks before it; the last

Numbers are little-endian. Nothing is compressed, so that nothing can swell; each length is held against a limit before
memory is taken for it. A chunk that is damaged, moved, left out, doubled or of another archive is refused.
"""

import hashlib
import os
import re
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final, TypeVar

import msgspec

from gallery.archive.lock import Lock, Opener
from gallery.keys.sealing import OVERHEAD, Sealer, new_key
from gallery.keys.signing import canonical, check_signature, sign
from model.errors import InvalidArchive

MAGIC: Final = b"GKARCHIV"
FORMAT: Final = 1
HEADER_LIMIT: Final = 4096
CHUNK_LIMIT: Final = 64 << 20
CHUNK_BYTES: Final = 1 << 20
KIND: Final = "gaitkeeper-archive"
FACTS, RECORDS, MANIFEST = b"F", b"R", b"M"

_START = struct.Struct("<8sHI")
_CHUNK = struct.Struct("<cI")
_ID_BYTES = 16
_ID = re.compile("[0-9a-f]{32}")


class _Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    archive: str
    lock: Lock


class _Chunks:
    """Seals or unseals one chunk after the other, and keeps the sum of what was in them."""

    def __init__(self, key: bytes, archive: str) -> None:
        self._sealer, self._archive = Sealer(key), archive
        self._sum = hashlib.sha256()
        self.count = 0

    def seal(self, kind: bytes, plain: bytes) -> bytes:
        sealed = self._sealer.seal(plain, self._bound(kind))
        self._add(kind, plain)
        return sealed

    def unseal(self, kind: bytes, sealed: bytes) -> bytes:
        plain = self._sealer.unseal(sealed, self._bound(kind))
        self._add(kind, plain)
        return plain

    def sum(self) -> str:
        return self._sum.hexdigest()

    def _bound(self, kind: bytes) -> bytes:
        return f"archive/{self._archive}/{kind.decode()}/{self.count}".encode()

    def _add(self, kind: bytes, plain: bytes) -> None:
        self.count += 1
        if kind != MANIFEST:
            self._sum.update(_CHUNK.pack(kind, len(plain)))
            self._sum.update(plain)


class Writer:
    """Writes an archive: `add` in the order of the chunks, then `finish`."""

    def __init__(self, file: IO[bytes], opener: Opener) -> None:
        self._file = file
        self.archive = os.urandom(_ID_BYTES).hex()
        key = new_key()
        header = msgspec.json.encode(_Header(self.archive, opener.lock(key, bytes.fromhex(self.archive))))
        self._chunks = _Chunks(key, self.archive)
        file.write(_START.pack(MAGIC, FORMAT, len(header)) + header)

    def add(self, kind: bytes, plain: bytes) -> None:
        if len(plain) + OVERHEAD > CHUNK_LIMIT:
            raise InvalidArchive("archive", f"one record of {len(plain)} bytes is more than fits into a chunk")
        sealed = self._chunks.seal(kind, plain)
        self._file.write(_CHUNK.pack(kind, len(sealed)) + sealed)

    def finish(self, private: bytes, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Write the manifest, signed with `private`; returns it."""
        ours = {"kind": KIND, "format": FORMAT, "archive": self.archive}
        manifest = sign(private, {**facts, **ours, "chunks": self._chunks.count, "sha256": self._chunks.sum()})
        self.add(MANIFEST, canonical(manifest))
        return manifest


class Reader:
    """Reads an archive from a file that can be read twice: `check` it, and only then believe its `chunks`.

    Everything raises `InvalidArchive` where the file is not what it should be, `KeyUnavailable` where the opener does
    not fit, and OSError.
    """

    def __init__(self, path: Path, opener: Opener) -> None:
        self.path = path
        with path.open("rb") as file:
            start = file.read(_START.size)
            magic, version, length = _START.unpack(start) if len(start) == _START.size else (b"", 0, 0)
            if magic != MAGIC:
                raise InvalidArchive(str(path), "is not an archive of a gallery")
            if version != FORMAT:
                raise InvalidArchive(str(path), f"has format {version}; this version reads format {FORMAT}")
            content = file.read(length) if length <= HEADER_LIMIT else b""
            self._after_header = file.tell()
        header = decoded(content, _Header, str(path))
        # There is one way to write a header, so that nobody can hide anything in one.
        if msgspec.json.encode(header) != content or not _ID.fullmatch(header.archive):
            raise InvalidArchive(str(path), "has a damaged header")
        self.archive = header.archive
        self._checked: dict[str, Any] | None = None
        self._key = opener.unlock(header.lock, bytes.fromhex(header.archive))

    def check(self, trusted: bytes | None) -> dict[str, Any]:
        """Read all of it; returns the manifest. trusted: public key of its signer; None trusts whoever signed it."""
        for _, _, manifest in self._walk():
            self._checked = manifest
        assert self._checked is not None
        check_signature(self._checked, trusted)
        return self._checked

    def chunks(self) -> Iterator[tuple[bytes, bytes]]:
        """(kind, content) of all chunks but the manifest; to be believed when it has ended."""
        for kind, plain, manifest in self._walk():
            if manifest is None:
                yield kind, plain
            elif manifest != self._checked:
                raise InvalidArchive(str(self.path), "was changed while it was read")

    def _walk(self) -> Iterator[tuple[bytes, bytes, dict[str, Any] | None]]:
        """Every chunk, and with the last the manifest, which fits what came before it."""
        chunks = _Chunks(self._key, self.archive)
        with self.path.open("rb") as file:
            file.seek(self._after_header)
            while True:
                kind, plain = self._next(file, chunks)
                if kind == MANIFEST:
                    break
                yield kind, plain, None
            if file.read(1):
                raise InvalidArchive(str(self.path), "goes on behind its end")
        yield kind, plain, self._manifest(plain, chunks)

    def _next(self, file: IO[bytes], chunks: _Chunks) -> tuple[bytes, bytes]:
        head = file.read(_CHUNK.size)
        if len(head) < _CHUNK.size:
            raise InvalidArchive(str(self.path), "is cut off")
        kind, length = _CHUNK.unpack(head)
        expected = (FACTS,) if chunks.count == 0 else (RECORDS, MANIFEST)
        if kind not in expected or not OVERHEAD <= length <= CHUNK_LIMIT:
            raise InvalidArchive(str(self.path), f"is damaged at chunk {chunks.count}")
        sealed = file.read(length)
        if len(sealed) < length:
            raise InvalidArchive(str(self.path), "is cut off")
        try:
            return kind, chunks.unseal(kind, sealed)
        except InvalidArchive:
            raise InvalidArchive(str(self.path), f"is damaged at chunk {chunks.count}") from None

    def _manifest(self, plain: bytes, chunks: _Chunks) -> dict[str, Any]:
        manifest = decoded(plain, dict[str, Any], str(self.path))
        before = {"chunks": chunks.count - 1, "sha256": chunks.sum()}
        ours = {"kind": KIND, "format": FORMAT, "archive": self.archive, **before}
        if any(manifest.get(name) != value for name, value in ours.items()):
            raise InvalidArchive(str(self.path), "its manifest does not fit its content")
        return manifest


T = TypeVar("T")


def decoded(content: bytes, as_type: type[T], source: str) -> T:
    """JSON of exactly this type. Raises `InvalidArchive`."""
    try:
        return msgspec.json.decode(content, type=as_type)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise InvalidArchive(source, "holds something else than it should, or was made by a later version") from None
