"""What of an erasure is the database's: its row, its entry in the audit log and, before its commit, in the journal."""

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, insert, select

from gallery.journal import Line
from gallery.store.audit import ChainHead, append, chain_head
from gallery.store.failures import as_unavailable
from gallery.store.moments import moment, stamp, when
from gallery.store.rows import Erasure
from gallery.store.schema import audit, counters, erasures

if TYPE_CHECKING:
    from gallery.store.store import Store

# State of a row that erases nobody: `record_move`.
MOVED = "moved"

# Columns of `erasures` that the journal keeps too.
_KEPT = ("seq", "gallery_id", "subject_id", "whole", "templates", "generation", "at")


def record(connection: Connection, store: "Store", erasure: Erasure, action: str = "erase") -> None:
    """Keep that something was erased: the last thing in the transaction that erases. After it has committed, and
    before the erasure is acknowledged, comes `confirm`.

    action: for the audit log, `erase` or `purge`. Raises OSError or `InvalidArchive` where the journal cannot be kept.
    """
    connection.execute(insert(erasures).values(**values_of(erasure)))
    detail = {"erasure": erasure.id, "change": erasure.seq, "whole": erasure.whole, "templates": len(erasure.templates)}
    append(connection, store, action, erasure.gallery, erasure.subject or None, **detail)
    fields = _fields(connection, erasure, chain_head(connection, store))
    store.journal.add(erasure.id, fields, lambda asked: fate(connection, store, asked))


def confirm(store: "Store", erasure: Erasure) -> None:
    """Say in the journal that the erasure's transaction has committed. Raises `StoreUnavailable`."""
    with as_unavailable():
        store.journal.confirm(erasure.id)


def record_move(
    connection: Connection, store: "Store", gallery: int, subject: int, to: int, numbers: Mapping[int, int]
) -> None:
    """Keep that a subject lives on as the subject `to`, and its templates under other numbers (old to new): whoever is
    erased later is to be erased from an older backup too, where this has not happened yet. Ends the transaction; after
    it has committed comes `settle`."""
    row = {
        "id": str(uuid.uuid4()),
        "seq": connection.scalar(select(counters.c.last).where(counters.c.name == "changes")),
        "gallery_id": gallery,
        "subject_id": subject,
        "whole": True,
        "templates": {"to": to, "numbers": [[old, new] for old, new in numbers.items()]},
        "state": MOVED,
        "at": moment(),
    }
    connection.execute(insert(erasures).values(row))
    fields = {**{name: row.get(name) for name in _KEPT}, "audit": None, "counters": _counters(connection)}
    store.journal.add(str(row["id"]), fields, lambda asked: fate(connection, store, asked))


def settle(store: "Store") -> None:
    """Say in the journal what became of the last transaction that wrote into it. Raises `StoreUnavailable`."""
    with store.write() as connection:
        store.journal.settle(lambda asked: fate(connection, store, asked))


def fate(connection: Connection, store: "Store", erasure: str) -> bool | None:
    """What became of an erasure in the journal, asked in a transaction of `Store.write` (`gallery.journal.Fate`)."""
    wanted = select(erasures.c.id).where(erasures.c.id == erasure)
    if connection.scalar(wanted) is None:
        return False
    with store.read() as outside:  # sees what was committed, and nothing of this transaction
        return outside.scalar(wanted) is not None or None


def write_missing(connection: Connection, store: "Store", row: Row[Any]) -> None:
    """Write a row of `erasures` into the journal, which lacks it: another host's, perhaps."""
    at = None if row.state == MOVED else position(connection, as_erasure(row))
    fields = {name: getattr(row, name) for name in _KEPT}
    fields |= {"audit": None if at is None else str(at), "counters": _counters(connection)}
    store.journal.catch_up(row.id, fields, lambda asked: fate(connection, store, asked))


def values_of(erasure: Erasure) -> dict[str, Any]:
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


def _fields(connection: Connection, erasure: Erasure, at: ChainHead | None) -> dict[str, Any]:
    """What the journal keeps: enough to erase the same again, and numbers that must not be used again."""
    values = values_of(erasure)
    kept = {name: values[name] for name in _KEPT}
    return {**kept, "audit": None if at is None else str(at), "counters": _counters(connection)}


def _counters(connection: Connection) -> dict[str, int]:
    return {row.name: row.last for row in connection.execute(select(counters))}


def is_move(line: Line) -> bool:
    """Whether a line of the journal is `record_move`'s, and erases nobody by itself."""
    return isinstance(line.fields["templates"], dict)


def move_row(line: Line) -> dict[str, Any]:
    """The row of `erasures` that `record_move` wrote."""
    return {**{name: line.fields[name] for name in _KEPT}, "id": line.id, "state": MOVED}


def of_line(line: Line) -> Erasure:
    """The erasure of a line of the journal, as it was when it was done."""
    held = line.fields
    key, subject, templates = held["gallery_id"], held["subject_id"], tuple(held["templates"])
    at = when(held["at"])
    return Erasure(line.id, key, subject, held["whole"], templates, held["seq"], held["generation"], "withheld", at)


def position(connection: Connection, erasure: Erasure) -> ChainHead | None:
    """Where in the audit log the erasure is."""
    # Canonical JSON has one spelling only.
    spelled = f'%"erasure":"{erasure.id}"%'
    wanted = select(audit.c.seq, audit.c.hash).where(
        audit.c.gallery_id == erasure.gallery, audit.c.detail.like(spelled)
    )
    row = connection.execute(wanted.order_by(audit.c.seq).limit(1)).one_or_none()
    return None if row is None else ChainHead(row.seq, bytes(row.hash).hex())


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
