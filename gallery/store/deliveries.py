"""What webhooks are still to be told.

A delivery that names a subject goes with that subject. One that is being tried is due again only after a while, so that
of several processes one tries it, and another one should that process be killed. In their order: what is not received
holds up what is behind it, until it has been refused so often (`STUBBORN`) that it has itself to blame.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from gallery.store import audit
from gallery.store.moments import moment, when
from gallery.store.schema import deliveries, galleries, subjects, webhooks
from gallery.store.store import Store

# What one receiver that does not answer may leave behind here.
WAITING_AT_MOST: Final = 10_000
STUBBORN: Final = 5
_SECOND = 1_000_000

# Spelled out once: they are asked for as long as the service runs.
_ANY_DUE = select(deliveries.c.id).where(deliveries.c.due <= bindparam("now")).limit(1)
_earlier = deliveries.alias("earlier")
_held_up = select(_earlier.c.id).where(
    _earlier.c.webhook_id == deliveries.c.webhook_id,
    _earlier.c.id < deliveries.c.id,
    _earlier.c.attempts < STUBBORN,
)
_DUE = (
    select(deliveries, webhooks.c.url, webhooks.c.secret)
    .join(webhooks, webhooks.c.id == deliveries.c.webhook_id)
    .where(deliveries.c.due <= bindparam("now"), webhooks.c.active, ~_held_up.exists())
    .order_by(deliveries.c.due, deliveries.c.id)
    .limit(bindparam("limit"))
)


@dataclass(frozen=True, slots=True)
class News:
    """What a webhook is to be told. subject: who is named in the body, if anybody is."""

    webhook: str
    gallery: str
    subject: str | None
    body: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One to be made now. attempts: this one included. secret: what it is signed with."""

    id: int
    webhook: str
    url: str
    body: str
    attempts: int
    secret: bytes
    created: datetime


def add_deliveries(store: Store, news: Sequence[News], *, at_most: int = WAITING_AT_MOST) -> int:
    """Put what is to be told where it outlives this process; returns how many there was no room for.

    at_most: deliveries that wait for one webhook. What is about a gallery or a subject that is gone is not told.
    """
    with store.write() as connection:
        known = {(each.gallery, each.subject): _about(connection, each) for each in news}
        there = _waiting(connection, {each.webhook for each in news})
        rows, left_out = [], 0
        for each in news:
            found, subject_id = known[each.gallery, each.subject]
            if not found or each.webhook not in there:
                continue
            if there[each.webhook] >= at_most:
                left_out += 1
                continue
            there[each.webhook] += 1
            rows.append({"webhook_id": each.webhook, "subject_id": subject_id, "body": each.body})
        first, now = store.next_keys(connection, "deliveries", len(rows)), moment()
        for key, row in enumerate(rows, first):
            row |= {"id": key, "attempts": 0, "due": now, "error": None, "created": now}
        if rows:
            connection.execute(insert(deliveries), rows)
    return left_out


def due_deliveries(store: Store, limit: int, hold_s: float) -> list[Delivery]:
    """At most `limit` that are to be tried now; nobody else is given them for `hold_s`."""
    now = moment()
    with store.ask() as connection:  # asked often: that must not keep writers waiting
        if connection.scalar(_ANY_DUE, {"now": now}) is None:
            return []
    with store.write() as connection:
        rows = connection.execute(_DUE, {"now": now, "limit": limit}).all()
        taken = update(deliveries).where(deliveries.c.id.in_([row.id for row in rows]))
        if rows:
            connection.execute(taken.values(due=now + int(hold_s * _SECOND), attempts=deliveries.c.attempts + 1))
        return [_delivery(connection, store, row) for row in rows]


def received(store: Store, delivery: int) -> None:
    with store.write() as connection:
        connection.execute(delete(deliveries).where(deliveries.c.id == delivery))


def not_received(store: Store, delivery: int, error: str, again_s: float) -> None:
    """Try it again after so many seconds."""
    due = moment() + int(again_s * _SECOND)
    with store.write() as connection:
        change = update(deliveries).where(deliveries.c.id == delivery)
        connection.execute(change.values(due=due, error=error[:256]))


def give_up(store: Store, delivery: int, error: str) -> None:
    """Forget a delivery that was tried for long enough; the audit log keeps that it was."""
    with store.write() as connection:
        row = connection.execute(
            select(deliveries.c.webhook_id, deliveries.c.attempts, webhooks.c.gallery_id)
            .join(webhooks, webhooks.c.id == deliveries.c.webhook_id)
            .where(deliveries.c.id == delivery)
        ).one_or_none()
        if row is not None:
            connection.execute(delete(deliveries).where(deliveries.c.id == delivery))
            about = {"webhook": row.webhook_id, "delivery": delivery, "attempts": row.attempts, "error": error[:64]}
            audit.append(connection, store, "webhook_given_up", row.gallery_id, **about)


def _about(connection: Connection, news: News) -> tuple[bool, int | None]:
    """Whether what the news is about is there, and the key of the subject that it names."""
    key = connection.scalar(select(galleries.c.id).where(galleries.c.name == news.gallery))
    if key is None or news.subject is None:
        return key is not None, None
    wanted = select(subjects.c.id).where(subjects.c.gallery_id == key, subjects.c.name == news.subject)
    subject: int | None = connection.scalar(wanted)
    return subject is not None, subject


def _waiting(connection: Connection, keys: set[str]) -> dict[str, int]:
    """How many deliveries wait for each of these webhooks that is there."""
    count = select(func.count()).where(deliveries.c.webhook_id == webhooks.c.id).scalar_subquery()
    rows = connection.execute(select(webhooks.c.id, count).where(webhooks.c.id.in_(keys), webhooks.c.active))
    return {key: number for key, number in rows}  # noqa: C416  a result is a mapping to `dict`


def _delivery(connection: Connection, store: Store, row: Any) -> Delivery:
    secret = store.secrets.key(connection, row.secret)
    return Delivery(row.id, row.webhook_id, row.url, row.body, row.attempts + 1, secret, when(row.created))
