"""What makes an erasure final: the keys of snapshots that may hold it, and what the database keeps of former rows.

SQLite overwrites what is deleted in its file (`secure_delete`), but the write-ahead log has it until it is emptied.
PostgreSQL keeps a deleted row until it is vacuumed, and that takes only what no transaction can see any more.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, and_, exists, or_, select, text, update

from gallery.store.audit import Note, append_all
from gallery.store.bulk import among
from gallery.store.engine import DATABASE
from gallery.store.erasing import as_erasure
from gallery.store.moments import moment
from gallery.store.rows import Change, Erasure
from gallery.store.schema import changes, erasures, galleries, snapshots
from gallery.store.sqlite_file import file_errors, in_use, opened
from gallery.template import State
from model.errors import StoreUnavailable

if TYPE_CHECKING:
    from gallery.store.store import Store

WITHHELD, DESTROYED = "withheld", "destroyed"
_ERASED = (Change.TEMPLATE_ERASED.value, Change.SUBJECT_ERASED.value)
# What an erasure deletes from, and so what is vacuumed.
_TABLES = "subjects, templates, vault, secrets, snapshots, galleries, idempotency, job_inputs, deliveries"


@dataclass(frozen=True, slots=True)
class Stale:
    """A snapshot generation that holds what was erased since. gallery: its name, None if it was deleted or answers no
    more."""

    generation: int
    gallery_id: int
    gallery: str | None


def stale(connection: Connection) -> list[Stale]:
    """Of all snapshots, those of a gallery from which something was erased after them, or that answers no more."""
    later = exists().where(
        changes.c.gallery_id == snapshots.c.gallery_id,
        changes.c.seq > snapshots.c.seq,
        changes.c.kind.in_(_ERASED),
    )
    wanted = (
        select(snapshots.c.generation, snapshots.c.gallery_id, galleries.c.name)
        .outerjoin(galleries, and_(galleries.c.id == snapshots.c.gallery_id, galleries.c.state == State.ACTIVE.value))
        .where(or_(galleries.c.id.is_(None), later))
        .order_by(snapshots.c.generation)
    )
    return [Stale(*row) for row in connection.execute(wanted)]


def stale_snapshots(store: "Store") -> list[Stale]:
    with store.read() as connection:
        return stale(connection)


def withheld(store: "Store") -> list[Erasure]:
    """Erasures that are not final yet, oldest first."""
    with store.read() as connection:
        wanted = select(erasures).where(erasures.c.state == WITHHELD).order_by(erasures.c.seq)
        return [as_erasure(row) for row in connection.execute(wanted)]


def mark_destroyed(store: "Store", pending: Sequence[Erasure]) -> list[str]:
    """Call erasures final whose former rows are gone (`clear_former_rows`, after they were done), unless a snapshot
    that is stale may hold them. Returns the ids of those that are so by this call."""
    with store.write() as connection:
        held = {each.gallery_id for each in stale(connection)}
        families = {row.id: row.family for row in connection.execute(select(galleries.c.id, galleries.c.family))}
        blocked = {families.get(gallery, gallery) for gallery in held}
        wanted = [each.id for each in pending if families.get(each.gallery, each.gallery) not in blocked]
        open_ones = (erasures.c.state == WITHHELD, among(connection, erasures.c.id, wanted))
        if not wanted:
            return []
        rows = connection.execute(select(erasures.c.id, erasures.c.gallery_id, erasures.c.subject_id).where(*open_ones))
        notes = [Note("destroy", row.gallery_id, row.subject_id or None, {"erasure": row.id}) for row in rows]
        connection.execute(update(erasures).where(*open_ones).values(state=DESTROYED, destroyed=moment()))
        append_all(connection, store, notes)
        return [str(note.detail["erasure"]) for note in notes]


def clear_former_rows(store: "Store") -> bool:
    """Leave nothing in the database's files of rows that were deleted before this call; False if something that
    reads just now keeps them: try again. Raises `StoreUnavailable`."""
    return _empty_log(store) if store.kind == "sqlite" else _vacuum(store)


def _empty_log(store: "Store") -> bool:
    with file_errors(), closing(opened(store.directory / DATABASE)) as connection:
        try:
            busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError as error:
            if in_use(error):
                return False
            raise
        return not busy


# Whatever may still see a row that was deleted before transaction :now: open transactions, prepared ones, standbys.
_SEEN_BY_NOBODY = text("""
    SELECT NOT EXISTS (
        SELECT FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND (datname = current_database() OR datname IS NULL)
            AND (age(backend_xmin) > age(CAST(:now AS xid)) OR age(backend_xid) > age(CAST(:now AS xid)))
    ) AND NOT EXISTS (
        SELECT FROM pg_prepared_xacts WHERE age(transaction) > age(CAST(:now AS xid))
    ) AND NOT EXISTS (
        SELECT FROM pg_replication_slots WHERE age(xmin) > age(CAST(:now AS xid))
    )
""")


# PostgreSQL passes over what somebody else owns, with a warning that nobody reads.
_NOT_OURS = text("""
    SELECT count(*) FROM pg_class WHERE oid = ANY(CAST(:tables AS regclass[])) AND NOT pg_has_role(relowner, 'USAGE')
""")


def _vacuum(store: "Store") -> bool:
    with store.write() as connection:
        if connection.scalar(_NOT_OURS, {"tables": _TABLES.split(", ")}):
            raise StoreUnavailable("this user must own its tables to clear them of what was erased (VACUUM)")
        now = connection.scalar(text("SELECT CAST(CAST(pg_current_xact_id() AS xid) AS text)"))
    with store.ask() as connection:
        if not connection.scalar(_SEEN_BY_NOBODY, {"now": now}):
            return False
        connection.exec_driver_sql(f"VACUUM {_TABLES}")
    return True
