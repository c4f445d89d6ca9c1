"""Who is in a gallery and what is known of each template, without embeddings: what the doctor reads besides them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from gallery.store import heads
from gallery.store.moments import when
from gallery.store.rows import Head, Rows
from gallery.store.schema import subjects, templates
from gallery.store.store import Store
from gallery.template import Consent

Whole: TypeAlias = NDArray[np.int64]

_CHUNK = 5000


@dataclass(frozen=True, slots=True)
class Person:
    """A subject as it is held: on what ground, and why it may not be erased, if so."""

    name: str
    consent: Consent
    hold: str | None


@dataclass(frozen=True, slots=True, eq=False)
class Examined:
    """A gallery at one moment. people: by subject key. labels, frames, created: of each of `rows.ids`; created in
    microseconds since 1970."""

    head: Head
    rows: Rows
    people: Mapping[int, Person]
    labels: list[Mapping[str, str]]
    frames: Whole
    created: Whole


def examine(store: Store, gallery: str) -> Examined:
    """Everything that is held of a gallery but skeletons and metadata. Raises `UnknownGallery`.

    Embeddings of a protected gallery stay transformed, which leaves every score as it is.
    """
    at, rows = store.everything(gallery)
    with store.read() as connection:
        held = heads.head(connection, gallery)
        asked = select(
            subjects.c.id, subjects.c.name, subjects.c.consent, subjects.c.purpose, subjects.c.expires, subjects.c.hold
        ).where(subjects.c.gallery_id == held.key)
        people = {
            key: Person(name, Consent(reference, purpose, None if expires is None else when(expires)), hold)
            for key, name, reference, purpose, expires, hold in connection.execute(asked)
        }
        found: dict[int, tuple[Mapping[str, str], int, int]] = {}
        wanted = (
            select(templates.c.id, templates.c.labels, templates.c.frames, templates.c.created)
            .where(templates.c.gallery_id == held.key)
            .execution_options(yield_per=_CHUNK)
        )
        for key, labels, frames, created in connection.execute(wanted):
            found[key] = labels, frames, created
    # What was erased or came between the two readings is left out.
    kept = np.array(
        [i in found and s in people for i, s in zip(rows.ids.tolist(), rows.subjects.tolist(), strict=True)], bool
    )
    both = Rows(rows.ids[kept], rows.subjects[kept], rows.embeddings[kept], rows.marks[kept], rows.expires[kept])
    facts = [found[key] for key in both.ids.tolist()]
    return Examined(
        head=at,
        rows=both,
        people=people,
        labels=[labels for labels, _, _ in facts],
        frames=np.array([frames for _, frames, _ in facts], np.int64),
        created=np.array([created for _, _, created in facts], np.int64),
    )
