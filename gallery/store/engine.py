"""Opens the database: SQLite in the data directory, or PostgreSQL; how each is to keep its promises."""

import os
import select
import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError

from model.errors import StoreUnavailable

DATABASE = "gaitkeeper.db"
BUSY_MS = 10_000
OLDEST = (15,)  # of PostgreSQL

_PRAGMAS = (
    f"PRAGMA busy_timeout = {BUSY_MS}",
    # Readers go on while one writes, and a commit is on the disk before it is acknowledged.
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    # What is erased is overwritten in the file, not just marked as free.
    "PRAGMA secure_delete = ON",
    "PRAGMA cache_size = -4000",
    "PRAGMA journal_size_limit = 67108864",
)

# One writer at a time, so that numbers of changes are committed in their order and the audit chain has one end.
_WRITERS = 0x6761_6974
_POSTGRESQL_SETTINGS = {
    "lock_timeout": BUSY_MS,
    # A writer whose host vanished must not keep all others waiting.
    "idle_in_transaction_session_timeout": 300_000,
    # Whatever the server's default is: acknowledged means on the disk.
    "synchronous_commit": "on",
    "timezone": "UTC",
}
_POOL = {"pool_size": 8, "max_overflow": 32, "pool_timeout": 10, "pool_use_lifo": True}
# A server has a hundred by default, for all processes of all hosts.
_POSTGRESQL_POOL = {"pool_size": 5, "max_overflow": 10, "pool_timeout": 10, "pool_use_lifo": True}


def connect(directory: Path, database: str | None = None) -> Engine:
    """An engine on the database in `directory`, or on the one that the URL `database` names.

    The directory, and SQLite's file, are made for this user only where they are missing. Raises `StoreUnavailable` for
    a URL that is not understood, OSError and SQLAlchemy's errors; `failures.as_unavailable` is around it.
    """
    url = None if database is None else _understood(database)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    return _sqlite(directory) if url is None else _postgresql(url)


def read_only(engine: Engine) -> Engine:
    """The same pool for transactions that read, each one moment of the database."""
    if engine.dialect.name == "sqlite":
        return engine
    return engine.execution_options(isolation_level="REPEATABLE READ")


def single(engine: Engine) -> Engine:
    """The same pool for connections that read with one statement, which needs no transaction around it."""
    if engine.dialect.name == "sqlite":
        return engine.execution_options(single=True)
    return engine.execution_options(isolation_level="AUTOCOMMIT")


def check_server(connection: Connection) -> None:
    """Raises `StoreUnavailable` where a PostgreSQL server is too old, or its database cannot hold every name."""
    version = connection.dialect.server_version_info or (0,)
    if version < OLDEST:
        found = ".".join(map(str, version))
        raise StoreUnavailable(f"the server is PostgreSQL {found}; {OLDEST[0]} or a later one is needed")
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
    if encoding != "UTF8":
        raise StoreUnavailable(f"the database's encoding is {encoding}; make one with ENCODING 'UTF8'")


def begin_writing(connection: Connection) -> None:
    """To be called first in a transaction that writes; waits until no other one does, for `BUSY_MS` at most."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_WRITERS})"))


def _understood(database: str) -> URL:
    # The URL may hold a password: nothing of it goes into an error.
    try:
        url = make_url(database)
    except (ArgumentError, ValueError):
        raise StoreUnavailable("the database must be given as postgresql://USER@HOST/NAME") from None
    if url.drivername not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise StoreUnavailable(
            "the database must be PostgreSQL, postgresql://USER@HOST/NAME; without one, data is kept in SQLite"
        )
    return url.set(drivername="postgresql+psycopg")


def _sqlite(directory: Path) -> Engine:
    path = directory / DATABASE
    # SQLite gives its -wal and -shm files the permissions of this one.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    engine = create_engine(URL.create("sqlite", database=str(path)), hide_parameters=True, **_POOL)
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    return engine


def _configure(connection: sqlite3.Connection, _: Any) -> None:
    # We say BEGIN ourselves: Python's module would leave changes of the schema outside the transaction.
    connection.isolation_level = None
    for pragma in _PRAGMAS:
        connection.execute(pragma).close()


def _begin(connection: Connection) -> None:
    options = connection.get_execution_options()
    if options.get("single", False):
        return
    # A writer takes its lock at once: one that reads first and writes later can meet another and deadlock.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writes", False) else "BEGIN")


def _postgresql(url: URL) -> Engine:
    settings = " ".join(f"-c {name}={value}" for name, value in _POSTGRESQL_SETTINGS.items())
    arguments = {
        "options": settings,
        "application_name": "gaitkeeper",
        "client_encoding": "utf8",
        "connect_timeout": 10,
        # A peer that vanished without a word is noticed in about half a minute.
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 30_000,
    }
    given = {name: value for name, value in arguments.items() if name not in url.query}
    engine = create_engine(url, hide_parameters=True, connect_args=given, **_POSTGRESQL_POOL)
    event.listen(engine, "checkout", _refuse_closed)
    return engine


def _refuse_closed(connection: Any, record: Any, proxy: Any) -> None:
    """An idle connection that has something to say was ended by the server: another is made instead."""
    del record, proxy
    if connection.closed:
        raise DisconnectionError
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN | select.POLLHUP)
    if poll.poll(0):
        raise DisconnectionError
