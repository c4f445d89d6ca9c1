"""A gallery's templates for those who keep them in memory: all of them, or what happened since."""

from collections.abc import Sequence
from contextlib import closing
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, func, select

from gallery.keys.sealing import Sealer, bound_to
from gallery.store.bulk import among, stream
from gallery.store.rows import NEVER, Change, Head, Rows, Update
from gallery.store.schema import changes, subjects, templates
from gallery.store.secrets import DAMAGED, Secrets, unsealed
from model.errors import InvalidArchive, StoreUnavailable
from model.sequence import Floats


def everything(connection: Connection, secrets: Secrets, at: Head) -> Rows:
    """All templates of a gallery, to build a cache of them."""
    count = connection.scalar(select(func.count()).where(templates.c.gallery_id == at.key)) or 0
    here = templates.c.gallery_id == at.key
    return _rows(connection, secrets, at, here, subjects.c.gallery_id == at.key, count)


def update(connection: Connection, secrets: Secrets, at: Head, since: int) -> Update:
    """What happened to a gallery after change `since`."""
    later = (changes.c.gallery_id == at.key, changes.c.seq > since)
    log = connection.execute(select(changes.c.kind, changes.c.subject_id, changes.c.template_id).where(*later)).all()
    came = [(key, owner) for kind, owner, key in log if kind == Change.ENROLLED]
    touched = sorted({owner for kind, owner, _ in log if kind == Change.SUBJECT_CHANGED})
    changed, expires = _expiries(connection, touched)
    return Update(
        seq=at.seq,
        added=_some(connection, secrets, at, came),
        removed=np.array([key for kind, _, key in log if kind == Change.TEMPLATE_ERASED], np.int64),
        recalibrated=any(kind == Change.CALIBRATED for kind, _, _ in log),
        changed_subjects=changed,
        changed_expires=expires,
    )


def _some(connection: Connection, secrets: Secrets, at: Head, came: Sequence[tuple[int, int]]) -> Rows:
    """Those of these (template, subject) that are still there."""
    if not came:
        none = np.empty(0, np.int64)
        return Rows(none, none, np.empty((0, at.dim), np.float32), none, none)
    here = among(connection, templates.c.id, [key for key, _ in came])
    owners = among(connection, subjects.c.id, sorted({owner for _, owner in came}))
    return _rows(connection, secrets, at, here, owners, len(came))


def _expiries(connection: Connection, keys: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Those of these subjects that are there, and when each expires."""
    if not keys:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    wanted = select(subjects.c.id, func.coalesce(subjects.c.expires, NEVER)).where(
        among(connection, subjects.c.id, keys)
    )
    found = np.array([tuple(row) for row in connection.execute(wanted)], np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _rows(
    connection: Connection, secrets: Secrets, at: Head, here: ColumnElement[bool], owned: ColumnElement[bool], most: int
) -> Rows:
    """The templates `here`, of the subjects `owned`: read in chunks into arrays that are made once."""
    opener = _Opener(connection, secrets, at, owned)
    numbers = np.empty((3, most), np.int64)
    embeddings: Floats = np.empty((most, at.dim), "<f4")
    columns = (templates.c.id, templates.c.subject_id, templates.c.mark, templates.c.embedding)
    end = 0
    with closing(stream(connection, select(*columns).where(here).order_by(templates.c.id))) as chunks:
        for chunk in chunks:
            start, end = end, end + len(chunk)
            *plain, sealed = zip(*chunk, strict=True)
            numbers[:, start:end] = plain
            opener.open(plain[1], sealed, embeddings[start:end])
    ids, owners, marks = numbers[:, :end]
    return Rows(ids, owners, embeddings[:end], marks, opener.expires(owners))


class _Opener:
    """Unseals embeddings. Neighbours are often of one subject, whose key is then unwrapped once."""

    def __init__(self, connection: Connection, secrets: Secrets, at: Head, owned: ColumnElement[bool]) -> None:
        self._connection, self._secrets, self._gallery = connection, secrets, at.key
        self._held: dict[int, tuple[int, bytes, int]] = {}
        columns = (subjects.c.id, func.coalesce(subjects.c.expires, NEVER), subjects.c.data_key, subjects.c.wrapped_by)
        with closing(stream(connection, select(*columns).where(owned).order_by(subjects.c.id))) as chunks:
            for chunk in chunks:
                self._held.update((key, (expires, data_key, number)) for key, expires, data_key, number in chunk)
        self._owner, self._bound = -1, b""
        self._sealer: Any = None

    def open(self, owners: Sequence[int], sealed: Sequence[bytes], out: Floats) -> None:
        """Unseal templates of these subjects into `out` (n, dim). Raises `StoreUnavailable` where one is damaged."""
        view, size, place = out.data.cast("B"), out.shape[1] * out.itemsize, 0
        try:
            for owner, blob in zip(owners, sealed, strict=True):
                if owner != self._owner:
                    self._turn_to(owner)
                self._sealer.unseal_into(blob, self._bound, view[place : place + size])
                place += size
        except (InvalidArchive, TypeError, KeyError) as error:
            raise StoreUnavailable(DAMAGED) from error

    def _turn_to(self, owner: int) -> None:
        _, data_key, number = self._held[owner]
        wrapper = self._secrets.sealer(self._connection, number)
        self._sealer = Sealer(unsealed(wrapper, data_key, bound_to("data key", self._gallery, owner)))
        self._owner, self._bound = owner, bound_to("embedding", self._gallery, owner)

    def expires(self, owners: NDArray[np.int64]) -> NDArray[np.int64]:
        """When each of these subjects expires."""
        return np.fromiter((self._held[owner][0] for owner in owners.tolist()), np.int64, len(owners))
