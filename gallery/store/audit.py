"""The audit log: append-only, each row's hash over the row and the hash before it (a hash chain).

hash = SHA-256(hash before ‖ canonical JSON of the row); before the first row stands SHA-256 of the store's id. A row
that is changed, removed, put in or moved breaks the chain at that row or the next; a tail that is cut off can only be
seen against a head that was noted elsewhere (`ChainHead`, which signed receipts hold too).

Entries name galleries and subjects by their keys and hold nothing of anybody's body. A change and its entry are one
transaction: writers call `append` in theirs. What changes nothing goes through `gallery/recorder.py`.
"""

import hashlib
import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, func, insert, select

from gallery.actor import actor
from gallery.store.schema import audit
from model.errors import InvalidRequest

if TYPE_CHECKING:
    from gallery.store.store import Store

PAGE = 5000
_ACTOR, _ACTION = 128, 32  # what their columns hold
# In the order of the columns, of which the hash is the last.
_HASHED = ("seq", "at", "actor", "action", "gallery_id", "subject_id", "detail")
_CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


def _moment() -> int:
    return time.time_ns() // 1000


@dataclass(frozen=True, slots=True)
class Note:
    """What is to be put into the log. at: microseconds since 1970; detail: numbers, words and lists of them."""

    action: str
    gallery_id: int | None = None
    subject_id: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)
    at: int = field(default_factory=_moment)
    actor: str = field(default_factory=actor)


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the log. detail: canonical JSON, as it was hashed."""

    seq: int
    at: int
    actor: str
    action: str
    gallery_id: int | None
    subject_id: int | None
    detail: str
    hash: bytes


@dataclass(frozen=True, slots=True)
class ChainHead:
    """The newest row and its hash: whoever noted it elsewhere sees whether the log was cut off behind it."""

    seq: int
    hash: str

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"

    @classmethod
    def parse(cls, text: str) -> "ChainHead":
        """`SEQ:HASH`. Raises `InvalidRequest`."""
        seq, _, digest = text.strip().partition(":")
        if not seq.isascii() or not seq.isdigit() or len(digest) != 64 or set(digest) - set("0123456789abcdef"):
            raise InvalidRequest("head", f"must be SEQ:HASH as `gaitkeeper audit head` prints it, got {text!r}")
        return cls(int(seq), digest)


@dataclass(frozen=True, slots=True)
class Walk:
    """What a walk along the chain found. rows: how many were sound; broken: number of the first row that is not
    what it was, None if all are; reason: what is wrong there."""

    rows: int
    head: ChainHead
    broken: int | None = None
    reason: str = ""


def append(
    connection: Connection,
    store: "Store",
    action: str,
    gallery_id: int | None = None,
    subject_id: int | None = None,
    **detail: Any,
) -> None:
    """Add one entry, by the present actor, in the caller's transaction (one of `Store.write`)."""
    append_all(connection, store, [Note(action, gallery_id, subject_id, detail)])


def append_all(connection: Connection, store: "Store", notes: Sequence[Note]) -> None:
    """Add entries in their order, in the caller's transaction."""
    if not notes:
        return
    before = bytes.fromhex(chain_head(connection, store).hash)
    rows = []
    for seq, note in enumerate(notes, store.next_keys(connection, "audit", len(notes))):
        row = _row(seq, note)
        before = row["hash"] = link(before, row)
        rows.append(row)
    connection.execute(insert(audit), rows)


def append_many(store: "Store", notes: Sequence[Note]) -> None:
    """Add entries, and before them the keys that this process has used, in a transaction of their own.

    Raises `StoreUnavailable`; then none was added.
    """
    used = [store.secrets.used.popleft() for _ in range(len(store.secrets.used))]
    if not used and not notes:
        return
    try:
        with store.write() as connection:
            append_all(connection, store, [*used, *notes])
    except BaseException:
        store.secrets.used.extendleft(reversed(used))
        raise


def _row(seq: int, note: Note) -> dict[str, Any]:
    return {
        "seq": seq,
        "at": note.at,
        "actor": note.actor[:_ACTOR],
        "action": note.action[:_ACTION],
        "gallery_id": note.gallery_id,
        "subject_id": note.subject_id,
        "detail": canonical(note.detail),
    }


def canonical(value: Mapping[str, Any]) -> str:
    """JSON in one spelling only: sorted keys, no spaces, ASCII, no NaN."""
    return _CANONICAL.encode(value)


def link(before: bytes, row: Mapping[str, Any]) -> bytes:
    """The hash (32 bytes) of a row that follows the hash `before`."""
    return hashlib.sha256(before + canonical({name: row[name] for name in _HASHED}).encode()).digest()


def _genesis(store: "Store") -> bytes:
    return hashlib.sha256(store.id.encode()).digest()


def chain_head(connection: Connection, store: "Store") -> ChainHead:
    """The newest row as this connection sees it; number 0 when there is none."""
    row = connection.execute(select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1)).one_or_none()
    return ChainHead(0, _genesis(store).hex()) if row is None else ChainHead(row.seq, row.hash.hex())


def audit_head(store: "Store") -> ChainHead:
    with store.read() as connection:
        return chain_head(connection, store)


def audit_page(
    store: "Store",
    after: int = 0,
    limit: int = PAGE,
    *,
    action: str | None = None,
    gallery_id: int | None = None,
    subject_id: int | None = None,
    galleries: Collection[int] | None = None,
) -> list[Entry]:
    """At most `limit` entries by number, those behind `after` that are of this action, gallery and subject, and of one
    of `galleries` where these are given."""
    wanted = select(audit).where(audit.c.seq > after).order_by(audit.c.seq).limit(limit)
    for column, value in ((audit.c.action, action), (audit.c.gallery_id, gallery_id), (audit.c.subject_id, subject_id)):
        if value is not None:
            wanted = wanted.where(column == value)
    if galleries is not None:
        wanted = wanted.where(audit.c.gallery_id.in_(sorted(galleries)))
    with store.read() as connection:
        return [_entry(row) for row in connection.execute(wanted)]


def _entry(row: Row[Any]) -> Entry:
    return Entry(row.seq, row.at, row.actor, row.action, row.gallery_id, row.subject_id, row.detail, bytes(row.hash))


def verify_chain(
    store: "Store", head: ChainHead | None = None, *, progress: Callable[[int, int], None] | None = None
) -> Walk:
    """Walk the whole chain, and see that it goes through `head` if one was noted. Nothing is changed.

    progress: is told how many rows were walked, and of how many.
    """
    with store.read() as connection:
        total = connection.scalar(select(func.count()).select_from(audit)) or 0
        at, rows = ChainHead(0, _genesis(store).hex()), 0
        with connection.execution_options(yield_per=PAGE).execute(select(audit).order_by(audit.c.seq)) as found:
            for row in found:
                if reason := _fault(at, row, head):
                    return Walk(rows, at, row.seq, reason)
                at, rows = ChainHead(row.seq, row.hash.hex()), rows + 1
                if progress is not None and rows % PAGE == 0:
                    progress(rows, total)
    if head is not None and head.seq > at.seq:
        return Walk(rows, at, head.seq, f"it was noted and is not there; the log ends with row {at.seq}")
    return Walk(rows, at)


def _fault(before: ChainHead, row: Row[Any], noted: ChainHead | None) -> str:
    """What is wrong with a row that comes behind `before`; empty if nothing is."""
    try:
        sound = link(bytes.fromhex(before.hash), dict(zip(_HASHED, row, strict=False))) == row.hash
    except (TypeError, ValueError):  # SQLite takes anything in any column
        sound = False
    if not sound:
        return "it or a row before it was changed, removed, put in or moved"
    if noted is not None and before.seq < noted.seq <= row.seq and (row.seq, row.hash.hex()) != (noted.seq, noted.hash):
        return f"row {noted.seq} was noted with another hash"
    return ""
