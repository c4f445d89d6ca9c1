"""Rename, merge and move subjects. Each is one transaction over all generations of a gallery, change log and audit
entry with it.

Whoever is merged or moved has templates under another data key and other numbers from then on; the old key is gone
with the row that held it. Names stay out of the log and the audit: keys say who became whom.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, select, update

from gallery.keys.sealing import keyed_hash
from gallery.keys.transform import apply, undo
from gallery.store import audit, erasing, heads, merging, reading
from gallery.store.bulk import among
from gallery.store.enrolling import DAY_US, log
from gallery.store.moments import moment
from gallery.store.placing import Plain, displace, make_owner, metadata_of, place, plain_templates
from gallery.store.rows import Change, Head
from gallery.store.schema import galleries, subjects
from gallery.store.store import Store
from gallery.template import Subject, check_id
from gallery.vault import source_of, unpack
from model.errors import BundleMismatch, InvalidRequest, SubjectExists, SubjectHeld


def subjects_there(store: Store, gallery: str, names: Sequence[str]) -> set[str]:
    """Which of these subjects a gallery has. Raises `UnknownGallery`."""
    with store.read() as connection:
        at = heads.head(connection, gallery)
        wanted = select(subjects.c.name).where(subjects.c.gallery_id == at.key)
        return set(connection.scalars(wanted.where(among(connection, subjects.c.name, names)))) if names else set()


def rename_subject(store: Store, gallery: str, subject: str, name: str) -> Subject:
    """Give a subject another id; templates, consent and key stay.

    Raises `UnknownGallery`, `UnknownSubject`, `SubjectExists`, `InvalidRequest`.
    """
    check_id("subject", name)
    with store.write() as connection:
        at = heads.head(connection, gallery)
        own = reading.subject_row(connection, at, subject)
        if name != subject:
            if reading.everywhere(connection, at, name):
                raise SubjectExists(gallery, name)
            for row in reading.everywhere(connection, at, subject):
                connection.execute(update(subjects).where(subjects.c.id == row.id).values(name=name))
                log(connection, store, row.gallery_id, [(Change.SUBJECT_CHANGED, row.id, None)])
            audit.append(connection, store, "rename", at.key, own.id)
        return reading.subject(connection, store.secrets, at, name)


def merge_subjects(store: Store, gallery: str, source: str, into: str, *, force: bool = False) -> Subject:
    """Give all that `source` has to `into`; `source` is no more.

    The stricter consent holds: the earlier end. Reference and purpose are those of `into` where it has them, and
    metadata those of both, `into`'s where both have a key. force: although they were enrolled for different purposes.
    Raises `UnknownGallery`, `UnknownSubject`, `SubjectHeld` for a source that is held, `InvalidRequest`,
    `LimitExceeded` (metadata).
    """
    if source == into:
        raise InvalidRequest("into", "must be another subject")
    with store.write() as connection:
        at = heads.head(connection, gallery)
        own, target = (reading.subject_row(connection, at, name) for name in (source, into))
        _check_movable(gallery, own)
        _check_current(target)
        if not force:
            merging.check_purposes(own, target)
        metadata = merging.both(metadata_of(connection, store, own), metadata_of(connection, store, target))
        there, gone = (reading.everywhere(connection, at, name) for name in (into, source))
        given = merging.merge(connection, store, gone, there, at.key, metadata)
        merged = reading.everywhere(connection, at, into)
        merging.settle(connection, store, merged, own, target, metadata)
        audit.append(connection, store, "merge", at.key, target.id, was=own.id, templates=given, forced=force)
        found = reading.subject(connection, store.secrets, at, into)
    erasing.settle(store)
    return found


def move_subject(store: Store, gallery: str, subject: str, to: str) -> Subject:
    """Move a subject to another gallery of the same bundle, under whose transform and vault its templates come.

    Raises `UnknownGallery`, `UnknownSubject`, `BundleMismatch`, `SubjectExists`, `SubjectHeld`, `InvalidRequest`.
    """
    if gallery == to:
        raise InvalidRequest("to", "must be another gallery")
    with store.write() as connection:
        at, there = (heads.head(connection, name) for name in (gallery, to))
        own = reading.subject_row(connection, at, subject)
        _check_movable(gallery, own)
        if at.fingerprint != there.fingerprint:
            raise BundleMismatch(to, there.fingerprint, at.fingerprint)
        if reading.everywhere(connection, there, subject):
            raise SubjectExists(to, subject)
        held = _fitted(connection, store, at, there, plain_templates(connection, store, own))
        owner = make_owner(connection, store, there.key, subject, own, metadata_of(connection, store, own))
        first = place(connection, store, there.fingerprint, [(owner, item) for item in held])
        numbers = {item.id: number for number, item in enumerate(held, first)}
        for row in reading.everywhere(connection, at, subject):
            displace(connection, store, row)
            erasing.record_move(connection, store, at.key, row.id, owner.key, numbers if row.id == own.id else {})
        audit.append(connection, store, "move", at.key, own.id, to=there.key, templates=len(held))
        came = {"source": at.key, "was": own.id, "templates": len(held)}
        audit.append(connection, store, "receive", there.key, owner.key, **came)
        found = reading.subject(connection, store.secrets, there, subject)
    erasing.settle(store)
    return found


def _check_movable(gallery: str, row: Row[Any]) -> None:
    if row.hold is not None:
        raise SubjectHeld(gallery, row.name, row.hold)
    _check_current(row)


def _check_current(row: Row[Any]) -> None:
    if row.expires is not None and row.expires <= moment():
        raise InvalidRequest("subject", f"the consent of {row.name!r} has expired; give a new one, or erase it")


def _fitted(connection: Connection, store: Store, at: Head, there: Head, held: Sequence[Plain]) -> list[Plain]:
    """Templates of one gallery as those of another: its transform, its vault, its hashes of sources."""
    before, after = (reading.transform(connection, store.secrets, each) for each in (at, there))
    days = connection.scalar(select(galleries.c.vault_days).where(galleries.c.id == there.key))
    latest = None if days is None else moment() + days * DAY_US
    key = store.secrets.source_key(connection, reading.family_of(connection, there))
    fitted = []
    for item in held:
        vector = reading.vector(item.embedding, at.dim)[None]
        vector = vector if before is None else undo(before, vector)
        vector = vector if after is None else apply(after, vector)
        skeleton, source = item.skeleton, None
        if skeleton is not None:
            # The source itself is not kept, only its hash under the other gallery's key.
            source = keyed_hash(key, source_of(unpack(skeleton.packed)))
            skeleton = None if latest is None else replace(skeleton, expires=min(skeleton.expires, latest))
        content = vector[0].astype("<f4").tobytes()
        fitted.append(replace(item, embedding=content, source=source, origin=None, skeleton=skeleton))
    return fitted
