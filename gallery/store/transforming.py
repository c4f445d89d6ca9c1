"""A new secret transform for a protected gallery: what anybody knew of its templates under the old one is of no use.

One transaction, since templates under two transforms cannot be searched together; other writers wait for it. The
head's epoch changes with it, so that every process throws away what it made under the old transform.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import xor
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, delete, select, update

from gallery.keys.sealing import Sealer, bound_to, mark_of
from gallery.keys.transform import apply, from_bytes, new_transform, to_bytes
from gallery.store import audit
from gallery.store.enrolling import log
from gallery.store.heads import head
from gallery.store.reading import family_of, matrix
from gallery.store.rows import Change
from gallery.store.schema import galleries, secrets, snapshots, subjects, templates
from gallery.store.secrets import unsealed
from gallery.template import State
from model.errors import InvalidRequest

if TYPE_CHECKING:
    from gallery.store.store import Store

BATCH = 2000

Progress: TypeAlias = Callable[[int, int], None]

_ROWS = select(
    templates.c.id, templates.c.embedding, subjects.c.id.label("owner"), subjects.c.data_key, subjects.c.wrapped_by
).join(subjects, subjects.c.id == templates.c.subject_id)


@dataclass(frozen=True, slots=True, eq=False)
class _Turn:
    """matrix: from under the old transform to under the new one, (dim, dim)."""

    gallery: int
    dim: int
    matrix: NDArray[np.float64]


def rotate_transform(store: "Store", name: str, progress: Progress | None = None) -> int:
    """A new transform for a protected gallery and all its generations; returns how many templates were turned.

    progress: called with what is done and what is to do; may raise, and then nothing has changed. Raises
    `UnknownGallery`, `InvalidRequest` where it is not protected or a change of encoder is under way.
    """
    with store.write() as connection:
        at = head(connection, name)
        if not at.protected:
            raise InvalidRequest("gallery", f"{name!r} is not protected, so it has no transform")
        family = galleries.c.family == family_of(connection, at)
        rows = connection.execute(select(galleries).where(family, galleries.c.protected).order_by(galleries.c.id)).all()
        if any(row.state == State.BUILDING for row in rows):
            raise InvalidRequest("gallery", f"a change of encoder of {name!r} is under way; finish it first")
        total = sum(row.templates for row in rows)
        done = 0
        for row in rows:
            done = _turn_all(connection, store, row, done, total, progress)
    return done


def _turn_all(
    connection: Connection, store: "Store", gallery: Row[Any], done: int, total: int, progress: Progress | None
) -> int:
    old = store.secrets.newest(connection, gallery.id, "transform")
    if old is None:
        raise InvalidRequest("gallery", f"{gallery.name!r} has no transform")
    new = new_transform(gallery.dim)
    back = from_bytes(old.key, gallery.dim).T.astype(np.float64)
    turn = _Turn(gallery.id, gallery.dim, back @ new.astype(np.float64))
    after, content = 0, 0
    wanted = _ROWS.where(templates.c.gallery_id == gallery.id).order_by(templates.c.id).limit(BATCH)
    while batch := connection.execute(wanted.where(templates.c.id > after)).all():
        content ^= _turn_batch(connection, store, turn, batch)
        after, done = batch[-1].id, done + len(batch)
        if progress is not None:
            progress(done, total)
    number = store.secrets.add(connection, gallery.id, "transform", to_bytes(new))
    _forget(connection, store, gallery.id, number)
    connection.execute(update(galleries).where(galleries.c.id == gallery.id).values(content=content))
    if gallery.state == State.ACTIVE:  # of the others, the last such change says since when they are what they are
        log(connection, store, gallery.id, [(Change.GALLERY_CHANGED, None, None)])
    detail = {"kind": "transform", "key": number, "before": old.number, "templates": gallery.templates}
    audit.append(connection, store, "key_rotated", gallery.id, **detail)
    return done


def _turn_batch(connection: Connection, store: "Store", turn: _Turn, batch: Any) -> int:
    """Seal a batch of templates again, turned; returns the exclusive or of their marks."""
    sealers: dict[int, Sealer] = {}
    for row in batch:
        if row.owner not in sealers:
            wrapper = store.secrets.sealer(connection, row.wrapped_by)
            key = unsealed(wrapper, row.data_key, bound_to("data key", turn.gallery, row.owner))
            sealers[row.owner] = Sealer(key)
    bounds = {owner: bound_to("embedding", turn.gallery, owner) for owner in sealers}
    plain = [unsealed(sealers[row.owner], row.embedding, bounds[row.owner]) for row in batch]
    turned = np.ascontiguousarray(apply(turn.matrix, matrix(plain, turn.dim)), "<f4")
    changed = []
    for row, vector in zip(batch, turned, strict=True):
        sealed = sealers[row.owner].seal(vector.tobytes(), bounds[row.owner])
        changed.append((sealed, mark_of(sealed), row.id))
    place = "?" if connection.dialect.name == "sqlite" else "%s"
    statement = f"UPDATE templates SET embedding = {place}, mark = {place} WHERE id = {place}"  # noqa: S608
    connection.exec_driver_sql(statement, changed)
    return reduce(xor, (mark for _, mark, _ in changed), 0)


def _forget(connection: Connection, store: "Store", gallery: int, number: int) -> None:
    """Destroy the older transforms, and the keys of the snapshots, which are under them."""
    doomed = select(secrets.c.id).where(secrets.c.gallery_id == gallery, secrets.c.id != number)
    for each in connection.scalars(doomed.where(secrets.c.kind.in_(("transform", "snapshot")))).all():
        store.secrets.destroy(connection, each)
    connection.execute(delete(snapshots).where(snapshots.c.gallery_id == gallery))
