"""A key from a passphrase: scrypt (RFC 7914)."""

import hashlib
from dataclasses import dataclass

from gallery.keys.sealing import KEY_BYTES
from model.errors import InvalidArchive

SALT_BYTES = 16
MEMORY_LIMIT = 1 << 30


@dataclass(frozen=True, slots=True)
class Cost:
    """N = 2^log_n. The default takes 128 MiB and some tenths of a second, for whoever guesses too."""

    log_n: int = 17
    r: int = 8
    p: int = 1

    def __post_init__(self) -> None:
        """Raises `InvalidArchive` for a cost that would take more than a gigabyte or minutes, as a file may demand."""
        within = 14 <= self.log_n <= 22 and 1 <= self.r <= 32 and 1 <= self.p <= 4
        if not within or 128 * self.r * 2**self.log_n > MEMORY_LIMIT:
            raise InvalidArchive("passphrase", f"cost {self.log_n}, {self.r}, {self.p} is out of bounds")


def key_of(passphrase: bytes, salt: bytes, cost: Cost) -> bytes:
    """32 bytes."""
    return hashlib.scrypt(
        passphrase, salt=salt, n=1 << cost.log_n, r=cost.r, p=cost.p, maxmem=MEMORY_LIMIT + (1 << 20), dklen=KEY_BYTES
    )
