"""Databases on a PostgreSQL server, with all tables and one for each test."""

import contextlib
import uuid

import psycopg
from psycopg import sql

from gallery.store.schema import metadata
from tests.postgres import Server

KEPT_BYTES = 30 << 20


class Databases:
    """Databases with the tables of `template`, one for each test.

    To copy a database takes ten times as long as to empty one, so one that was given back is given out again: without
    rows, and under another name, so that nobody who was left over from an earlier test finds it.
    """

    def __init__(self, server: Server, template: str) -> None:
        self._server, self._template = server, template
        self._free: list[str] = []

    def take(self) -> str:
        """The URL of a database without rows, but for those of the template that nothing can be without."""
        name = f"test_{uuid.uuid4().hex}"
        while self._free:
            with contextlib.suppress(psycopg.Error):
                self._server.do("ALTER DATABASE {} RENAME TO {}", self._free.pop(), name)
                _empty(self._server.url(name))
                return self._server.url(name)
            self._server.drop(name)
        return self._server.create(name, self._template)

    def give_back(self, url: str) -> None:
        """End what is connected to it, and keep it for the next test unless it has grown."""
        name = url.rpartition("/")[2]
        with psycopg.connect(self._server.url(), autocommit=True) as connection:
            connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS false").format(sql.Identifier(name)))
            others = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = %s"
            connection.execute(others, [name])
            row = connection.execute("SELECT pg_database_size(%s)", [name]).fetchone()
            connection.execute(sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS true").format(sql.Identifier(name)))
        if row is not None and row[0] < KEPT_BYTES:
            self._free.append(name)
        else:
            self._server.drop(name)


def _empty(url: str) -> None:
    with psycopg.connect(url) as connection:
        for table in reversed(metadata.sorted_tables):
            if table.name not in ("counters", "identity"):
                connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table.name)))
        connection.execute("UPDATE counters SET last = 0")
        connection.execute("UPDATE identity SET store = gen_random_uuid(), epoch = 0")
