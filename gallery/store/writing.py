"""What changes the database. Each function runs in the caller's transaction and adds its rows to the change log."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy import func as sql

from gallery.store import reading
from gallery.store.rows import Added, Change, Head
from gallery.store.schema import changes, galleries, subjects, templates
from gallery.template import Gallery, NewTemplate, now
from model.errors import GalleryExists, UnknownTemplate

CHUNK = 500


def moment() -> int:
    """Now, in microseconds since 1970."""
    return (now() - reading.EPOCH) // reading.MICROSECOND


def _log(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    at = moment()
    blank = {"subject_id": None, "template_id": None, "at": at}
    if rows:
        connection.execute(insert(changes), [{**blank, **row} for row in rows])


def create_gallery(connection: Connection, gallery: Gallery) -> None:
    if connection.scalar(select(galleries.c.id).where(galleries.c.name == gallery.name)) is not None:
        raise GalleryExists(gallery.name)
    row = {"name": gallery.name, "fingerprint": gallery.fingerprint, "dim": gallery.dim, "created": moment()}
    key = connection.execute(insert(galleries).values(row)).inserted_primary_key
    assert key is not None
    _log(connection, [{"kind": Change.GALLERY_CREATED, "gallery_id": key[0]}])


def delete_gallery(connection: Connection, at: Head) -> None:
    for table in (templates, subjects):
        connection.execute(delete(table).where(table.c.gallery_id == at.key))
    connection.execute(delete(galleries).where(galleries.c.id == at.key))
    _log(connection, [{"kind": Change.GALLERY_DELETED, "gallery_id": at.key}])


def set_calibration(connection: Connection, at: Head, calibration: Mapping[str, Any] | None) -> None:
    content = None if calibration is None else dict(calibration)
    connection.execute(update(galleries).where(galleries.c.id == at.key).values(calibration=content))
    _log(connection, [{"kind": Change.CALIBRATED, "gallery_id": at.key}])


def enroll(connection: Connection, at: Head, new: Sequence[NewTemplate]) -> list[Added]:
    """Add templates, and the subjects they need; a source that its subject has already is not added again."""
    owner = _subject_keys(connection, at, sorted({item.subject for item in new}))
    known = _known_sources(connection, new)
    fresh: list[int] = []
    for place, item in enumerate(new):
        mark = (owner[item.subject], item.source)
        if item.source is None or mark not in known:
            fresh.append(place)
            known.add(mark)
    ids = _insert_templates(connection, at, [new[place] for place in fresh], owner)
    kind, key = Change.ENROLLED, at.key
    _log(
        connection,
        [
            {"kind": kind, "gallery_id": key, "subject_id": owner[new[place].subject], "template_id": template}
            for place, template in zip(fresh, ids, strict=True)
        ],
    )
    added = dict(zip(fresh, ids, strict=True))
    return [Added(added.get(place)) for place in range(len(new))]


def _subject_keys(connection: Connection, at: Head, names: Sequence[str]) -> dict[str, int]:
    """Keys of these subjects, which are made where they are missing."""
    keys = _existing_subjects(connection, at, names)
    missing = [name for name in names if name not in keys]
    if missing:
        created = moment()
        rows = [{"gallery_id": at.key, "name": name, "created": created} for name in missing]
        connection.execute(insert(subjects), rows)
        keys |= _existing_subjects(connection, at, missing)
    return keys


def _existing_subjects(connection: Connection, at: Head, names: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for start in range(0, len(names), CHUNK):
        wanted = select(subjects.c.name, subjects.c.id).where(
            subjects.c.gallery_id == at.key, subjects.c.name.in_(names[start : start + CHUNK])
        )
        found.update((name, key) for name, key in connection.execute(wanted))
    return found


def _known_sources(connection: Connection, new: Sequence[NewTemplate]) -> set[tuple[int, str | None]]:
    """(subject, source) of the templates there are of these sources."""
    marked = sorted({item.source for item in new if item.source is not None})
    known: set[tuple[int, str | None]] = set()
    for start in range(0, len(marked), CHUNK):
        wanted = select(templates.c.subject_id, templates.c.source).where(
            templates.c.source.in_(marked[start : start + CHUNK])
        )
        known.update((key, source) for key, source in connection.execute(wanted))
    return known


def _insert_templates(
    connection: Connection, at: Head, new: Sequence[NewTemplate], owner: Mapping[str, int]
) -> list[int]:
    created = moment()
    rows = [
        {
            "gallery_id": at.key,
            "subject_id": owner[item.subject],
            "embedding": np.ascontiguousarray(item.embedding, "<f4").tobytes(),
            "fingerprint": at.fingerprint,
            "labels": dict(item.labels),
            "frames": item.frames,
            "source": item.source,
            "created": created,
        }
        for item in new
    ]
    if not rows:
        return []
    wanted = insert(templates).returning(templates.c.id, sort_by_parameter_order=True)
    return [int(key) for key in connection.scalars(wanted, rows)]


def erase_subject(connection: Connection, at: Head, name: str) -> int:
    """Erase a subject and its templates; returns how many these were."""
    key = reading.subject_key(connection, at, name)
    gone = connection.scalars(select(templates.c.id).where(templates.c.subject_id == key)).all()
    connection.execute(delete(templates).where(templates.c.subject_id == key))
    connection.execute(delete(subjects).where(subjects.c.id == key))
    base = {"gallery_id": at.key, "subject_id": key}
    erased = [{**base, "kind": Change.TEMPLATE_ERASED, "template_id": template} for template in gone]
    _log(connection, [*erased, {**base, "kind": Change.SUBJECT_ERASED}])
    return len(gone)


def erase_template(connection: Connection, at: Head, template: int) -> None:
    """Erase one template; its subject stays, and goes with its last template."""
    owner = connection.scalar(
        select(templates.c.subject_id).where(templates.c.id == template, templates.c.gallery_id == at.key)
    )
    if owner is None:
        raise UnknownTemplate(at.name, str(template))
    connection.execute(delete(templates).where(templates.c.id == template))
    base = {"gallery_id": at.key, "subject_id": owner}
    rows: list[dict[str, Any]] = [{**base, "kind": Change.TEMPLATE_ERASED, "template_id": template}]
    if not connection.scalar(select(sql.count()).where(templates.c.subject_id == owner)):
        connection.execute(delete(subjects).where(subjects.c.id == owner))
        rows.append({**base, "kind": Change.SUBJECT_ERASED})
    _log(connection, rows)
