"""What is asked of the database. Each function takes a connection and returns values; none keeps a row."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, Row, func, select

from gallery.keys.sealing import Sealer, bound_to
from gallery.store.moments import when
from gallery.store.rows import Details, Head, Sources
from gallery.store.schema import galleries, subjects, templates
from gallery.store.secrets import Secrets, unsealed
from gallery.template import Consent, Gallery, State, Subject, Template
from model.errors import StoreUnavailable, UnknownGallery, UnknownSubject
from model.sequence import Floats


def details(connection: Connection, name: str | None = None) -> list[Details]:
    """One gallery, or all of them by name, with their sizes; those that answer."""
    count = select(func.count()).where(subjects.c.gallery_id == galleries.c.id).scalar_subquery()
    wanted = select(galleries, count.label("subjects")).order_by(galleries.c.name)
    wanted = wanted.where(galleries.c.state == State.ACTIVE.value)
    if name is not None:
        wanted = wanted.where(galleries.c.name == name)
    found = [Details(_gallery(row), row.calibration) for row in connection.execute(wanted)]
    if name is not None and not found:
        raise UnknownGallery(name)
    return found


def _gallery(row: Row[Any]) -> Gallery:
    return Gallery(
        name=row.name,
        fingerprint=row.fingerprint,
        dim=row.dim,
        created=when(row.created),
        subjects=row.subjects,
        templates=row.templates,
        vault_days=row.vault_days,
        protected=row.protected,
        state=State(row.state),
    )


def calibration(connection: Connection, at: Head) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = connection.scalar(select(galleries.c.calibration).where(galleries.c.id == at.key))
    return found


def transform(connection: Connection, secrets: Secrets, at: Head) -> Floats | None:
    """The secret transform (dim, dim) of a protected gallery."""
    from gallery.keys.transform import from_bytes

    found = secrets.newest(connection, at.key, "transform") if at.protected else None
    return None if found is None else from_bytes(found.key, at.dim)


def family_of(connection: Connection, at: Head) -> int:
    """What all generations of this gallery have in common: the key of the first."""
    return int(connection.scalar(select(galleries.c.family).where(galleries.c.id == at.key)) or at.key)


def subject_row(connection: Connection, at: Head, name: str) -> Row[Any]:
    """A subject's row. Raises `UnknownSubject`."""
    wanted = select(subjects).where(subjects.c.gallery_id == at.key, subjects.c.name == name)
    row = connection.execute(wanted).one_or_none()
    if row is None:
        raise UnknownSubject(at.name, name)
    return row


def everywhere(connection: Connection, at: Head, name: str) -> Sequence[Row[Any]]:
    """The rows of a subject in all generations of its gallery, by key."""
    family = family_of(connection, at)
    generations = select(galleries.c.id).where(galleries.c.family == family)
    wanted = select(subjects).where(subjects.c.gallery_id.in_(generations), subjects.c.name == name)
    return connection.execute(wanted.order_by(subjects.c.id)).all()


def subject_page(connection: Connection, secrets: Secrets, at: Head, after: str, limit: int) -> list[Subject]:
    """At most `limit` subjects whose ids come behind `after`, by id."""
    held = select(func.count()).where(templates.c.subject_id == subjects.c.id).scalar_subquery()
    wanted = (
        select(subjects, held.label("held"))
        .where(subjects.c.gallery_id == at.key, subjects.c.name > after)
        .order_by(subjects.c.name)
        .limit(limit)
    )
    return [_subject(connection, secrets, at, row, row.held) for row in connection.execute(wanted).all()]


def subject(connection: Connection, secrets: Secrets, at: Head, name: str) -> Subject:
    row = subject_row(connection, at, name)
    count = connection.scalar(select(func.count()).where(templates.c.subject_id == row.id))
    return _subject(connection, secrets, at, row, count or 0)


def _subject(connection: Connection, secrets: Secrets, at: Head, row: Row[Any], count: int) -> Subject:
    expires = None if row.expires is None else when(row.expires)
    return Subject(
        id=row.name,
        gallery=at.name,
        created=when(row.created),
        templates=count,
        consent=Consent(row.consent, row.purpose, expires),
        hold=row.hold,
        metadata={} if row.metadata is None else _metadata(connection, secrets, row),
    )


def _metadata(connection: Connection, secrets: Secrets, row: Row[Any]) -> Mapping[str, Any]:
    sealer = Sealer(secrets.data_key(connection, row))
    content: Mapping[str, Any] = json.loads(
        unsealed(sealer, row.metadata, bound_to("metadata", row.gallery_id, row.id))
    )
    return content


def templates_of(connection: Connection, secrets: Secrets, at: Head, name: str) -> list[Template]:
    """A subject's templates by id, oldest first."""
    owner = subject_row(connection, at, name)
    sealer = Sealer(secrets.data_key(connection, owner))
    bound = bound_to("embedding", at.key, owner.id)
    found = connection.execute(select(templates).where(templates.c.subject_id == owner.id).order_by(templates.c.id))
    return [
        Template(
            id=row.id,
            gallery=at.name,
            subject=name,
            embedding=vector(unsealed(sealer, row.embedding, bound), at.dim),
            fingerprint=row.fingerprint,
            labels=row.labels,
            frames=row.frames,
            created=when(row.created),
        )
        for row in found
    ]


def sources(connection: Connection, secrets: Secrets, at: Head) -> Sources:
    """(subject, source) of every template that has a source."""
    wanted = (
        select(subjects.c.name, templates.c.source)
        .join(subjects, subjects.c.id == templates.c.subject_id)
        .where(templates.c.gallery_id == at.key, templates.c.source.is_not(None))
    )
    key = secrets.source_key(connection, family_of(connection, at))
    return Sources(key, ((name, source) for name, source in connection.execute(wanted)))


def matrix(blobs: list[bytes], dim: int) -> Floats:
    """Embeddings (n, dim) from their bytes, float32 little-endian."""
    if any(len(blob) != dim * 4 for blob in blobs):
        raise StoreUnavailable("an embedding in it has the wrong length; stop all that use it and restore a backup")
    return np.frombuffer(b"".join(blobs), dtype="<f4").reshape(len(blobs), dim)


def vector(blob: bytes, dim: int) -> Floats:
    return matrix([blob], dim).reshape(dim)
