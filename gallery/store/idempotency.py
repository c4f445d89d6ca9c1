"""Answers that are kept for a while, so that who asks again under the same key is answered again and nothing is done
twice.

An answer may hold what is shown once, such as a new key, so it is sealed: under a key made of the caller's own, of
which only a hash is kept here, and of one of the store's. It goes with the gallery and the subject that it names.
"""

import hmac
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, insert, select, update

from gallery.keys.sealing import bound_to, seal, unseal
from gallery.store.moments import moment
from gallery.store.schema import galleries, idempotency, subjects
from gallery.store.store import Store
from gallery.template import State
from model.errors import Conflict, InvalidArchive

# How long an answer is kept, and how long a request without one is taken to be under way: it changes what it changes in
# less, and a process that was killed in between is not waited for longer.
KEPT_US = 24 * 3600 * 1_000_000
UNDER_WAY_US = 60 * 1_000_000

_BOUND = bound_to("idempotency")


@dataclass(frozen=True, slots=True)
class Key:
    """caller: as in the audit log. sent: the key itself; the store keeps its hash only."""

    caller: str
    sent: str

    @property
    def hash(self) -> bytes:
        return sha256(self.sent.encode()).digest()

    def seals(self, store: Store, connection: Connection) -> bytes:
        """The key (32 bytes) that the answer is sealed under."""
        return hmac.digest(store.secrets.signing_key(connection), f"idempotency {self.sent}".encode(), "sha256")


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered: the status of HTTP, and whatever the caller of these functions made of the rest."""

    status: int
    content: bytes


@dataclass(frozen=True, slots=True)
class About:
    """The gallery and the subject that an answer names, if it names any."""

    gallery: str | None = None
    subject: str | None = None


def begin(store: Store, key: Key, request: bytes) -> Answered | None:
    """The answer that was given under this key; None where there is none, and then the request is under way.

    request: a hash of what is asked. Raises `Conflict` where the key was used for another request, or the same one is
    under way just now.
    """
    with store.write() as connection:
        now = moment()
        connection.execute(delete(idempotency).where(idempotency.c.at < now - KEPT_US))
        row = connection.execute(select(idempotency).where(_is(key))).one_or_none()
        if row is not None:
            if row.request != request:
                raise Conflict("Idempotency-Key", "was used for another request; take a new one for each")
            if row.status is None and row.at > now - UNDER_WAY_US:
                raise Conflict("Idempotency-Key", "the first request with it is under way", 1.0)
            found = None if row.status is None else _unsealed(store, connection, key, row)
            if found is not None:
                return found
            connection.execute(delete(idempotency).where(_is(key)))
        values = {"caller": key.caller, "key": key.hash, "request": request, "at": now}
        connection.execute(insert(idempotency).values(values))
    return None


def _unsealed(store: Store, connection: Connection, key: Key, row: Any) -> Answered | None:
    """None where it cannot be read any more: the store's key was exchanged since."""
    try:
        return Answered(row.status, unseal(key.seals(store, connection), row.answer, _BOUND))
    except InvalidArchive:
        return None


def finish(store: Store, key: Key, answered: Answered, about: About) -> None:
    """Keep the answer. One about a gallery or a subject that is gone meanwhile is not kept."""
    with store.write() as connection:
        found = _keys_of(connection, about)
        if found is None:
            connection.execute(delete(idempotency).where(_is(key)))
            return
        gallery, subject = found
        content = seal(key.seals(store, connection), answered.content, _BOUND)
        values = {"status": answered.status, "answer": content, "gallery_id": gallery, "subject_id": subject}
        connection.execute(update(idempotency).where(_is(key)).values(values))


def release(store: Store, key: Key) -> None:
    """Nothing was done under this key: it may be used again."""
    with store.write() as connection:
        connection.execute(delete(idempotency).where(_is(key), idempotency.c.status.is_(None)))


def _is(key: Key) -> ColumnElement[bool]:
    return and_(idempotency.c.caller == key.caller, idempotency.c.key == key.hash)


def _keys_of(connection: Connection, about: About) -> tuple[int | None, int | None] | None:
    """Keys of what an answer names; None if something of it is not there."""
    if about.gallery is None:
        return None, None
    answering = (galleries.c.name == about.gallery, galleries.c.state == State.ACTIVE.value)
    gallery = connection.scalar(select(galleries.c.id).where(*answering))
    if gallery is None or about.subject is None:
        return None if gallery is None else (gallery, None)
    named = (subjects.c.gallery_id == gallery, subjects.c.name == about.subject)
    subject = connection.scalar(select(subjects.c.id).where(*named))
    return None if subject is None else (gallery, subject)
