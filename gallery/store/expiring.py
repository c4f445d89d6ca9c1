"""What goes by itself: subjects whose consent has expired, and skeletons of the vault after their time."""

from contextlib import suppress
from typing import TYPE_CHECKING

from sqlalchemy import Connection, delete, exists, select

from gallery.store import heads, removing
from gallery.store.audit import Note, append_all
from gallery.store.bulk import among
from gallery.store.erasing import confirm
from gallery.store.moments import moment
from gallery.store.rows import Erasure
from gallery.store.schema import subjects, templates, vault
from model.errors import SubjectHeld, UnknownSubject

if TYPE_CHECKING:
    from gallery.store.store import Store

# Small enough not to keep other writers waiting.
BATCH = 20
_VAULT_BATCH = 1000


def is_due(store: "Store") -> bool:
    """Whether anything may have to go; cheap, and keeps no writer waiting."""
    now = moment()
    people = select(exists().where(subjects.c.expires <= now, subjects.c.hold.is_(None)))
    with store.read() as connection:
        return bool(connection.scalar(people) or connection.scalar(select(exists().where(vault.c.expires <= now))))


def purge_expired(store: "Store") -> list[Erasure]:
    """Erase every subject whose consent has expired, from all generations of its gallery, unless it is held."""
    done: list[Erasure] = []
    after: int | None = 0
    while after is not None:
        with store.write() as connection:
            batch, after = _purge(connection, store, after)
        for erasure in batch:
            confirm(store, erasure)
        done += batch
    return done


def _purge(connection: Connection, store: "Store", after: int) -> tuple[list[Erasure], int | None]:
    """Erase some of the expired subjects behind `after`; the last that was looked at, None if there are no more."""
    due = (subjects.c.expires <= moment(), subjects.c.hold.is_(None), subjects.c.id > after)
    wanted = select(subjects.c.id, subjects.c.name, subjects.c.gallery_id).where(*due).order_by(subjects.c.id)
    found = connection.execute(wanted.limit(BATCH)).all()
    erased = []
    for row in found:
        at = heads.generation(connection, row.gallery_id)
        # It may have gone with its row in another generation, or be held there.
        with suppress(UnknownSubject, SubjectHeld):
            if at is not None:
                erased.append(removing.erase_subject(connection, store, at, row.name, action="purge"))
    return erased, found[-1].id if len(found) == BATCH else None


def empty_vault(store: "Store") -> int:
    """Delete the skeletons whose time has come, unless their subject is held; returns how many."""
    deleted = 0
    while True:
        with store.write() as connection:
            due = (
                select(vault.c.template_id, templates.c.gallery_id)
                .join(templates, templates.c.id == vault.c.template_id)
                .join(subjects, subjects.c.id == templates.c.subject_id)
                .where(vault.c.expires <= moment(), subjects.c.hold.is_(None))
                .limit(_VAULT_BATCH)
            )
            found = connection.execute(due).all()
            if found:
                ids = [row.template_id for row in found]
                connection.execute(delete(vault).where(among(connection, vault.c.template_id, ids)))
                of = [row.gallery_id for row in found]
                notes = [Note("purge_vault", key, None, {"skeletons": of.count(key)}) for key in sorted(set(of))]
                append_all(connection, store, notes)
        deleted += len(found)
        if len(found) < _VAULT_BATCH:
            return deleted
