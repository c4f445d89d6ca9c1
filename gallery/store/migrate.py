"""Brings a database to the present schema, from nothing or from any earlier one."""

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from model.errors import StoreUnavailable

HEAD = "0001"
SCRIPTS = Path(__file__).parent / "migrations"


def upgrade(engine: Engine) -> None:
    """Apply what is missing, all of it or nothing. Raises `StoreUnavailable` for a database of a later version."""
    with engine.begin() as connection:
        if _revision(connection) == HEAD:
            return
    # Several processes may open a new directory at once: the one that gets the lock does the work.
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if _revision(connection) != HEAD:
            _apply(connection)


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def _apply(connection: Connection) -> None:
    # Half a command's start-up time, and wanted once in the life of a database.
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreUnavailable(
            f"it was written by a later version of gaitkeeper (schema {_revision(connection)}, known is {HEAD}); "
            "use that version"
        ) from error
