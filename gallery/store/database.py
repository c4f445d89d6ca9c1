"""Transactions: who reads sees one moment, who writes is alone."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from sqlalchemy import Connection, Engine

from gallery.keys.masters import Masters
from gallery.store.engine import BUSY_MS, begin_writing, read_only, single
from gallery.store.failures import as_unavailable
from gallery.store.secrets import Secrets
from model.errors import StoreUnavailable


class Database:
    """A database and the keys of what is sealed in it. kind: of database."""

    def __init__(self, engine: Engine, masters: Masters) -> None:
        self._engine, self._reader, self._single = engine, read_only(engine), single(engine)
        self._writer = engine.execution_options(writes=True)
        self._writing = threading.Lock()
        self.masters = masters
        self.secrets = Secrets(masters)
        self.kind: Literal["sqlite", "postgresql"] = "sqlite" if engine.dialect.name == "sqlite" else "postgresql"

    def close(self) -> None:
        self.secrets.forget()
        self._engine.dispose()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One moment of the database: what other writers do meanwhile is not seen."""
        with as_unavailable(), self._reader.connect() as connection:
            connection.begin()
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that writes, alone; what is done in it is on the disk when the block is left, or not done.

        Not to be nested: the inner one would wait for the outer one.
        """
        with self._turn(), as_unavailable(), self._writer.connect() as connection:
            connection.begin()
            begin_writing(connection)
            try:
                yield connection
                # Leaving without this undoes everything; only after it does the caller go on.
                with as_unavailable(committing=True):
                    connection.commit()
            except BaseException:
                self.secrets.undo()
                raise

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Writers of this process wait here, where they are woken in time and hold no connection."""
        if not self._writing.acquire(timeout=BUSY_MS / 1000):
            raise StoreUnavailable("another operation has been writing for too long; repeat when it has finished")
        try:
            yield
        finally:
            self._writing.release()

    @contextmanager
    def ask(self) -> Iterator[Connection]:
        """For one statement that reads."""
        with as_unavailable(), self._single.connect() as connection:
            yield connection
