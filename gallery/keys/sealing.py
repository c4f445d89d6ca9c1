"""Seals bytes: AES-256-GCM (NIST SP 800-38D) as nonce (12) | ciphertext | tag (16), each bound to what it belongs to.

Nonces are random, drawn for each sealing from the system: safe in any number of processes, and for 2^32 sealings
under one key (section 8.3), which no subject, gallery or generation comes near.
"""

import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from model.errors import InvalidArchive

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
OVERHEAD = NONCE_BYTES + TAG_BYTES

_DAMAGED = "is damaged, or belongs to something else"


def new_key() -> bytes:
    """256 bits from the system."""
    return os.urandom(KEY_BYTES)


def bound_to(kind: str, *keys: int) -> bytes:
    """What a sealed text is bound to, such as `bound_to("embedding", gallery, subject)`: it unseals nowhere else."""
    return "/".join((kind, *map(str, keys))).encode()


class Sealer:
    """Many sealings under one key. Threads may share it."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        assert len(key) == KEY_BYTES
        self._cipher = AESGCM(key)

    def seal(self, plain: bytes | memoryview, bound: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, bound)

    def unseal(self, sealed: bytes | memoryview, bound: bytes) -> bytes:
        """What `seal` was given. Raises `InvalidArchive` when it is damaged, bound elsewhere or of another key."""
        if len(sealed) < OVERHEAD:
            raise InvalidArchive("sealed data", "is cut off")
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], bound)
        except InvalidTag:
            raise InvalidArchive("sealed data", _DAMAGED) from None

    def unseal_into(self, sealed: bytes | memoryview, bound: bytes, out: memoryview) -> None:
        """As `unseal`, into `out`, which must be as long as the plain text; without a copy, for large chunks.

        What is in `out` after an error is of no use to anybody.
        """
        if len(sealed) != out.nbytes + OVERHEAD:
            raise InvalidArchive("sealed data", f"has {len(sealed)} bytes, not {out.nbytes + OVERHEAD}")
        view = memoryview(sealed)
        try:
            self._cipher.decrypt_into(view[:NONCE_BYTES], view[NONCE_BYTES:], bound, out.cast("B"))
        except InvalidTag:
            raise InvalidArchive("sealed data", _DAMAGED) from None


def seal(key: bytes, plain: bytes, bound: bytes) -> bytes:
    """`plain` sealed under `key` and bound to `bound`, which is needed again to unseal it and is not in the result."""
    return Sealer(key).seal(plain, bound)


def unseal(key: bytes, sealed: bytes, bound: bytes) -> bytes:
    """What was sealed. Raises `InvalidArchive` when it is damaged, bound elsewhere or sealed under another key."""
    return Sealer(key).unseal(sealed, bound)


def mark_of(sealed: bytes) -> int:
    """A signed 64-bit number from the tag: names what is sealed without telling anything of it."""
    return int.from_bytes(sealed[-8:], "little", signed=True)


def keyed_hash(key: bytes, text: str) -> str:
    """HMAC-SHA256 in hex: equal for equal texts under one key, and not to be tried out without it."""
    return hmac.digest(key, text.encode(), "sha256").hex()
