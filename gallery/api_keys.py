"""Keys of callers: what each may do, and how it is spelled.

A key is `gk_ID_SECRET`: the id is public and in lists and logs; the secret is 256 random bits, shown once when the key
is made and stored as a hash only. SHA-256 of that much randomness cannot be searched, so nothing slower is needed.
"""

import hashlib
import re
import secrets
from base64 import b32encode
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from gallery.template import check_id, check_name, now
from model.errors import InvalidRequest

PREFIX = "gk"
ID_LENGTH = 12
GALLERIES = 1000
RATE = 1_000_000
GRACE_S = 24 * 3600
LONGEST_GRACE_S = 30 * 24 * 3600
LONGEST_DAYS = 36_500

_ID = re.compile(rf"[a-z2-7]{{{ID_LENGTH}}}", re.ASCII)
_SPELLED = re.compile(rf"{PREFIX}_({_ID.pattern})_[A-Za-z0-9_-]{{43}}", re.ASCII)


class Scope(StrEnum):
    """What a key may be for.

    identify: ask who it is, and what they do. enroll: add templates, and see whom there is. manage: change and erase
    subjects, galleries and their calibrations. audit: read the audit log, receipts and operation. admin: keys, models;
    and all else. embed: get embeddings. investigate: get names and full scores below the threshold, and skeletons.
    """

    IDENTIFY = "identify"
    ENROLL = "enroll"
    MANAGE = "manage"
    AUDIT = "audit"
    ADMIN = "admin"
    EMBED = "embed"
    INVESTIGATE = "investigate"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that is asked for. galleries: names of those it reaches, whether they are there yet or not; None: all.
    rate: requests a minute; None: as many as there is room for. expires: from then on it is of no use.

    Raises `InvalidRequest`.
    """

    name: str
    scopes: frozenset[Scope]
    galleries: frozenset[str] | None = None
    rate: int | None = None
    expires: datetime | None = None

    def __post_init__(self) -> None:
        check_name("name", self.name)
        if not self.scopes:
            raise InvalidRequest("scopes", f"at least one of {', '.join(Scope)}")
        if self.galleries is not None:
            _check_galleries(self.galleries)
        if self.rate is not None and not 1 <= self.rate <= RATE:
            raise InvalidRequest("rate", f"must be in 1..{RATE} requests a minute, got {self.rate}")
        if self.expires is not None:
            _check_expiry(self.expires)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept. used: about when last. former_until: until when the secret before a rotation is good."""

    id: str
    name: str
    scopes: frozenset[Scope]
    galleries: frozenset[str] | None
    rate: int | None
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None
    used: datetime | None = None
    former_until: datetime | None = None

    def good(self, at: datetime) -> bool:
        return self.revoked is None and (self.expires is None or at < self.expires)


def scopes_of(words: list[str]) -> frozenset[Scope]:
    """Raises `InvalidRequest` for a word that is none."""
    unknown = sorted(set(words) - set(Scope))
    if unknown:
        raise InvalidRequest("scopes", f"unknown: {', '.join(unknown)}; there are {', '.join(Scope)}")
    return frozenset(Scope(word) for word in words)


def new_id() -> str:
    return b32encode(secrets.token_bytes(8)).decode().lower()[:ID_LENGTH]


def is_id(text: str) -> bool:
    """Whether a key could be called this."""
    return _ID.fullmatch(text) is not None


def spelled(key_id: str) -> str:
    """A new key of this id, as its caller sends it."""
    return f"{PREFIX}_{key_id}_{secrets.token_urlsafe(32)}"


def id_of(key: str) -> str | None:
    """The id in what somebody sent; None if it is not spelled as a key.

    >>> id_of("gk_abcdefgh2345_" + 43 * "A")
    'abcdefgh2345'
    >>> id_of("gk_abcdefgh2345_short") is None
    True
    """
    found = _SPELLED.fullmatch(key)
    return None if found is None else found[1]


def hash_of(key: str) -> bytes:
    """What is stored of a key (32 bytes)."""
    return hashlib.sha256(key.encode()).digest()


def check_grace(seconds: int) -> None:
    """Raises `InvalidRequest`."""
    if not 0 <= seconds <= LONGEST_GRACE_S:
        raise InvalidRequest("grace_seconds", f"must be in 0..{LONGEST_GRACE_S}, got {seconds}")


def _check_galleries(galleries: frozenset[str]) -> None:
    if not 1 <= len(galleries) <= GALLERIES:
        raise InvalidRequest("galleries", f"name 1 to {GALLERIES}, or leave them out for all, got {len(galleries)}")
    for name in galleries:
        check_id("galleries", name)


def _check_expiry(expires: datetime) -> None:
    if expires.tzinfo is None:
        raise InvalidRequest("expires", "must have a time zone")
    if not now() < expires <= now() + timedelta(days=LONGEST_DAYS):
        raise InvalidRequest("expires", f"must be in the future, and {LONGEST_DAYS} days away at most")
