"""Brings a database to the present schema, from nothing or from any earlier one."""

from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import OperationalError

from gallery.keys.masters import Masters
from gallery.store.engine import BUSY_MS, begin_writing, check_server
from model.errors import StoreUnavailable

HEAD = "0004"
SCRIPTS = Path(__file__).parent / "migrations"

# SQLite's `user_version` where nothing that a migration overwrote is left in the files.
_CLEAN = 2
# How long that waits for readers before it is left to the next opening.
_PATIENCE_MS = 500


def upgrade(engine: Engine, masters: Masters) -> None:
    """Apply what is missing, all of it or nothing; what was in the clear is sealed under `masters`.

    Raises `StoreUnavailable` for a database of a later version, `KeyUnavailable` where a key is needed.
    """
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            check_server(connection)
        current = _revision(connection) == HEAD
    if not current:
        # Several processes may open a new directory at once: the one that gets the lock does the work.
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            begin_writing(connection)
            if _revision(connection) != HEAD:
                _apply(connection, masters)
    if engine.dialect.name == "sqlite":
        _clean(engine)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def _apply(connection: Connection, masters: Masters) -> None:
    # Half a command's start-up time, and wanted once in the life of a database.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    config.attributes["masters"] = masters
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreUnavailable(
            f"it was written by a later version of gaitkeeper (schema {_revision(connection)}, known is {HEAD}); "
            "use that version"
        ) from error


def _clean(engine: Engine) -> None:
    """Leave no page of an earlier version in SQLite's files, its write-ahead log among them.

    Pages that are given up are overwritten (`secure_delete`), but the log may have older copies. Done again at the
    next opening if this process is killed meanwhile, another one is still reading, or there is no room for a VACUUM.
    """
    with engine.execution_options(single=True).connect() as connection:
        if connection.exec_driver_sql("PRAGMA user_version").scalar_one() >= _CLEAN:
            return
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {_PATIENCE_MS}")
        if not _empty_log(connection):
            with suppress(OperationalError):
                connection.exec_driver_sql("VACUUM")
                connection.exec_driver_sql(f"PRAGMA user_version = {_CLEAN}")
            _empty_log(connection)
        connection.exec_driver_sql(f"PRAGMA busy_timeout = {BUSY_MS}")


def _empty_log(connection: Connection) -> bool:
    """Bring SQLite's write-ahead log into the database and empty it; True where somebody still reads it."""
    return bool(connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0])
