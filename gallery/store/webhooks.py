"""Who is told of decisions elsewhere; what they are still to be told is in `deliveries.py`."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, delete, func, insert, or_, select, update

from gallery.store import audit, heads
from gallery.store.moments import moment, when
from gallery.store.resources import check_resource
from gallery.store.schema import api_keys, deliveries, galleries, webhooks
from gallery.store.store import Store
from model.errors import LimitExceeded, UnknownResource

AT_MOST: Final = 256
_OF_KEY = "key:"


@dataclass(frozen=True, slots=True)
class Webhook:
    """events: outcomes of decisions that it is told of. gallery: None: of all galleries. active: false when its
    receiver said that it is gone. waiting: deliveries still to be made; error: of the last try of the first of them."""

    id: str
    url: str
    events: tuple[str, ...]
    gallery: str | None
    owner: str
    active: bool
    created: datetime
    waiting: int = 0
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Receiver:
    """What is asked for each decision: whom to tell. gallery: key of the one it is about, None: of all."""

    webhook: str
    events: frozenset[str]
    gallery: str | None


def add_webhook(
    store: Store, url: str, events: Sequence[str], gallery: str | None, owner: str, secret: bytes
) -> Webhook:
    """Raises `UnknownGallery`, `LimitExceeded`."""
    key = str(uuid.uuid4())
    with store.write() as connection:
        at = None if gallery is None else heads.head(connection, gallery).key
        count = connection.scalar(select(func.count()).select_from(webhooks)) or 0
        if count >= AT_MOST:
            raise LimitExceeded("webhooks", AT_MOST, count + 1)
        number = store.secrets.add(connection, None, "webhook", secret)
        values = {"id": key, "url": url, "events": list(events), "gallery_id": at, "secret": number, "owner": owner}
        connection.execute(insert(webhooks).values(**values, active=True, created=moment()))
        audit.append(connection, store, "webhook", at, webhook=key, state="made")
        return _webhook(connection.execute(_found(webhooks.c.id == key)).one())


def webhook(store: Store, key: str) -> Webhook:
    """Raises `UnknownResource`."""
    check_resource("webhook", key)
    with store.read() as connection:
        row = connection.execute(_found(webhooks.c.id == key)).one_or_none()
    if row is None:
        raise UnknownResource("webhook", key)
    return _webhook(row)


def webhooks_page(store: Store, *, after: str = "", limit: int = 100) -> list[Webhook]:
    """By id, those behind `after`. Raises `UnknownResource` for an `after` that is none."""
    if after:
        check_resource("webhook", after)
    with store.read() as connection:
        rows = connection.execute(_found(webhooks.c.id > after).order_by(webhooks.c.id).limit(limit))
        return [_webhook(row) for row in rows]


def delete_webhook(store: Store, key: str) -> None:
    """Forget a webhook, its secret and what it was still to be told. Raises `UnknownResource`."""
    check_resource("webhook", key)
    with store.write() as connection:
        row = connection.execute(select(webhooks).where(webhooks.c.id == key)).one_or_none()
        if row is None:
            raise UnknownResource("webhook", key)
        connection.execute(delete(webhooks).where(webhooks.c.id == key))
        store.secrets.destroy(connection, row.secret)
        audit.append(connection, store, "webhook", row.gallery_id, webhook=key, state="deleted")


def secret_of(store: Store, key: str) -> bytes:
    """What deliveries of a webhook are signed with. Raises `UnknownResource`."""
    check_resource("webhook", key)
    with store.read() as connection:
        number = connection.scalar(select(webhooks.c.secret).where(webhooks.c.id == key))
        if number is None:
            raise UnknownResource("webhook", key)
        return store.secrets.key(connection, number)


def receivers(store: Store) -> list[Receiver]:
    """Whom to tell: webhooks that are active, and whose owner's key is still good and reaches what they are about."""
    wanted = select(webhooks.c.id, webhooks.c.events, webhooks.c.owner, galleries.c.name)
    of_all = wanted.outerjoin(galleries, galleries.c.id == webhooks.c.gallery_id).where(webhooks.c.active)
    with store.read() as connection:
        rows = connection.execute(of_all).all()
        good = _good_owners(connection, {row.owner for row in rows})
    return [
        Receiver(row.id, frozenset(row.events), row.name)
        for row in rows
        if row.owner in good and (good[row.owner] is None or row.name in (good[row.owner] or ()))
    ]


def deactivate(store: Store, key: str) -> None:
    """Tell a webhook nothing any more: its receiver said that it is gone."""
    with store.write() as connection:
        row = connection.execute(select(webhooks).where(webhooks.c.id == key, webhooks.c.active)).one_or_none()
        if row is not None:
            connection.execute(update(webhooks).where(webhooks.c.id == key).values(active=False))
            connection.execute(delete(deliveries).where(deliveries.c.webhook_id == key))
            audit.append(connection, store, "webhook", row.gallery_id, webhook=key, state="gone")


def _good_owners(connection: Connection, owners: set[str]) -> Mapping[str, frozenset[str] | None]:
    """The galleries that each of these owners may still reach, None: all; without those whose key is no longer good."""
    ids = [owner.removeprefix(_OF_KEY) for owner in owners if owner.startswith(_OF_KEY)]
    good = (api_keys.c.revoked.is_(None), or_(api_keys.c.expires.is_(None), api_keys.c.expires > moment()))
    rows = connection.execute(select(api_keys.c.id, api_keys.c.galleries).where(api_keys.c.id.in_(ids), *good))
    found = {_OF_KEY + row.id: None if row.galleries is None else frozenset(row.galleries) for row in rows}
    return {**{owner: None for owner in owners if not owner.startswith(_OF_KEY)}, **found}


def _found(*which: ColumnElement[bool]) -> Select[Any]:
    own = deliveries.c.webhook_id == webhooks.c.id
    count = select(func.count()).where(own).scalar_subquery()
    first = select(deliveries.c.error).where(own).order_by(deliveries.c.id).limit(1).scalar_subquery()
    named = select(webhooks, galleries.c.name.label("gallery"), count.label("waiting"), first.label("error"))
    return named.outerjoin(galleries, galleries.c.id == webhooks.c.gallery_id).where(*which)


def _webhook(row: Row[Any]) -> Webhook:
    about = (row.id, row.url, tuple(row.events), row.gallery, row.owner, bool(row.active), when(row.created))
    return Webhook(*about, row.waiting, row.error)
