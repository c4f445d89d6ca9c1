from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

from gallery.store import open_store
from gallery.store.engine import connect
from gallery.store.migrate import HEAD, SCRIPTS, upgrade
from gallery.store.schema import metadata
from model.errors import StoreUnavailable


def test_the_migrations_make_the_tables_that_the_code_expects(tmp_path: Path) -> None:
    engine = connect(tmp_path)
    upgrade(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_the_head_that_the_code_knows_is_that_of_the_migrations() -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_a_database_is_migrated_once_and_opened_as_it_is_later(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    first = (tmp_path / "gaitkeeper.db").read_bytes()
    open_store(tmp_path).close()
    assert (tmp_path / "gaitkeeper.db").read_bytes() == first


def test_a_migration_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    engine = connect(tmp_path)
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(text("CREATE TABLE changes (something_else INTEGER)"))
    with pytest.raises(Exception, match="changes"):
        upgrade(engine)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars().all()
    engine.dispose()
    assert found == ["changes"]


def test_a_database_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    open_store(tmp_path).close()
    engine = connect(tmp_path)
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(StoreUnavailable, match="later version"):
        open_store(tmp_path)
