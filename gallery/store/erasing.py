"""What of an erasure is the database's: its row, its entry in the audit log and, before its commit, in the journal."""

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, insert, select

from gallery.store.audit import append, chain_head
from gallery.store.failures import as_unavailable
from gallery.store.moments import stamp, when
from gallery.store.rows import Erasure
from gallery.store.schema import counters, erasures

if TYPE_CHECKING:
    from gallery.store.store import Store


def record(connection: Connection, store: "Store", erasure: Erasure, action: str = "erase") -> None:
    """Keep that something was erased: the last thing in the transaction that erases. After it has committed, and
    before the erasure is acknowledged, comes `confirm`.

    action: for the audit log, `erase` or `purge`. Raises OSError or `InvalidArchive` where the journal cannot be kept.
    """
    connection.execute(insert(erasures).values(**_values(erasure)))
    detail = {"erasure": erasure.id, "change": erasure.seq, "whole": erasure.whole, "templates": len(erasure.templates)}
    append(connection, store, action, erasure.gallery, erasure.subject or None, **detail)
    store.journal.add(erasure.id, _fields(connection, store, erasure), lambda asked: fate(connection, store, asked))


def confirm(store: "Store", erasure: Erasure) -> None:
    """Say in the journal that the erasure's transaction has committed. Raises `StoreUnavailable`."""
    with as_unavailable():
        store.journal.confirm(erasure.id)


def fate(connection: Connection, store: "Store", erasure: str) -> bool | None:
    """What became of an erasure in the journal, asked in a transaction of `Store.write` (`gallery.journal.Fate`)."""
    wanted = select(erasures.c.id).where(erasures.c.id == erasure)
    if connection.scalar(wanted) is None:
        return False
    with store.read() as outside:  # sees what was committed, and nothing of this transaction
        return outside.scalar(wanted) is not None or None


def _values(erasure: Erasure) -> dict[str, Any]:
    return {
        "id": erasure.id,
        "seq": erasure.seq,
        "gallery_id": erasure.gallery,
        "subject_id": erasure.subject,
        "whole": erasure.whole,
        "templates": list(erasure.templates),
        "generation": erasure.generation,
        "state": erasure.state,
        "at": stamp(erasure.at),
        "destroyed": None if erasure.destroyed is None else stamp(erasure.destroyed),
    }


def _fields(connection: Connection, store: "Store", erasure: Erasure) -> dict[str, Any]:
    """What the journal keeps: enough to erase the same again, and numbers that must not be used again."""
    kept = ("seq", "gallery_id", "subject_id", "whole", "templates", "generation", "at")
    values = _values(erasure)
    last = {row.name: row.last for row in connection.execute(select(counters))}
    return {**{name: values[name] for name in kept}, "audit": str(chain_head(connection, store)), "counters": last}


def as_erasure(row: Row[Any]) -> Erasure:
    destroyed = None if row.destroyed is None else when(row.destroyed)
    return Erasure(
        row.id,
        row.gallery_id,
        row.subject_id,
        row.whole,
        tuple(row.templates),
        row.seq,
        row.generation,
        row.state,
        when(row.at),
        destroyed,
    )
