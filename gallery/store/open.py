"""Opens a store."""

from pathlib import Path

from sqlalchemy import Engine, exists, select

from gallery.keys.file import FileMasters
from gallery.keys.masters import FILE, Masters
from gallery.store.engine import connect
from gallery.store.failures import as_unavailable
from gallery.store.migrate import upgrade
from gallery.store.replaying import catch_up
from gallery.store.schema import secrets
from gallery.store.store import Store
from model.errors import StoreUnavailable


def open_store(where: Path | str, *, masters: Masters | None = None, database: str | None = None) -> Store:
    """The store of the data directory `where`, made if it is missing, migrated if it is old.

    masters: by default those in `master.key` of the directory, which is made with a new store. database: the URL of a
    PostgreSQL database; by default the SQLite database in the directory. Raises `StoreUnavailable`, saying what to do,
    `KeyUnavailable`, and `InvalidArchive` for a journal of erasures that is damaged or another store's.
    """
    if "://" in str(where):
        raise StoreUnavailable("data needs a directory; the URL of a database is given apart, as GAITKEEPER_DATABASE")
    directory = Path(where)
    with as_unavailable():
        engine = connect(directory, database)
        try:
            upgrade(engine, masters or FileMasters(directory / FILE))
            store = Store(engine, directory, masters or _own(engine, directory))
            catch_up(store)
            return store
        except BaseException:
            engine.dispose()
            raise


def _own(engine: Engine, directory: Path) -> Masters:
    """The key file of the directory; made when first needed, unless something is sealed under one that is lost."""
    with engine.begin() as connection:
        sealed = bool(connection.scalar(select(exists().where(secrets.c.id.is_not(None)))))
    return FileMasters(directory / FILE, make=not sealed)
