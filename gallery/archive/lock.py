"""What opens an archive: a passphrase, or a key file that both sides have."""

import binascii
import os
import stat
from base64 import b64decode
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec

from gallery.keys.passphrase import SALT_BYTES, Cost, key_of
from gallery.keys.sealing import KEY_BYTES, seal, unseal
from model.errors import InvalidArchive, InvalidRequest, KeyUnavailable

Kind: TypeAlias = Literal["passphrase", "key"]

_FILE_LIMIT = 4096
_SHORTEST = 8


class Lock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The archive's own key, wrapped; of a passphrase besides, how its key is made."""

    kind: Kind
    wrapped: bytes
    salt: bytes = b""
    log_n: int = 0
    r: int = 0
    p: int = 0


@dataclass(frozen=True, slots=True, repr=False)
class Opener:
    """A secret that wraps and unwraps the key of an archive."""

    kind: Kind
    secret: bytes

    def lock(self, key: bytes, archive: bytes, cost: Cost | None = None) -> Lock:
        """`key` of the archive with this id, wrapped."""
        if self.kind == "key":
            lock, secret = Lock("key", b""), self.secret
        else:
            salt, cost = os.urandom(SALT_BYTES), cost or Cost()
            lock = Lock("passphrase", b"", salt, cost.log_n, cost.r, cost.p)
            secret = key_of(self.secret, salt, cost)
        return msgspec.structs.replace(lock, wrapped=seal(secret, key, _bound(archive, lock)))

    def unlock(self, lock: Lock, archive: bytes) -> bytes:
        """The archive's key. Raises `KeyUnavailable`, `InvalidArchive`."""
        if lock.kind != self.kind:
            asked = {"passphrase": "--passphrase-file", "key": "--recipient-key"}[lock.kind]
            raise KeyUnavailable("archive", f"is locked with a {lock.kind}; give {asked}")
        secret = self.secret
        if lock.kind == "passphrase":
            secret = key_of(secret, lock.salt, Cost(lock.log_n, lock.r, lock.p))
        try:
            key = unseal(secret, lock.wrapped, _bound(archive, lock))
        except InvalidArchive:
            raise KeyUnavailable("archive", f"this is not its {lock.kind}, or its first bytes are damaged") from None
        if len(key) != KEY_BYTES:
            raise InvalidArchive("archive", "holds no key of its own")
        return key


def passphrase(text: str) -> Opener:
    """Raises `InvalidRequest` for one that is short enough to be guessed at once."""
    if len(text) < _SHORTEST:
        raise InvalidRequest("passphrase", f"must have at least {_SHORTEST} characters")
    return Opener("passphrase", text.encode())


def passphrase_file(path: Path) -> Opener:
    """From the first line of a file. Raises `KeyUnavailable`."""
    lines = _read(path).decode("utf-8", "surrogateescape").splitlines()
    try:
        return passphrase(lines[0] if lines else "")
    except UnicodeEncodeError:
        raise KeyUnavailable(str(path), "is not text in UTF-8") from None


def key_file(path: Path) -> Opener:
    """From a file of 32 bytes, or of their base64, as `head -c 32 /dev/urandom` makes it. Raises `KeyUnavailable`."""
    content = _read(path)
    if len(content) != KEY_BYTES:
        try:
            content = b64decode(content.strip(), validate=True)
        except (binascii.Error, ValueError):
            content = b""
    if len(content) != KEY_BYTES:
        raise KeyUnavailable(str(path), f"must hold {KEY_BYTES} bytes, or their base64")
    return Opener("key", content)


def _read(path: Path) -> bytes:
    """A small file that others must not be able to read; a pipe is as good."""
    try:
        with path.open("rb") as file:
            state = os.fstat(file.fileno())
            if stat.S_ISREG(state.st_mode) and stat.S_IMODE(state.st_mode) & 0o077:
                raise KeyUnavailable(str(path), "others may read it; chmod 600 it")
            content = file.read(_FILE_LIMIT + 1)
    except OSError as error:
        raise KeyUnavailable(str(path), (error.strerror or "cannot be read").lower()) from None
    if len(content) > _FILE_LIMIT:
        raise KeyUnavailable(str(path), "is too large for a key or passphrase")
    return content


def _bound(archive: bytes, lock: Lock) -> bytes:
    """The id, and all of the lock but what is wrapped."""
    return b"archive key/" + archive + msgspec.json.encode(msgspec.structs.replace(lock, wrapped=b""))
