"""Generations of index snapshots: each has a row and a key of its own, destroyed when it may no longer be read.

A generation is numbered by its key. Its row is there before its file, and is refused where something was erased from
the gallery after the change that the snapshot is of. So an erasure that has committed finds the row of every snapshot
that may hold what it erased: those of earlier changes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, exists, insert, select

from gallery.keys.sealing import bound_to, new_key
from gallery.store.audit import append
from gallery.store.moments import moment, when
from gallery.store.rows import Change
from gallery.store.schema import changes, galleries, secrets, snapshots
from gallery.store.secrets import unsealed
from gallery.store.store import Store
from model.errors import KeyUnavailable

_ERASED = (Change.TEMPLATE_ERASED.value, Change.SUBJECT_ERASED.value)


@dataclass(frozen=True, slots=True)
class Generation:
    """A snapshot of gallery `gallery` (key) as of change `seq`; number: of its key."""

    number: int
    gallery: int
    seq: int
    created: datetime


def begin(store: Store, gallery: int, seq: int) -> tuple[int, bytes] | None:
    """Number and key of a new generation of a gallery (key) as of change `seq`.

    None where something was erased after that, or the gallery is gone: then what was to be kept must not be.
    """
    with store.write() as connection:
        there = connection.scalar(select(galleries.c.id).where(galleries.c.id == gallery)) is not None
        if not there or _erased_after(connection, gallery, seq):
            return None
        key = new_key()
        number = store.secrets.add(connection, gallery, "snapshot", key)
        row = {"generation": number, "gallery_id": gallery, "seq": seq, "created": moment()}
        connection.execute(insert(snapshots).values(row))
        append(connection, store, "snapshot", gallery, generation=number, change=seq)
        return number, key


def _erased_after(connection: Connection, gallery: int, seq: int) -> bool:
    later = (changes.c.gallery_id == gallery, changes.c.seq > seq, changes.c.kind.in_(_ERASED))
    return bool(connection.scalar(select(exists().where(*later))))


def generations(store: Store, gallery: int | None = None) -> list[Generation]:
    """Of one gallery (key), or of all: those whose keys are there, newest first."""
    there = secrets.c.id == snapshots.c.generation
    wanted = select(snapshots).join(secrets, there).order_by(snapshots.c.generation.desc())
    if gallery is not None:
        wanted = wanted.where(snapshots.c.gallery_id == gallery)
    with store.read() as connection:
        return [Generation(row[0], row[1], row[2], when(row[3])) for row in connection.execute(wanted)]


def stale(store: Store, gallery: int) -> list[Generation]:
    """Generations of a gallery (key) from which something was erased after them: they may not be read again."""
    with store.read() as connection:
        rows = connection.execute(select(snapshots).where(snapshots.c.gallery_id == gallery)).all()
        return [
            Generation(row[0], row[1], row[2], when(row[3]))
            for row in rows
            if _erased_after(connection, gallery, row.seq)
        ]


def key_of(store: Store, generation: Generation) -> bytes:
    """A generation's key, which this process is not to remember. Raises `KeyUnavailable` where it was destroyed."""
    number = generation.number
    with store.read() as connection:
        row = connection.execute(select(secrets).where(secrets.c.id == number)).one_or_none()
        if row is None:
            raise KeyUnavailable(f"snapshot {number}", "was destroyed")
        sealer = store.secrets.sealer(connection, int(row.wrapped_by))
        return unsealed(sealer, row.wrapped, bound_to("snapshot", generation.gallery, number))


def destroy(store: Store, numbers: Sequence[int]) -> None:
    """Destroy the keys of generations, wherever their files are; some may be gone already."""
    if not numbers:
        return
    with store.write() as connection:
        for number in numbers:
            gallery = connection.scalar(select(snapshots.c.gallery_id).where(snapshots.c.generation == number))
            store.secrets.destroy(connection, number)
            connection.execute(delete(snapshots).where(snapshots.c.generation == number))
            if gallery is not None:
                append(connection, store, "snapshot_destroy", gallery, generation=number)
