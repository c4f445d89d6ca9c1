"""What a cache asks before every search: is there anything new, and are those that it found still there?

Both are asked for every probe, so they are spelled out once and read in one statement each.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, bindparam, case, cast, func, or_, select, type_coerce

from gallery.store.bulk import Question, as_value, is_among
from gallery.store.moments import moment
from gallery.store.rows import Head
from gallery.store.schema import changes, galleries, identity, secrets, subjects, templates
from gallery.template import State
from model.errors import UnknownGallery

_last = select(func.max(changes.c.seq)).where(changes.c.gallery_id == galleries.c.id).scalar_subquery()
# A restored store and a new transform both make a new epoch. Numbers of secrets are never used again.
_transform = select(func.max(secrets.c.id)).where(secrets.c.gallery_id == galleries.c.id, secrets.c.kind == "transform")
_epoch = cast(func.coalesce(select(func.max(identity.c.epoch)).scalar_subquery(), 0), BigInteger) * 2**32 + case(
    (galleries.c.protected, func.coalesce(_transform.scalar_subquery(), 0)), else_=0
)
_HEADS = select(
    galleries.c.id,
    galleries.c.name,
    galleries.c.fingerprint,
    galleries.c.dim,
    type_coerce(func.coalesce(_last, 0), BigInteger),
    galleries.c.templates,
    galleries.c.content,
    type_coerce(_epoch, BigInteger),
    galleries.c.protected,
    galleries.c.vault_days,
)
# Generations that are being filled, or were replaced, have no name that anybody can ask for.
_ANSWERING = _HEADS.where(galleries.c.state == State.ACTIVE.value)
_HEAD = Question(lambda _: _ANSWERING.where(galleries.c.name == bindparam("name")))
_ALL = Question(lambda _: _ANSWERING.order_by(galleries.c.id))
_GENERATION = Question(lambda _: _HEADS.where(galleries.c.id == bindparam("key")))
_OWNERS = Question(
    lambda kind: (
        select(templates.c.id, subjects.c.name)
        .join(subjects, subjects.c.id == templates.c.subject_id)
        .where(
            is_among(kind, templates.c.id, bindparam("ids")),
            or_(subjects.c.expires.is_(None), subjects.c.expires > bindparam("now")),
        )
    )
)


def head(connection: Connection, name: str) -> Head:
    for row in _HEAD.ask(connection, name=name):
        return _head(row)
    raise UnknownGallery(name)


def generation(connection: Connection, key: int) -> Head | None:
    """A gallery by its key, whether it answers or not; None if it is gone."""
    for row in _GENERATION.ask(connection, key=key):
        return _head(row)
    return None


def heads(connection: Connection) -> list[Head]:
    """Of all galleries that answer, by key."""
    return [_head(row) for row in _ALL.ask(connection)]


def _head(row: tuple[Any, ...]) -> Head:
    key, name, fingerprint, dim, seq, count, content, epoch, protected, vault_days = row
    # SQLite's truth is a number.
    return Head(key, name, fingerprint, dim, seq, count, content, epoch, bool(protected), vault_days)


def owners(connection: Connection, ids: Sequence[int]) -> Mapping[int, str]:
    """The subject of each of these templates that is there and whose subject has not expired."""
    given = as_value(connection.dialect.name, ids)
    return dict(_OWNERS.ask(connection, ids=given, now=moment()))
