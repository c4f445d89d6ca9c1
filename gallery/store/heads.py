"""What a cache asks before every search: is there anything new, and are those that it found still there?

Both are asked for every probe, so they are spelled out once and read in one statement each.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import BigInteger, Connection, bindparam, case, cast, func, or_, select, type_coerce

from gallery.store.moments import moment
from gallery.store.rows import Head
from gallery.store.schema import changes, galleries, identity, secrets, subjects, templates
from gallery.template import State
from model.errors import UnknownGallery

_CHUNK = 2000

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
_HEAD = _ANSWERING.where(galleries.c.name == bindparam("name"))
_GENERATION = _HEADS.where(galleries.c.id == bindparam("key"))
_OWNERS = (
    select(templates.c.id, subjects.c.name)
    .join(subjects, subjects.c.id == templates.c.subject_id)
    .where(
        templates.c.id.in_(bindparam("ids", expanding=True)),
        or_(subjects.c.expires.is_(None), subjects.c.expires > bindparam("now")),
    )
)


def head(connection: Connection, name: str) -> Head:
    row = connection.execute(_HEAD, {"name": name}).one_or_none()
    if row is None:
        raise UnknownGallery(name)
    return Head(*row)


def generation(connection: Connection, key: int) -> Head | None:
    """A gallery by its key, whether it answers or not; None if it is gone."""
    row = connection.execute(_GENERATION, {"key": key}).one_or_none()
    return None if row is None else Head(*row)


def heads(connection: Connection) -> list[Head]:
    """Of all galleries that answer, by key."""
    return [Head(*row) for row in connection.execute(_ANSWERING.order_by(galleries.c.id))]


def owners(connection: Connection, ids: Sequence[int]) -> Mapping[int, str]:
    """The subject of each of these templates that is there and whose subject has not expired."""
    found: dict[int, str] = {}
    now = moment()
    for start in range(0, len(ids), _CHUNK):
        rows = connection.execute(_OWNERS, {"ids": ids[start : start + _CHUNK], "now": now})
        found.update((key, name) for key, name in rows)
    return found
