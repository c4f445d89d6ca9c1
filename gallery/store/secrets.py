"""The store's keys, each wrapped by the one above it; what is unwrapped stays in this process only.

master key (`gallery/keys/masters.py`) → `signing`, `webhook`, `job`, and of each gallery `gallery` and `source` →
of a gallery's key: `transform`, `snapshot` and the data keys of its subjects. A key that is destroyed takes with it
all that it sealed.
"""

import threading
from collections import deque
from dataclasses import dataclass
from typing import Any, Final, Protocol

from sqlalchemy import Connection, delete, func, insert, select

from gallery.keys.masters import Masters
from gallery.keys.sealing import Sealer, bound_to, new_key
from gallery.store.audit import Note
from gallery.store.counters import next_keys
from gallery.store.moments import moment
from gallery.store.schema import secrets
from model.errors import InvalidArchive, KeyUnavailable, StoreUnavailable

DAMAGED: Final = (
    "something sealed in it is damaged or not where it belongs; `gaitkeeper store check` names it: "
    "erase that template, or stop all that use it and restore a backup"
)

# These are wrapped by the master key; `source` belongs to all generations of a gallery, so none of them may hold it.
BY_MASTER: Final = frozenset({"signing", "gallery", "source", "webhook", "job"})


@dataclass(frozen=True, slots=True, repr=False)
class GalleryKey:
    """number: in the table `secrets`."""

    number: int
    key: bytes


class Subject(Protocol):
    """A row of `subjects`, as far as its data key is concerned."""

    id: int
    gallery_id: int
    data_key: bytes
    wrapped_by: int


class Secrets:
    """Any thread may call any method, with a connection of `Store.read` or `Store.write`.

    Raises `KeyUnavailable` where the master key is not to be had, or a key was destroyed.

    used: which keys a master key has unwrapped here, for the audit log (`audit.append_many`).
    """

    def __init__(self, masters: Masters) -> None:
        self.masters = masters
        self.used: deque[Note] = deque()
        self._keys: dict[int, bytes] = {}
        self._sealers: dict[int, Sealer] = {}
        self._sources: dict[int, bytes] = {}
        self._made: set[int] = set()
        self._agreed = False
        self._lock = threading.Lock()

    def gallery_key(self, connection: Connection, gallery_id: int) -> GalleryKey:
        """The newest key of a gallery: what new data keys and secrets are wrapped by."""
        return self._newest(connection, gallery_id, "gallery")

    def source_key(self, connection: Connection, family: int) -> bytes:
        """What the sources in all generations of a gallery are hashed with; it is never exchanged."""
        known = self._sources.get(family)
        if known is None:
            known = self._newest(connection, family, "source").key
            with self._lock:
                self._sources[family] = known
        return known

    def newest(self, connection: Connection, gallery_id: int, kind: str) -> GalleryKey | None:
        """The newest secret of this kind that a gallery has, if it has one."""
        of_kind = (secrets.c.gallery_id == gallery_id, secrets.c.kind == kind)
        number = connection.scalar(select(secrets.c.id).where(*of_kind).order_by(secrets.c.id.desc()).limit(1))
        return None if number is None else GalleryKey(number, self.key(connection, number))

    def _newest(self, connection: Connection, gallery_id: int, kind: str) -> GalleryKey:
        found = self.newest(connection, gallery_id, kind)
        if found is None:
            raise KeyUnavailable(f"{kind} of gallery {gallery_id}", "was destroyed")
        return found

    def key(self, connection: Connection, number: int) -> bytes:
        """A secret by its number."""
        known = self._keys.get(number)
        if known is not None:
            return known
        row = connection.execute(select(secrets).where(secrets.c.id == number)).one_or_none()
        if row is None:
            raise KeyUnavailable(f"number {number}", "was destroyed, and with it what it sealed")
        bound = bound_to(row.kind, row.gallery_id or 0, number)
        if row.kind in BY_MASTER:
            plain = self.masters.unwrap(row.wrapped_by, row.wrapped, bound)
            used = {"key": number, "kind": row.kind, "master": row.wrapped_by}
            self.used.append(Note("use_key", row.gallery_id, None, used))
        else:
            plain = unsealed(self.sealer(connection, int(row.wrapped_by)), row.wrapped, bound)
        with self._lock:
            self._keys[number] = plain
        return plain

    def sealer(self, connection: Connection, number: int) -> Sealer:
        """Seals under the secret of this number."""
        known = self._sealers.get(number)
        if known is None:
            known = Sealer(self.key(connection, number))
            with self._lock:
                self._sealers[number] = known
        return known

    def add(self, connection: Connection, gallery_id: int | None, kind: str, plain: bytes) -> int:
        """Keep a secret, wrapped; returns its number."""
        number = next_keys(connection, "secrets", 1)
        self._made.add(number)
        wrapped_by, wrapped = self.wrap(connection, gallery_id, kind, number, plain)
        values = {"id": number, "gallery_id": gallery_id, "kind": kind, "created": moment()}
        connection.execute(insert(secrets).values(**values, wrapped=wrapped, wrapped_by=wrapped_by))
        return number

    def wrap(
        self, connection: Connection, gallery_id: int | None, kind: str, number: int, plain: bytes
    ) -> tuple[str, bytes]:
        """`wrapped_by` and `wrapped` of a row, under the newest key that wraps this kind."""
        bound = bound_to(kind, gallery_id or 0, number)
        if kind in BY_MASTER:
            self.check_masters(connection)
            return self.masters.wrap(plain, bound)
        assert gallery_id is not None
        above = self.gallery_key(connection, gallery_id)
        return str(above.number), self.sealer(connection, above.number).seal(plain, bound)

    def check_masters(self, connection: Connection) -> None:
        """Raises `KeyUnavailable` where these masters cannot unwrap what is there: they are others, perhaps made here
        just now because the file was not, and what they wrapped nobody else could read."""
        if not self._agreed:
            wanted = select(func.max(secrets.c.id)).where(secrets.c.kind.in_(BY_MASTER))
            number = connection.scalar(wanted)
            if number is not None:
                self.key(connection, number)
                self._agreed = True

    def destroy(self, connection: Connection, number: int) -> None:
        """Forget a secret, here and in the database; it may be gone already."""
        connection.execute(delete(secrets).where(secrets.c.id == number))
        with self._lock:
            self._keys.pop(number, None)
            self._sealers.pop(number, None)

    def undo(self) -> None:
        """To be called when a transaction that writes is undone: a key that was made in it never was, and its number
        will be another key's. Those that this process made and that were kept are read again when they are needed."""
        with self._lock:
            for number in self._made:
                self._keys.pop(number, None)
                self._sealers.pop(number, None)
            self._made.clear()
            self._sources.clear()

    def forget(self) -> None:
        """Drop what this process has unwrapped."""
        with self._lock:
            self._keys.clear()
            self._sealers.clear()
            self._sources.clear()

    def data_key(self, connection: Connection, row: Subject | Any) -> bytes:
        """The data key of a row of `subjects`."""
        bound = bound_to("data key", row.gallery_id, row.id)
        return unsealed(self.sealer(connection, row.wrapped_by), row.data_key, bound)

    def new_data_key(self, connection: Connection, gallery_id: int, subject_id: int) -> tuple[bytes, bytes, int]:
        """(plain, wrapped, number of the gallery's key that wrapped it) for a new subject."""
        above, plain = self.gallery_key(connection, gallery_id), new_key()
        bound = bound_to("data key", gallery_id, subject_id)
        return plain, self.sealer(connection, above.number).seal(plain, bound), above.number

    def signing_key(self, connection: Connection) -> bytes:
        """The key that signs receipts and archives; made at its first use, so `connection` must be one that writes."""
        from gallery.keys.signing import new_signing_key

        of_kind = select(secrets.c.id).where(secrets.c.kind == "signing").order_by(secrets.c.id.desc()).limit(1)
        number = connection.scalar(of_kind)
        if number is None:
            number = self.add(connection, None, "signing", new_signing_key())
        return self.key(connection, number)


def unsealed(sealer: Sealer, sealed: bytes, bound: bytes) -> bytes:
    """What the database has sealed. Raises `StoreUnavailable` where it is damaged or not in its place."""
    try:
        return sealer.unseal(sealed, bound)
    except (InvalidArchive, TypeError) as error:  # SQLite takes anything in any column
        raise StoreUnavailable(DAMAGED) from error
