"""Receipts of erasures: signed documents that say what went, when, and how far; and what a receipt is worth today.

A receipt holds keys and no names, unless the operator asks for the caller's subject id when it is made. Its states:
`withheld`, gone from every answer and its own data key gone; `destroyed`, besides that every snapshot generation that
may have held it is gone with its key, and the database's files hold no former row of it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from gallery.keys.signing import check_signature, sign
from gallery.store import Store
from gallery.store.audit import ChainHead, verify_chain
from gallery.store.rows import Erasure
from gallery.store.tracing import Traces, find, signing_keys, traces_of
from model.errors import InvalidArchive, InvalidRequest, StoreUnavailable

FORMAT = "gaitkeeper-erasure-receipt"
VERSION = 1
SIZE_LIMIT = 64 * 1024 * 1024

_PARTS = ("id", "gallery", "subject", "whole", "templates", "seq", "at")


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt as it was read, its form checked. audit: where the erasure is in the audit log."""

    erasure: Erasure
    store: str
    audit: ChainHead
    subject_id: str | None
    document: Mapping[str, Any]


def receipt_of(store: Store, erasure: str, *, subject_id: str | None = None) -> dict[str, Any]:
    """The signed receipt of an erasure, as far as it has come. subject_id: the caller's, if it is to be in there.

    Raises `InvalidRequest` for an erasure that is not known, `KeyUnavailable`, `StoreUnavailable`.
    """
    with store.write() as connection:  # the key that signs is made at its first use
        found, position = find(connection, erasure)
        private = store.secrets.signing_key(connection)
    if position is None:
        raise StoreUnavailable("its audit log has no entry of this erasure; see `gaitkeeper audit verify`")
    document = {
        "format": FORMAT,
        "version": VERSION,
        "store": store.id,
        "erasure": found.id,
        "gallery": found.gallery,
        "subject": found.subject,
        "whole": found.whole,
        "templates": list(found.templates),
        "at": _spelled(found.at),
        "sequence": found.seq,
        "generation": found.generation,
        "audit": str(position),
        "state": found.state,
        "destroyed": None if found.destroyed is None else _spelled(found.destroyed),
    }
    return sign(private, document if subject_id is None else {**document, "subject_id": subject_id})


def _spelled(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")


def read_receipt(path: Path) -> Receipt:
    """A receipt, or an answer of the service with one in it. Raises `InvalidArchive` for what is neither, OSError where
    there is none. The signature is not checked."""
    name = str(path)
    if path.stat().st_size > SIZE_LIMIT:
        raise InvalidArchive(name, "is too large for a receipt")
    try:
        held = json.loads(path.read_bytes())
        return _parsed(name, held.get("receipt", held))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, InvalidRequest):
        raise InvalidArchive(name, "is not a receipt of an erasure") from None


def _parsed(name: str, held: Mapping[str, Any]) -> Receipt:
    if held["format"] != FORMAT:
        raise InvalidArchive(name, "is not a receipt of an erasure")
    if held["version"] != VERSION:
        raise InvalidArchive(name, f"is of version {held['version']!r}; known is {VERSION}")
    numbers = (held["gallery"], held["subject"], held["sequence"], *held["templates"])
    if not all(isinstance(number, int) for number in numbers) or held["state"] not in ("withheld", "destroyed"):
        raise InvalidArchive(name, "is not a receipt of an erasure")
    erasure = Erasure(
        id=str(held["erasure"]),
        gallery=held["gallery"],
        subject=held["subject"],
        whole=bool(held["whole"]),
        templates=tuple(held["templates"]),
        seq=held["sequence"],
        generation=None if held["generation"] is None else int(held["generation"]),
        state=held["state"],
        at=datetime.fromisoformat(held["at"]),
        destroyed=None if held["destroyed"] is None else datetime.fromisoformat(held["destroyed"]),
    )
    subject_id = held.get("subject_id")
    return Receipt(erasure, str(held["store"]), ChainHead.parse(held["audit"]), subject_id, dict(held))


def verify_receipt(store: Store, receipt: Receipt, *, progress: Callable[[int, int], None] | None = None) -> list[str]:
    """What is wrong with a receipt today; empty if all that it says is so. Looks at everything, changes nothing.

    progress: is told how many rows of the audit log were checked, and of how many.
    """
    wrong = _doubts(store, receipt)
    if receipt.store != store.id:
        return wrong  # its numbers are of other rows: what is under them here says nothing
    with store.read() as connection:
        traces = traces_of(connection, store, receipt.erasure, receipt.audit)
    walk = verify_chain(store, progress=progress)
    if walk.broken is not None:
        wrong.append(f"audit: the log is broken at row {walk.broken}: {walk.reason}")
    return wrong + _found(receipt, traces)


def _doubts(store: Store, receipt: Receipt) -> list[str]:
    """Whose receipt it is."""
    with store.read() as connection:
        known = signing_keys(connection, store)
    wrong = []
    try:
        check_signature(receipt.document, None)
        if receipt.document["public_key"] not in known:
            wrong.append("signature: by a key that is not this store's")
    except InvalidArchive as error:
        wrong.append(str(error))
    if receipt.store != store.id:
        wrong.append(f"store: the receipt is of store {receipt.store}, this one is {store.id}")
    return wrong


def _found(receipt: Receipt, traces: Traces) -> list[str]:
    """What there still is of what was erased, and what there should be and is not."""
    wrong = [f"{what}: {count} still there" for what, count in traces.rows.items() if count]
    wrong += _unlike(receipt.erasure, traces.erasure)
    if traces.audit:
        wrong.append(f"audit: {traces.audit}")
    if receipt.erasure.state == "destroyed":
        wrong += [f"snapshot generation {number}: its key is still there" for number in traces.generations]
    return wrong


def _unlike(said: Erasure, held: Erasure | None) -> list[str]:
    if held is None:
        return ["erasure: this store knows of none with this id"]
    if any(getattr(said, part) != getattr(held, part) for part in _PARTS):
        return ["erasure: the store has it otherwise than the receipt"]
    if said.state == "destroyed" and held.state != "destroyed":
        return ["erasure: done again after an older backup was restored, and not final yet; `gaitkeeper gallery purge`"]
    return []
