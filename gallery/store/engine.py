"""Opens the database: file permissions, how SQLite is to keep its promises, and the migrations."""

import os
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL

DATABASE = "gaitkeeper.db"
BUSY_MS = 10_000

_PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_MS}",
    # Readers go on while one writes, and a commit is on the disk before it is acknowledged.
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    # What is erased is overwritten in the file, not just marked as free.
    "PRAGMA secure_delete = ON",
    "PRAGMA cache_size = -16000",
    "PRAGMA journal_size_limit = 67108864",
)


def connect(directory: Path) -> Engine:
    """An engine on the database in `directory`; both are made, for this user only, where they are missing.

    Raises OSError and SQLAlchemy's errors; `failures.as_unavailable` is around it.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = directory / DATABASE
    # SQLite gives its -wal and -shm files the permissions of this one.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    engine = create_engine(URL.create("sqlite", database=str(path)), pool_size=8, max_overflow=32, pool_timeout=10)
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: sqlite3.Connection, _: Any) -> None:
    # We say BEGIN ourselves: Python's module would leave changes of the schema outside the transaction.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma).close()


def _begin(connection: Connection) -> None:
    # A writer takes its lock at once: one that reads first and writes later can meet another and deadlock.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
