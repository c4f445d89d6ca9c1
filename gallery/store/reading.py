"""What is asked of the database. Each function takes a connection and returns values; none keeps a row."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, Select, bindparam, func, select

from gallery.store.rows import Change, Details, Head, Rows, Stored, Update
from gallery.store.schema import changes, galleries, subjects, templates
from gallery.template import Gallery, Subject, Template
from model.errors import StoreUnavailable, UnknownGallery, UnknownSubject
from model.sequence import Floats

CHUNK = 2000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def when(stored: int) -> datetime:
    return EPOCH + stored * MICROSECOND


# Built once: these two are asked for every probe.
_last = select(func.max(changes.c.seq)).where(changes.c.gallery_id == galleries.c.id).scalar_subquery()
_HEAD = select(
    galleries.c.id, galleries.c.name, galleries.c.fingerprint, galleries.c.dim, func.coalesce(_last, 0)
).where(galleries.c.name == bindparam("name"))
_STORED = (
    select(templates.c.id, subjects.c.name, templates.c.embedding)
    .join(subjects, subjects.c.id == templates.c.subject_id)
    .where(templates.c.id.in_(bindparam("ids", expanding=True)))
)


def head(connection: Connection, name: str) -> Head:
    row = connection.execute(_HEAD, {"name": name}).one_or_none()
    if row is None:
        raise UnknownGallery(name)
    return Head(*row)


def details(connection: Connection, name: str | None = None) -> list[Details]:
    """One gallery, or all of them by name, with their sizes."""
    wanted = select(galleries, _count(subjects), _count(templates)).order_by(galleries.c.name)
    if name is not None:
        wanted = wanted.where(galleries.c.name == name)
    found = [
        Details(Gallery(row[1], row[2], row[3], when(row[5]), row[6], row[7]), row[4])
        for row in connection.execute(wanted)
    ]
    if name is not None and not found:
        raise UnknownGallery(name)
    return found


def calibration(connection: Connection, at: Head) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = connection.scalar(select(galleries.c.calibration).where(galleries.c.id == at.key))
    return found


def _count(table: Any) -> Any:
    return select(func.count()).where(table.c.gallery_id == galleries.c.id).scalar_subquery()


def subject_key(connection: Connection, at: Head, subject: str) -> int:
    key = connection.scalar(select(subjects.c.id).where(subjects.c.gallery_id == at.key, subjects.c.name == subject))
    if key is None:
        raise UnknownSubject(at.name, subject)
    return int(key)


def subject_page(connection: Connection, at: Head, after: str, limit: int) -> list[Subject]:
    """At most `limit` subjects whose ids come behind `after`, by id."""
    held = select(func.count()).where(templates.c.subject_id == subjects.c.id).scalar_subquery()
    wanted = (
        select(subjects.c.name, subjects.c.created, held)
        .where(subjects.c.gallery_id == at.key, subjects.c.name > after)
        .order_by(subjects.c.name)
        .limit(limit)
    )
    return [Subject(name, at.name, when(created), count) for name, created, count in connection.execute(wanted)]


def subject(connection: Connection, at: Head, name: str) -> Subject:
    key = subject_key(connection, at, name)
    created = connection.scalar(select(subjects.c.created).where(subjects.c.id == key))
    count = connection.scalar(select(func.count()).where(templates.c.subject_id == key))
    return Subject(name, at.name, when(created or 0), count or 0)


def templates_of(connection: Connection, at: Head, name: str) -> list[Template]:
    """A subject's templates by id, oldest first."""
    key = subject_key(connection, at, name)
    found = connection.execute(select(templates).where(templates.c.subject_id == key).order_by(templates.c.id))
    return [_template(row, at, name) for row in found]


def _template(row: Row[Any], at: Head, subject_name: str) -> Template:
    return Template(
        id=row.id,
        gallery=at.name,
        subject=subject_name,
        embedding=vector(row.embedding, at.dim),
        fingerprint=row.fingerprint,
        labels=row.labels,
        frames=row.frames,
        created=when(row.created),
    )


def sources(connection: Connection, at: Head) -> set[tuple[str, str]]:
    """(subject, source) of every template that has a source."""
    wanted = (
        select(subjects.c.name, templates.c.source)
        .join(subjects, subjects.c.id == templates.c.subject_id)
        .where(templates.c.gallery_id == at.key, templates.c.source.is_not(None))
    )
    return {(name, source) for name, source in connection.execute(wanted)}


def stored(connection: Connection, ids: Sequence[int], dim: int) -> Mapping[int, Stored]:
    """These templates as they are now; those erased are missing."""
    found: dict[int, Stored] = {}
    for start in range(0, len(ids), CHUNK):
        for key, name, embedding in connection.execute(_STORED, {"ids": ids[start : start + CHUNK]}):
            found[key] = Stored(name, vector(embedding, dim))
    return found


def everything(connection: Connection, at: Head) -> Rows:
    """All templates of a gallery, to build a cache of them."""
    count = connection.scalar(select(func.count()).where(templates.c.gallery_id == at.key)) or 0
    return _rows(connection, select(templates).where(templates.c.gallery_id == at.key), count, at.dim)


def update(connection: Connection, at: Head, since: int) -> Update:
    """What happened to a gallery after change `since`."""
    later = (changes.c.gallery_id == at.key, changes.c.seq > since)
    log = connection.execute(select(changes.c.kind, changes.c.template_id).where(*later)).all()
    erased = [template for kind, template in log if kind == Change.TEMPLATE_ERASED]
    count = sum(kind == Change.ENROLLED for kind, _ in log)
    came = (
        select(templates)
        .join(changes, changes.c.template_id == templates.c.id)
        .where(*later, changes.c.kind == Change.ENROLLED)
    )
    added = _rows(connection, came, count, at.dim)
    recalibrated = any(kind == Change.CALIBRATED for kind, _ in log)
    return Update(at.seq, added, np.array(erased, np.int64), recalibrated)


def _rows(connection: Connection, wanted: Select[Any], at_most: int, dim: int) -> Rows:
    """Rows of a selection of templates, read in chunks into arrays that are made once."""
    chosen = wanted.with_only_columns(templates.c.id, templates.c.subject_id, templates.c.embedding)
    ids, owners = np.empty(at_most, np.int64), np.empty(at_most, np.int64)
    embeddings: Floats = np.empty((at_most, dim), np.float32)
    end = 0
    for chunk in _chunks(connection, chosen.order_by(templates.c.id)):
        start, end = end, end + len(chunk)
        keys, subject_keys, blobs = zip(*chunk, strict=True)
        ids[start:end] = keys
        owners[start:end] = subject_keys
        embeddings[start:end] = _matrix(blobs, dim)
    return Rows(ids[:end], owners[:end], embeddings[:end])


def _chunks(connection: Connection, wanted: Select[Any]) -> Iterator[Sequence[Row[Any]]]:
    return connection.execution_options(yield_per=CHUNK).execute(wanted).partitions(CHUNK)


def _matrix(blobs: Sequence[bytes], dim: int) -> Floats:
    joined = b"".join(blobs)
    if len(joined) != len(blobs) * dim * 4 or any(len(blob) != dim * 4 for blob in blobs):
        raise StoreUnavailable("an embedding in it has the wrong length; stop all that use it and restore a backup")
    return np.frombuffer(joined, dtype="<f4").reshape(len(blobs), dim)


def vector(blob: bytes, dim: int) -> Floats:
    return _matrix([blob], dim).reshape(dim)
