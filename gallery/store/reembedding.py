"""From one generation of a gallery to another: which templates wait to be embedded again, and their new ones.

What is done and what waits is read off the templates themselves (`origin`), so that a migration which was killed goes
on where it was, and whatever comes or goes meanwhile counts at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, Row, exists, func, or_, select

from gallery.keys.sealing import Sealer, bound_to
from gallery.keys.transform import apply
from gallery.store import audit, feed, reading
from gallery.store.bulk import among
from gallery.store.generations import generation_head
from gallery.store.moments import moment
from gallery.store.placing import Owner, Plain, make_owner, metadata_of, owner_of, place, plain_templates
from gallery.store.rows import Head
from gallery.store.schema import subjects, templates, vault
from gallery.store.secrets import unsealed
from gallery.store.store import Store
from model.sequence import Floats

_twin = templates.alias("twin")


@dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """A template that has no counterpart yet. subject: key in its own generation; packed: see `gallery/vault.py`."""

    template: int
    subject: int
    packed: bytes


@dataclass(frozen=True, slots=True)
class Behind:
    """What cannot come along, because the vault has no skeleton of it. subjects: names of those of whom nothing can;
    templates: how many, of others."""

    subjects: tuple[str, ...]
    templates: int


def waiting(connection: Connection, store: Store, source: int, target: int, after: int, limit: int) -> list[Waiting]:
    """At most `limit` templates of generation `source`, by number and behind `after`, that have a skeleton and no
    counterpart in `target`."""
    columns = (templates.c.id, templates.c.subject_id, vault.c.skeleton)
    wanted = (
        select(*columns, subjects.c.gallery_id, subjects.c.data_key, subjects.c.wrapped_by)
        .join(subjects, subjects.c.id == templates.c.subject_id)
        .join(vault, vault.c.template_id == templates.c.id)
        .where(templates.c.gallery_id == source, templates.c.id > after, _current(), ~_has_twin(target), _kept())
        .order_by(templates.c.id)
        .limit(limit)
    )
    return [
        Waiting(row.id, row.subject_id, _skeleton(connection, store, row)) for row in connection.execute(wanted).all()
    ]


def _skeleton(connection: Connection, store: Store, row: Any) -> bytes:
    own = _Key(row.subject_id, row.gallery_id, row.data_key, row.wrapped_by)
    sealer = Sealer(store.secrets.data_key(connection, own))
    return unsealed(sealer, row.skeleton, bound_to("skeleton", row.gallery_id, row.subject_id))


@dataclass(frozen=True, slots=True)
class _Key:
    id: int
    gallery_id: int
    data_key: bytes
    wrapped_by: int


def _current() -> ColumnElement[bool]:
    """Whoever has expired is about to be purged, unless held."""
    return or_(subjects.c.expires.is_(None), subjects.c.expires > moment(), subjects.c.hold.is_not(None))


def _kept() -> ColumnElement[bool]:
    return vault.c.expires > moment()


def _is_done(target: int) -> ColumnElement[bool]:
    """Has a counterpart: for questions about all templates, which read the other generation once."""
    done = select(func.coalesce(_twin.c.origin, _twin.c.id)).where(_twin.c.gallery_id == target)
    return func.coalesce(templates.c.origin, templates.c.id).in_(done)


def _has_twin(target: int) -> ColumnElement[bool]:
    """Has a counterpart: for questions about a few templates, each of which is looked up."""
    origin = func.coalesce(templates.c.origin, templates.c.id)
    # The sum keeps databases from looking through all of the generation instead of for the one number.
    there = _twin.c.gallery_id + 0 == target
    return or_(exists().where(_twin.c.id == origin, there), exists().where(_twin.c.origin == origin, there))


def count_waiting(store: Store, source: int, target: int) -> int:
    """How many templates wait."""
    with store.read() as connection:
        wanted = (
            select(func.count())
            .select_from(templates)
            .join(subjects, subjects.c.id == templates.c.subject_id)
            .join(vault, vault.c.template_id == templates.c.id)
            .where(templates.c.gallery_id == source, _current(), ~_is_done(target), _kept())
        )
        return connection.scalar(wanted) or 0


def behind(connection: Connection, source: int, target: int, refused: Sequence[int] = (), after: int = 0) -> Behind:
    """What of `source` has no counterpart in `target` and will get none: it has no skeleton, or is `refused` (numbers
    of templates). target: 0 where there is none yet. after: look at templates with higher numbers only."""
    hopeless = or_(vault.c.template_id.is_(None), ~_kept())
    if refused:
        hopeless = or_(hopeless, among(connection, templates.c.id, refused))
    done = _has_twin(target) if after else _is_done(target)
    lost = (
        select(subjects.c.name, func.count())
        .select_from(templates)
        .join(subjects, subjects.c.id == templates.c.subject_id)
        .outerjoin(vault, vault.c.template_id == templates.c.id)
        .where(templates.c.gallery_id == source, templates.c.id > after, _current(), ~done, hopeless)
        .group_by(subjects.c.name)
    )
    held = {row[0]: row[1] for row in connection.execute(lost)}
    if not held:
        return Behind((), 0)
    of_all = (
        select(subjects.c.name, func.count())
        .join(templates, templates.c.subject_id == subjects.c.id)
        .where(subjects.c.gallery_id == source, among(connection, subjects.c.name, sorted(held)))
        .group_by(subjects.c.name)
    )
    whole = {name for name, count in connection.execute(of_all) if held[name] == count}
    return Behind(tuple(sorted(whole)), sum(count for name, count in held.items() if name not in whole))


def newest_template(connection: Connection) -> int:
    """The highest number that a template has: whatever comes later has a higher one."""
    return connection.scalar(select(func.max(templates.c.id))) or 0


def add(connection: Connection, store: Store, target: Head, done: Sequence[tuple[Waiting, Floats]]) -> int:
    """Keep the new embeddings (dim,) of templates that waited, in the caller's transaction; returns how many.

    Those that were erased, or done by another process, meanwhile are passed over. Consent, labels, age and what is
    left of the skeletons' time go along.
    """
    transform = reading.transform(connection, store.secrets, target)
    fresh = dict(_fresh(connection, target.key, done, transform))
    rows = connection.execute(
        select(subjects).where(among(connection, subjects.c.id, sorted({each.subject for each, _ in done})))
    ).all()
    given: list[tuple[Owner, Plain]] = []
    for row in rows:
        mine = [each.template for each, _ in done if each.subject == row.id and each.template in fresh]
        items = plain_templates(connection, store, row, mine) if mine else []
        if items:
            owner = _owner(connection, store, target.key, row)
            given += [(owner, replace(item, embedding=fresh[item.id], origin=item.origin or item.id)) for item in items]
    place(connection, store, target.fingerprint, given)
    if given:
        audit.append(connection, store, "migrate", target.key, templates=len(given))
    return len(given)


def _fresh(
    connection: Connection, target: int, done: Sequence[tuple[Waiting, Floats]], transform: Floats | None
) -> list[tuple[int, bytes]]:
    """Number and embedding of those that are there and still have no counterpart."""
    if not done:
        return []
    embeddings = np.stack([embedding for _, embedding in done]).astype(np.float32)
    if transform is not None:
        embeddings = apply(transform, embeddings)
    wanted = select(templates.c.id).where(
        among(connection, templates.c.id, [each.template for each, _ in done]), ~_has_twin(target)
    )
    still = set(connection.scalars(wanted))
    return [
        (each.template, row.astype("<f4").tobytes())
        for (each, _), row in zip(done, embeddings, strict=True)
        if each.template in still
    ]


def _owner(connection: Connection, store: Store, target: int, row: Row[Any]) -> Owner:
    """The subject of `row` in another generation, made if it is not there."""
    there = select(subjects).where(subjects.c.gallery_id == target, subjects.c.name == row.name)
    found = connection.execute(there).one_or_none()
    if found is not None:
        return owner_of(connection, store, found)
    return make_owner(connection, store, target, row.name, row, metadata_of(connection, store, row))


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Templates that two generations both have. old: (n, dim before), new: (n, dim after) embeddings; subjects: (n,)
    keys in the old one."""

    old: Floats
    new: Floats
    subjects: NDArray[np.int64]


def pairs(store: Store, source: int, target: int) -> Pairs:
    """The templates that two generations of a gallery both have, as they are searched."""
    with store.read() as connection:
        before, after = (
            feed.everything(connection, store.secrets, generation_head(connection, key)) for key in (source, target)
        )
        wanted = select(templates.c.id, func.coalesce(templates.c.origin, templates.c.id))
        rows = connection.execute(wanted.where(templates.c.gallery_id.in_((source, target))))
        origin = {row[0]: row[1] for row in rows}
    of_old = np.array([origin[key] for key in before.ids.tolist()], np.int64)
    of_new = np.array([origin[key] for key in after.ids.tolist()], np.int64)
    _, old, new = np.intersect1d(of_old, of_new, return_indices=True)
    return Pairs(before.embeddings[old], after.embeddings[new], before.subjects[old])
