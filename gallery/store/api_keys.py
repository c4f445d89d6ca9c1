"""Keys of callers in the database: made, listed, rotated and revoked, each with its entry in the audit log.

Only hashes are here. What is returned beside an `ApiKey` is the key itself, which nothing can show a second time.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, case, func, insert, select, update

from gallery.api_keys import GRACE_S, ApiKey, NewKey, Scope, check_grace, hash_of, is_id, new_id, spelled
from gallery.store import audit
from gallery.store.moments import moment, stamp, when
from gallery.store.schema import api_keys
from gallery.store.schema import audit as log
from gallery.template import now
from model.errors import Conflict, UnknownResource

if TYPE_CHECKING:
    from gallery.store.store import Store

MADE, ROTATED, REVOKED = "api_key_made", "api_key_rotated", "api_key_revoked"
FIRST = NewKey("first admin", frozenset({Scope.ADMIN}))

_SHOWN = [column for column in api_keys.c if column.name not in ("hash", "former_hash")]


@dataclass(frozen=True, slots=True)
class KeptKey:
    """A key with what a caller is compared with. former: the hash before the last rotation."""

    key: ApiKey
    hash: bytes
    former: bytes | None


def make_key(store: "Store", new: NewKey) -> tuple[ApiKey, str]:
    """A new key, and the only sight of it."""
    with store.write() as connection:
        return _made(connection, store, new)


def make_first_key(store: "Store") -> tuple[ApiKey, str] | None:
    """An admin's key where there has never been any key; None where there has."""
    with store.write() as connection:  # writers take turns: of several that start, one makes it
        if connection.scalar(select(func.count()).select_from(api_keys)):
            return None
        return _made(connection, store, FIRST)


def _made(connection: Connection, store: "Store", new: NewKey) -> tuple[ApiKey, str]:
    made = ApiKey(new_id(), new.name, new.scopes, new.galleries, new.rate, now(), new.expires)
    key = spelled(made.id)
    values = {
        "id": made.id,
        "name": made.name,
        "hash": hash_of(key),
        "scopes": sorted(made.scopes),
        "galleries": None if made.galleries is None else sorted(made.galleries),
        "rate": made.rate,
        "created": stamp(made.created),
        "expires": None if made.expires is None else stamp(made.expires),
    }
    connection.execute(insert(api_keys).values(values))
    # Names stay out of the log, those of galleries too.
    bound = None if made.galleries is None else len(made.galleries)
    detail: dict[str, Any] = {
        "key": made.id,
        "scopes": sorted(made.scopes),
        "galleries": bound,
        "expires": values["expires"],
    }
    audit.append(connection, store, MADE, **detail)
    return made, key


def key_page(store: "Store", after: str = "", limit: int = 1000) -> list[ApiKey]:
    """At most `limit` keys by id, those behind `after`; revoked and expired ones too."""
    wanted = select(*_SHOWN).where(api_keys.c.id > after).order_by(api_keys.c.id).limit(limit)
    with store.read() as connection:
        return [_key(row) for row in connection.execute(wanted)]


def show_key(store: "Store", key_id: str) -> ApiKey:
    """Raises `UnknownResource`."""
    with store.read() as connection:
        return _key(_row(connection, key_id))


def rotate_key(store: "Store", key_id: str, grace_s: int = GRACE_S) -> tuple[ApiKey, str]:
    """A new secret under the same id, and the only sight of it; the secret before is good for `grace_s` seconds more,
    the one before that no longer. Raises `UnknownResource`, `InvalidRequest`, `Conflict` for a key that is no good.
    """
    check_grace(grace_s)
    key = spelled(key_id)
    with store.write() as connection:
        row = _row(connection, key_id)
        if not _key(row).good(now()):
            raise Conflict("key", f"{key_id} was revoked or has expired; make another one")
        until = now() + timedelta(seconds=grace_s)
        former = {"former_hash": row.hash, "former_until": stamp(until)} if grace_s else _NO_FORMER
        connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(hash=hash_of(key), **former))
        audit.append(connection, store, ROTATED, key=key_id, grace_seconds=grace_s)
        return _key(_row(connection, key_id)), key


def revoke_key(store: "Store", key_id: str) -> ApiKey:
    """End a key for good; again does nothing. Its hashes are forgotten. Raises `UnknownResource`."""
    with store.write() as connection:
        if _row(connection, key_id).revoked is None:
            gone = {"revoked": moment(), "hash": b"", **_NO_FORMER}
            connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(gone))
            audit.append(connection, store, REVOKED, key=key_id)
        return _key(_row(connection, key_id))


_NO_FORMER: Mapping[str, Any] = {"former_hash": None, "former_until": None}


# For a ring of keys in memory


def kept_keys(store: "Store") -> tuple[int, list[KeptKey]]:
    """All keys that were not revoked, and the number of the audit entry that they are up to."""
    with store.read() as connection:
        seq = connection.scalar(select(func.max(log.c.seq))) or 0
        rows = connection.execute(select(api_keys).where(api_keys.c.revoked.is_(None)))
        return seq, [_kept(row) for row in rows]


def kept_key(store: "Store", key_id: str) -> KeptKey | None:
    """One key, if it is there and was not revoked."""
    if not is_id(key_id):
        return None
    wanted = select(api_keys).where(api_keys.c.id == key_id, api_keys.c.revoked.is_(None))
    with store.ask() as connection:
        row = connection.execute(wanted).one_or_none()
    return None if row is None else _kept(row)


def keys_changed(store: "Store", since: int) -> tuple[int, bool]:
    """Whether a key was made, rotated or revoked after the audit entry `since`, and the newest entry.

    Entries are numbered by writers that take turns, so that none appears behind one that was seen.
    """
    of_keys = log.c.action.in_((MADE, ROTATED, REVOKED))
    wanted = select(func.max(log.c.seq), func.max(case((of_keys, log.c.seq)))).where(log.c.seq > since)
    with store.ask() as connection:
        newest, changed = connection.execute(wanted).one()
    return newest or since, changed is not None


def note_used(store: "Store", used: Mapping[str, int]) -> None:
    """used: by id, in microseconds since 1970."""
    with store.write() as connection:
        for key_id, at in used.items():
            connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(used=at))


def _kept(row: Row[Any]) -> KeptKey:
    return KeptKey(_key(row), bytes(row.hash), None if row.former_hash is None else bytes(row.former_hash))


def _row(connection: Connection, key_id: str) -> Row[Any]:
    # What no key is called is not even asked for: PostgreSQL would refuse some of it.
    asked = connection.execute(select(api_keys).where(api_keys.c.id == key_id)) if is_id(key_id) else None
    row = None if asked is None else asked.one_or_none()
    if row is None:
        raise UnknownResource("key", key_id)
    return row


def _key(row: Row[Any]) -> ApiKey:
    def at(stored: int | None) -> Any:
        return None if stored is None else when(stored)

    return ApiKey(
        id=row.id,
        name=row.name,
        scopes=frozenset(Scope(word) for word in row.scopes),
        galleries=None if row.galleries is None else frozenset(row.galleries),
        rate=row.rate,
        created=when(row.created),
        expires=at(row.expires),
        revoked=at(row.revoked),
        used=at(row.used),
        former_until=at(row.former_until),
    )
