"""Backups of SQLite's database, made while others write. `restoring.py` puts one in the place of the database.

A backup is a database file of one moment. It holds what the database holds, sealed; the master key is not in it, nor
is the journal of erasures: that stays where it is, and is held against whatever is restored.
"""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from gallery.store.audit import append
from gallery.store.engine import DATABASE
from gallery.store.sqlite_file import Progress, copy, file_errors, opened, remove, synced
from gallery.store.store import Store
from model.errors import InvalidRequest, StoreUnavailable


def backup(store: Store, out: Path, *, progress: Progress | None = None) -> None:
    """Copy the database as it is at this moment to the new file `out`, readable by this user only.

    Raises `InvalidRequest` where there is a file already, and `StoreUnavailable`.
    """
    if store.kind != "sqlite":
        raise StoreUnavailable("it is in PostgreSQL: back it up with pg_dump")
    _refuse_existing(out)
    with store.write() as connection:
        store.secrets.signing_key(connection)  # so that receipts can be checked whichever backup is restored
        append(connection, store, "backup")
    with file_errors(), _new_file(out) as part:
        with closing(opened(store.directory / DATABASE)) as source, closing(opened(part)) as target:
            # It is a whole file or none: nothing needs to be undone in it.
            for pragma in ("journal_mode = OFF", "synchronous = OFF"):
                target.execute(f"PRAGMA {pragma}").close()
            # One moment, however long it takes and however much is written meanwhile.
            source.execute("BEGIN").close()
            source.execute("SELECT count(*) FROM identity").fetchall()
            copy(source, target, progress)
        with closing(opened(part)) as target:
            target.execute("PRAGMA journal_mode = DELETE").close()


@contextmanager
def _new_file(out: Path) -> Iterator[Path]:
    """A name to write to, which becomes `out` when all is written and on the disk; else nothing is left."""
    part = out.with_name(f".{out.name}.part-{os.getpid()}")
    try:
        os.close(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        yield part
        synced(part)
        _refuse_existing(out)
        part.replace(out)
        synced(out.parent)
    finally:
        remove(part)


def _refuse_existing(out: Path) -> None:
    if out.exists():
        raise InvalidRequest("out", f"{out} exists already, and is not overwritten")
