"""A gallery's templates for those who keep them in memory: all of them, or what happened since."""

from collections.abc import Iterable, Sequence
from contextlib import closing
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, bindparam, func, select

from gallery.keys.sealing import Sealer, bound_to
from gallery.store.bulk import Question, among, as_value, is_among, stream
from gallery.store.rows import NEVER, Change, Head, Rows, Update
from gallery.store.schema import changes, subjects, templates
from gallery.store.secrets import DAMAGED, Secrets, unsealed
from model.errors import InvalidArchive, StoreUnavailable
from model.sequence import Floats

# From so many templates on they are streamed. One enrollment at a time is the rule while a gallery is searched, and
# then it is compiling the statements that takes the time.
_FEW = 500

_TEMPLATES = select(templates.c.id, templates.c.subject_id, templates.c.mark, templates.c.embedding)
_SUBJECTS = select(subjects.c.id, func.coalesce(subjects.c.expires, NEVER), subjects.c.data_key, subjects.c.wrapped_by)
_LOG = Question(
    lambda _: select(changes.c.kind, changes.c.subject_id, changes.c.template_id).where(
        changes.c.gallery_id == bindparam("gallery"), changes.c.seq > bindparam("since")
    )
)
_FEW_TEMPLATES = Question(
    lambda kind: _TEMPLATES.where(is_among(kind, templates.c.id, bindparam("keys"))).order_by(templates.c.id)
)
_FEW_SUBJECTS = Question(lambda kind: _SUBJECTS.where(is_among(kind, subjects.c.id, bindparam("keys"))))

Chunks: TypeAlias = Iterable[Sequence[tuple[Any, ...]]]


def everything(connection: Connection, secrets: Secrets, at: Head) -> Rows:
    """All templates of a gallery, to build a cache of them."""
    count = connection.scalar(select(func.count()).where(templates.c.gallery_id == at.key)) or 0
    with closing(stream(connection, _SUBJECTS.where(subjects.c.gallery_id == at.key))) as chunks:
        opener = _Opener(connection, secrets, at, chunks)
    wanted = _TEMPLATES.where(templates.c.gallery_id == at.key).order_by(templates.c.id)
    with closing(stream(connection, wanted)) as chunks:
        return _rows(at, opener, chunks, count)


def update(connection: Connection, secrets: Secrets, at: Head, since: int) -> Update:
    """What happened to a gallery after change `since`."""
    log = _LOG.ask(connection, gallery=at.key, since=since)
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
    keys, owners = [key for key, _ in came], sorted({owner for _, owner in came})
    if len(keys) < _FEW:
        kind = connection.dialect.name
        held = _FEW_SUBJECTS.ask(connection, keys=as_value(kind, owners))
        found = _FEW_TEMPLATES.ask(connection, keys=as_value(kind, keys))
        return _rows(at, _Opener(connection, secrets, at, [held]), [found], len(keys))
    with closing(stream(connection, _SUBJECTS.where(among(connection, subjects.c.id, owners)))) as chunks:
        opener = _Opener(connection, secrets, at, chunks)
    wanted = _TEMPLATES.where(among(connection, templates.c.id, keys)).order_by(templates.c.id)
    with closing(stream(connection, wanted)) as chunks:
        return _rows(at, opener, chunks, len(keys))


def _expiries(connection: Connection, keys: Sequence[int]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Those of these subjects that are there, and when each expires."""
    if not keys:
        return np.empty(0, np.int64), np.empty(0, np.int64)
    wanted = select(subjects.c.id, func.coalesce(subjects.c.expires, NEVER)).where(
        among(connection, subjects.c.id, keys)
    )
    found = np.array([tuple(row) for row in connection.execute(wanted)], np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _rows(at: Head, opener: "_Opener", chunks: Chunks, most: int) -> Rows:
    """Templates, at most so many, put into arrays that are made once."""
    numbers = np.empty((3, most), np.int64)
    embeddings: Floats = np.empty((most, at.dim), "<f4")
    end = 0
    for chunk in filter(None, chunks):
        start, end = end, end + len(chunk)
        *plain, sealed = zip(*chunk, strict=True)
        numbers[:, start:end] = plain
        opener.open(plain[1], sealed, embeddings[start:end])
    ids, owners, marks = numbers[:, :end]
    return Rows(ids, owners, embeddings[:end], marks, opener.expires(owners))


class _Opener:
    """Unseals embeddings. Neighbours are often of one subject, whose key is then unwrapped once."""

    def __init__(self, connection: Connection, secrets: Secrets, at: Head, subjects: Chunks) -> None:
        self._connection, self._secrets, self._gallery = connection, secrets, at.key
        self._held: dict[int, tuple[int, bytes, int]] = {}
        for chunk in subjects:
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
