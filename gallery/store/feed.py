"""A gallery's templates for those who keep them in memory: all of them, or what happened since."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from sqlalchemy import Connection, Select, func, select

from gallery.keys.sealing import Sealer, bound_to
from gallery.store.reading import matrix
from gallery.store.rows import NEVER, Change, Head, Rows, Stored, Update
from gallery.store.schema import changes, subjects, templates
from gallery.store.secrets import Secrets, unsealed
from model.sequence import Floats

_CHUNK = 2000

_ROWS = select(
    templates.c.id,
    templates.c.subject_id,
    templates.c.mark,
    func.coalesce(subjects.c.expires, NEVER),
    templates.c.embedding,
    subjects.c.data_key,
    subjects.c.wrapped_by,
).join(subjects, subjects.c.id == templates.c.subject_id)


def everything(connection: Connection, secrets: Secrets, at: Head) -> Rows:
    """All templates of a gallery, to build a cache of them."""
    count = connection.scalar(select(func.count()).where(templates.c.gallery_id == at.key)) or 0
    return _rows(connection, secrets, at, _ROWS.where(templates.c.gallery_id == at.key), count)


def update(connection: Connection, secrets: Secrets, at: Head, since: int) -> Update:
    """What happened to a gallery after change `since`."""
    later = (changes.c.gallery_id == at.key, changes.c.seq > since)
    log = connection.execute(select(changes.c.kind, changes.c.subject_id, changes.c.template_id).where(*later)).all()
    erased = [template for kind, _, template in log if kind == Change.TEMPLATE_ERASED]
    came = _ROWS.join(changes, changes.c.template_id == templates.c.id).where(*later, changes.c.kind == Change.ENROLLED)
    count = sum(kind == Change.ENROLLED for kind, _, _ in log)
    added = _rows(connection, secrets, at, came, count)
    touched = sorted({subject for kind, subject, _ in log if kind == Change.SUBJECT_CHANGED})
    expires = _expiries(connection, touched)
    return Update(
        seq=at.seq,
        added=added,
        removed=np.array(erased, np.int64),
        recalibrated=any(kind == Change.CALIBRATED for kind, _, _ in log),
        changed_subjects=np.array(list(expires), np.int64),
        changed_expires=np.array(list(expires.values()), np.int64),
    )


def _expiries(connection: Connection, keys: Sequence[int]) -> dict[int, int]:
    """When each of these subjects that is there expires."""
    found: dict[int, int] = {}
    for start in range(0, len(keys), _CHUNK):
        wanted = select(subjects.c.id, subjects.c.expires).where(subjects.c.id.in_(keys[start : start + _CHUNK]))
        found.update((key, NEVER if expires is None else expires) for key, expires in connection.execute(wanted))
    return found


def stored(connection: Connection, secrets: Secrets, ids: Sequence[int], dim: int) -> dict[int, Stored]:
    wanted = select(templates.c.id, templates.c.embedding, subjects).join(
        subjects, subjects.c.id == templates.c.subject_id
    )
    found = {}
    for row in connection.execute(wanted.where(templates.c.id.in_(ids))).all():
        owner = SimpleNamespace(id=row[2], gallery_id=row.gallery_id, data_key=row.data_key, wrapped_by=row.wrapped_by)
        sealer = Sealer(secrets.data_key(connection, owner))
        blob = unsealed(sealer, row.embedding, bound_to("embedding", row.gallery_id, row[2]))
        found[row[0]] = Stored(row.name, matrix([blob], dim)[0])
    return found


def _rows(connection: Connection, secrets: Secrets, at: Head, wanted: Select[Any], at_most: int) -> Rows:
    """Rows of a selection of templates, read in chunks into arrays that are made once."""
    numbers = np.empty((4, at_most), np.int64)
    embeddings: Floats = np.empty((at_most, at.dim), np.float32)
    opener = _Opener(connection, secrets, at)
    end = 0
    with connection.execute(wanted.order_by(templates.c.id), execution_options={"yield_per": _CHUNK}) as found:
        for chunk in found.partitions(_CHUNK):
            start, end = end, end + len(chunk)
            ids, owners, marks, expires, sealed, data_keys, wrapped_by = zip(*chunk, strict=True)
            numbers[:, start:end] = ids, owners, marks, expires
            embeddings[start:end] = matrix(opener.open(owners, sealed, data_keys, wrapped_by), at.dim)
    ids_, owners_, marks_, expires_ = numbers[:, :end]
    return Rows(ids_, owners_, embeddings[:end], marks_, expires_)


class _Opener:
    """Unseals embeddings; neighbours are often of one subject, whose key is then unwrapped once."""

    def __init__(self, connection: Connection, secrets: Secrets, at: Head) -> None:
        self._connection, self._secrets, self._gallery = connection, secrets, at.key
        self._owner, self._sealer, self._bound = 0, Sealer(bytes(32)), b""

    def open(
        self, owners: Sequence[int], sealed: Sequence[bytes], data_keys: Sequence[bytes], wrapped_by: Sequence[int]
    ) -> list[bytes]:
        found = []
        for owner, blob, data_key, number in zip(owners, sealed, data_keys, wrapped_by, strict=True):
            if owner != self._owner:
                wrapper = self._secrets.sealer(self._connection, number)
                key = unsealed(wrapper, data_key, bound_to("data key", self._gallery, owner))
                self._owner, self._sealer = owner, Sealer(key)
                self._bound = bound_to("embedding", self._gallery, owner)
            found.append(unsealed(self._sealer, blob, self._bound))
        return found
