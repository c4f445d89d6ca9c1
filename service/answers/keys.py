"""Keys of callers, as they come in and as they are answered, typed once."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from gallery.api_keys import GALLERIES, GRACE_S, LONGEST_GRACE_S, RATE, ApiKey, NewKey, Scope
from gallery.template import now
from service.access.caller import Caller
from service.wire import Name, Sent


class CreateKey(Sent, frozen=True):
    """scopes: what it may. galleries: the only ones that it reaches, whether they are there yet or not; null: all.
    rate: requests a minute; null: no limit of its own. expires: with a time zone; from then on it is refused."""

    name: Name
    scopes: Annotated[list[Scope], Meta(min_length=1, max_length=len(Scope))]
    galleries: Annotated[list[Name], Meta(min_length=1, max_length=GALLERIES)] | None = None
    rate: Annotated[int, Meta(ge=1, le=RATE)] | None = None
    expires: Annotated[datetime, Meta(tz=True)] | None = None

    def checked(self) -> NewKey:
        """Raises `InvalidRequest`."""
        galleries = None if self.galleries is None else frozenset(self.galleries)
        return NewKey(self.name, frozenset(self.scopes), galleries, self.rate, self.expires)


class RotateKey(Sent, frozen=True):
    """grace_seconds: for how long the key as it was is still good, so that nobody who uses it is cut off."""

    grace_seconds: Annotated[int, Meta(ge=0, le=LONGEST_GRACE_S)] = GRACE_S


class Key(msgspec.Struct, frozen=True, kw_only=True):
    """What a key may. used: about when last. former_until: until when the key before its last rotation is good."""

    id: str
    name: str
    scopes: list[Scope]
    galleries: list[str] | None
    rate: int | None
    state: Literal["good", "expired", "revoked"]
    created: str
    expires: str | None
    revoked: str | None
    used: str | None
    former_until: str | None


class MadeKey(Key, frozen=True, kw_only=True):
    """key: to be sent as `Authorization: Bearer`; it is shown this once and cannot be shown again."""

    key: str


class Keys(msgspec.Struct, frozen=True):
    """A page of keys, by id. next: ask again with after=next; null on the last page."""

    keys: list[Key]
    next: str | None


class Whoami(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks, and what they may. galleries: the only ones that they reach; null: all. access: `loopback` where nobody
    is asked for a key."""

    id: str
    name: str
    scopes: list[Scope]
    galleries: list[str] | None
    access: Literal["keys", "loopback"]


def key(found: ApiKey) -> Key:
    return Key(**_told(found))


def made(found: ApiKey, shown: str) -> MadeKey:
    return MadeKey(**_told(found), key=shown)


def keys(page: Sequence[ApiKey], last: ApiKey | None) -> Keys:
    return Keys([key(each) for each in page], None if last is None else last.id)


def whoami(caller: Caller, access: Literal["keys", "loopback"]) -> Whoami:
    galleries = None if caller.galleries is None else sorted(caller.galleries)
    return Whoami(id=caller.id, name=caller.name, scopes=sorted(caller.scopes), galleries=galleries, access=access)


def _told(found: ApiKey) -> dict[str, Any]:
    moments = {name: getattr(found, name) for name in ("created", "expires", "revoked", "used", "former_until")}
    state = "good" if found.good(now()) else "expired" if found.revoked is None else "revoked"
    return {
        "id": found.id,
        "name": found.name,
        "scopes": sorted(found.scopes),
        "galleries": None if found.galleries is None else sorted(found.galleries),
        "rate": found.rate,
        "state": state,
        **{name: None if at is None else at.isoformat() for name, at in moments.items()},
    }
