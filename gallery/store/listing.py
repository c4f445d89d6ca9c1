"""The templates of a gallery by number, a page at a time, and one skeleton of the vault, given out and said to be."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import select

from gallery.store import audit, heads, reading
from gallery.store.moments import moment, when
from gallery.store.placing import plain_templates
from gallery.store.schema import subjects, templates, vault
from model.errors import UnknownResource, UnknownTemplate

if TYPE_CHECKING:
    from gallery.store.store import Store


@dataclass(frozen=True, slots=True)
class Listed:
    """A template without its embedding. vault: its skeleton is kept, and can be shown."""

    id: int
    subject: str
    labels: Mapping[str, str]
    frames: int
    created: datetime
    vault: bool


def template_page(store: "Store", gallery: str, after: int = 0, limit: int = 1000) -> list[Listed]:
    """At most `limit` templates of all subjects whose numbers come behind `after`, by number. Nothing is unsealed.

    Raises `UnknownGallery`.
    """
    with store.read() as connection:
        at = heads.head(connection, gallery)
        wanted = (
            select(templates, subjects.c.name.label("owner"), vault.c.expires.label("kept"))
            .join(subjects, subjects.c.id == templates.c.subject_id)
            .join(vault, vault.c.template_id == templates.c.id, isouter=True)
            .where(templates.c.gallery_id == at.key, templates.c.id > after)
            .order_by(templates.c.id)
            .limit(limit)
        )
        now = moment()
        return [
            Listed(
                row.id, row.owner, row.labels, row.frames, when(row.created), row.kept is not None and row.kept > now
            )
            for row in connection.execute(wanted)
        ]


def skeleton_of(store: "Store", gallery: str, subject: str, template: int) -> bytes:
    """The sequence that a template was made of, packed (`gallery/vault.py`), and an entry in the audit log that it was
    given out.

    Raises `UnknownGallery`, `UnknownSubject`, `UnknownTemplate` for one that is not this subject's, `UnknownResource`
    where the vault has none of it, or has it no longer, or the subject's consent has ended.
    """
    with store.write() as connection:
        at = heads.head(connection, gallery)
        row = reading.subject_row(connection, at, subject)
        found = plain_templates(connection, store, row, only=[template])
        if not found:
            raise UnknownTemplate(gallery, str(template))
        kept, now = found[0].skeleton, moment()
        if kept is None or kept.expires <= now or (row.expires is not None and row.expires <= now):
            raise UnknownResource("skeleton", str(template))
        audit.append(connection, store, "show_skeleton", at.key, row.id, template=template)
        return kept.packed
