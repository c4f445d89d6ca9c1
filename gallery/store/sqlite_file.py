"""SQLite's file without the engine: what must not run inside one of the store's transactions."""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from gallery.store.failures import as_unavailable, explain
from model.errors import StoreUnavailable

# Is told how many pages are done, and of how many.
Progress: TypeAlias = Callable[[int, int], None]

_PAGES = 2000


@contextmanager
def file_errors() -> Iterator[None]:
    """Turn what SQLite or the disk raises into `StoreUnavailable`."""
    try:
        with as_unavailable():
            yield
    except sqlite3.Error as error:
        raise StoreUnavailable(explain(error)) from error


def opened(path: Path, mode: str = "rw") -> sqlite3.Connection:
    """A connection outside transactions. mode: `ro`, `rw`, or `rwc` to make the file if it is missing."""
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=1)


def in_use(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorname", "").startswith(("SQLITE_BUSY", "SQLITE_LOCKED"))


def copy(source: sqlite3.Connection, target: sqlite3.Connection, progress: Progress | None = None) -> None:
    """All pages, as one transaction of the target. One moment of the source only if that is in a transaction."""

    def told(status: int, left: int, total: int) -> None:
        del status
        if progress is not None:
            progress(total - left, total)

    source.backup(target, pages=_PAGES, progress=told, sleep=0)


def synced(path: Path) -> None:
    """Bring a file, or the names in a directory, to the disk."""
    file = os.open(path, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def remove(path: Path, *, log_only: bool = False) -> None:
    """Delete a database's files, or only those beside it that hold what is not in it yet."""
    for suffix in ("-wal", "-shm", "-journal") if log_only else ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
