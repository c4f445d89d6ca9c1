"""Several master keys by id; the last is the current one."""

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable

from gallery.keys.sealing import KEY_BYTES, seal, unseal
from model.errors import InvalidArchive, KeyUnavailable

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Ring:
    """Immutable. source: where the keys come from, for errors; neither they nor `repr` show a key."""

    __slots__ = ("_keys", "_source")

    def __init__(self, entries: Iterable[tuple[str, str]], source: str) -> None:
        """entries: (id, base64 of 32 bytes). Raises `KeyUnavailable` where one is malformed, or there is none."""
        self._source = source
        self._keys: dict[str, bytes] = {}
        for name, text in entries:
            if not check_id(name) or name in self._keys:
                # What stands in the place of an id may be a key.
                raise KeyUnavailable(source, f"key {len(self._keys) + 1} has no id, a malformed one or one used before")
            self._keys[name] = decode(text, f"{source}, {name}")
            if len(self._keys[name]) != KEY_BYTES:
                raise KeyUnavailable(f"{source}, {name}", f"must have {KEY_BYTES} bytes, in base64")
        if not self._keys:
            raise KeyUnavailable(source, "holds no key")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._keys)

    @property
    def current(self) -> str:
        return self.names[-1]

    def lines(self) -> list[tuple[str, str]]:
        """The entries that it was made of: secret."""
        return [(name, b64encode(key).decode()) for name, key in self._keys.items()]

    def wrap(self, plain: bytes, bound: bytes) -> tuple[str, bytes]:
        return self.current, seal(self._keys[self.current], plain, bound)

    def unwrap(self, name: str, wrapped: bytes, bound: bytes) -> bytes:
        if name not in self._keys:
            raise KeyUnavailable(name, f"is not in {self._source}; whoever keeps the master keys must add it there")
        try:
            return unseal(self._keys[name], wrapped, bound)
        except InvalidArchive:
            raise KeyUnavailable(
                name, f"of {self._source} is not the key that wrapped this, or it is damaged"
            ) from None


def check_id(name: str) -> bool:
    """Whether `name` may name a master key: letters, digits, `.`, `_` and `-`, at most 64."""
    return _ID.fullmatch(name) is not None


def decode(text: str | bytes, source: str) -> bytes:
    """Bytes from base64. Raises `KeyUnavailable`, which shows nothing of the text."""
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise KeyUnavailable(source, "is not base64") from None
