"""Everything that the store holds on one subject, in all generations of a gallery, unsealed: a request of access."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select

from gallery.store import audit, heads, reading
from gallery.store.bulk import among
from gallery.store.moments import when
from gallery.store.placing import Plain, plain_templates
from gallery.store.schema import audit as entries
from gallery.store.schema import galleries
from gallery.store.store import Store
from gallery.template import State, Subject, Template


@dataclass(frozen=True, slots=True, eq=False)
class HeldTemplate:
    """state: of the generation that it is in. hidden: its embedding is under the gallery's secret transform.
    skeleton: packed (`gallery/vault.py`), if there is one, and when that will be deleted."""

    template: Template
    state: State
    hidden: bool
    skeleton: bytes | None
    skeleton_ends: datetime | None


@dataclass(frozen=True, slots=True)
class Event:
    """An entry of the audit log about the subject, without who acted: that is somebody else's."""

    number: int
    at: datetime
    action: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Holdings:
    """subject: as it is in the generation that answers."""

    subject: Subject
    templates: tuple[HeldTemplate, ...]
    events: tuple[Event, ...]


def holdings(store: Store, gallery: str, subject: str) -> Holdings:
    """All of it, and an entry in the audit log that it was given out. Raises `UnknownGallery`, `UnknownSubject`."""
    with store.write() as connection:
        at = heads.head(connection, gallery)
        own = reading.subject_row(connection, at, subject)
        audit.append(connection, store, "access", at.key, own.id)
        rows = reading.everywhere(connection, at, subject)
        held = [each for row in rows for each in _templates(connection, store, gallery, row)]
        found = reading.subject(connection, store.secrets, at, subject)
        return Holdings(found, tuple(held), tuple(_events(connection, {row.id for row in rows})))


def _templates(connection: Connection, store: Store, gallery: str, row: Row[Any]) -> list[HeldTemplate]:
    of = connection.execute(select(galleries).where(galleries.c.id == row.gallery_id)).one()
    return [_held(gallery, row, of, item) for item in plain_templates(connection, store, row)]


def _held(gallery: str, row: Row[Any], of: Row[Any], item: Plain) -> HeldTemplate:
    template = Template(
        id=item.id,
        gallery=gallery,
        subject=row.name,
        embedding=reading.vector(item.embedding, of.dim),
        fingerprint=of.fingerprint,
        labels=item.labels,
        frames=item.frames,
        created=when(item.created),
    )
    skeleton = item.skeleton
    kept = (None, None) if skeleton is None else (skeleton.packed, when(skeleton.expires))
    return HeldTemplate(template, State(of.state), of.protected, *kept)


def _events(connection: Connection, keys: set[int]) -> list[Event]:
    """What was done to the subject, under every key that it had: before a merge, in another gallery."""
    found: dict[int, Event] = {}
    seen: set[int] = set()
    while keys:
        seen |= keys
        rows = connection.execute(select(entries).where(among(connection, entries.c.subject_id, sorted(keys)))).all()
        keys = set()
        for row in rows:
            detail = json.loads(row.detail)
            found[row.seq] = Event(row.seq, when(row.at), row.action, detail)
            if row.action in ("merge", "receive") and detail.get("was") not in seen:
                keys.add(detail["was"])
    return [found[number] for number in sorted(found)]
