import uuid
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from gallery.keys.masters import EnvironmentMasters
from gallery.store import open_store
from gallery.store.engine import connect
from gallery.store.migrate import HEAD, SCRIPTS, upgrade
from gallery.store.schema import metadata
from gallery.template import NewTemplate
from model.errors import KeyUnavailable, StoreUnavailable
from model.sequence import Floats
from tests.postgres import Server

KEYS = f"test:{b64encode(bytes(32)).decode()}"


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str | None]:
    """URL of a database where there is nothing yet, of each kind; None for SQLite's."""
    if request.param == "sqlite":
        yield None
        return
    server: Server = request.getfixturevalue("postgres")
    name = f"migrate_{uuid.uuid4().hex}"
    yield server.create(name)
    server.drop(name)


on_both = pytest.mark.parametrize("database", ["sqlite", "postgresql"], indirect=True)


@on_both
def test_the_migrations_make_the_tables_that_the_code_expects(tmp_path: Path, database: str | None) -> None:
    engine = connect(tmp_path, database)
    upgrade(engine, EnvironmentMasters(KEYS))
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


@on_both
def test_a_migration_that_fails_leaves_nothing_behind(tmp_path: Path, database: str | None) -> None:
    engine = connect(tmp_path, database)
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(text("CREATE TABLE changes (something_else INTEGER)"))
    with pytest.raises(Exception, match="changes"):
        upgrade(engine, EnvironmentMasters(KEYS))
    with engine.connect() as connection:
        found = inspect(connection).get_table_names()
    engine.dispose()
    assert found == ["changes"]


@on_both
def test_several_processes_may_open_a_new_database_at_once(tmp_path: Path, database: str | None) -> None:
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(lambda _: open_store(tmp_path, database=database), range(4)))
    assert len({store.id for store in stores}) == 1
    for store in stores:
        store.close()


@on_both
def test_a_database_of_a_later_version_is_left_alone(tmp_path: Path, database: str | None) -> None:
    open_store(tmp_path, database=database).close()
    engine = connect(tmp_path, database)
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(StoreUnavailable, match="later version"):
        open_store(tmp_path, database=database)


class Old:
    """A database of the first version, as it wrote it: three galleries, one of them erased and one empty."""

    def __init__(self, directory: Path, vectors: Callable[..., Floats]) -> None:
        self.directory = directory
        self.embeddings = vectors(60)
        self.engine = connect(directory)
        with self.engine.connect().execution_options(writes=True) as connection, connection.begin():
            config = Config()
            config.set_main_option("script_location", str(SCRIPTS))
            config.attributes["connection"] = connection
            command.upgrade(config, "0001")
        rows = ((1, "gone"), (2, "staff"), (3, "empty"))
        self.run("INSERT INTO galleries VALUES (:a, :b, 'f', 8, '{\"format\": 1}', 7)", *rows)
        self.run("INSERT INTO subjects VALUES (:a, 2, :b, 7)", *((i, f"s{i}") for i in range(1, 21)))
        self.run(
            "INSERT INTO templates VALUES (:a, 2, 1 + (:a - 1) % 20, :b, 'f', '{\"view\": \"090\"}', 60, 'r' || :a, 7)",
            *((i, each.tobytes()) for i, each in enumerate(self.embeddings, 1)),
        )
        self.run(
            "INSERT INTO changes VALUES (:a, 'enrolled', 2, 1 + (:a - 1) % 20, :a, :b)", *((i, 7) for i in range(1, 61))
        )
        # An erasure and a deletion: their keys must not come again.
        self.run("DELETE FROM templates WHERE id = :a AND :b = ''", (60, ""))
        self.run("DELETE FROM galleries WHERE id = :a AND name = :b", (1, "gone"))

    def run(self, statement: str, *rows: tuple[object, object]) -> None:
        with self.engine.connect().execution_options(writes=True) as connection, connection.begin():
            connection.execute(text(statement), [{"a": a, "b": b} for a, b in rows])


@pytest.fixture
def old(tmp_path: Path, vectors: Callable[..., Floats]) -> Iterator[Old]:
    made = Old(tmp_path, vectors)
    yield made
    made.engine.dispose()


def test_what_an_earlier_version_kept_is_there_after_the_migration(old: Old) -> None:
    old.engine.dispose()
    store = open_store(old.directory)
    assert [(each.name, each.subjects, each.templates) for each in store.galleries()] == [
        ("empty", 0, 0),
        ("staff", 20, 59),
    ]
    _, rows = store.everything("staff")
    assert rows.ids.tolist() == list(range(1, 60))
    assert np.array_equal(rows.embeddings, old.embeddings[:59])
    (first, *_) = store.templates_of("staff", "s1")
    assert (first.id, dict(first.labels), first.frames, first.fingerprint) == (1, {"view": "090"}, 60, "f")
    assert ("s3", "r3") in store.sources("staff")
    assert store.calibration("staff") == {"format": 1}
    assert len(store.update("staff", 0)[1].added.ids) == 59
    assert store.check() == []
    (added,) = store.enroll("staff", "f", [NewTemplate("s1", old.embeddings[0])])
    assert added.template == 61
    assert store.enroll("staff", "f", [NewTemplate("s1", old.embeddings[0], source="r1")])[0].repeated
    assert store.head("staff").seq == 61
    store.create_gallery("later", "f", 8)
    assert store.head("later").key == 4
    store.close()


def test_nothing_that_an_earlier_version_kept_in_the_clear_stays_in_any_file(old: Old) -> None:
    assert any(old.embeddings[0].tobytes() in file.read_bytes() for file in old.directory.iterdir())
    store = open_store(old.directory)  # while another process has it open, and its log is not empty
    for file in old.directory.iterdir():
        content = file.read_bytes()
        assert not any(each.tobytes() in content for each in old.embeddings), file
        assert not any(each.tobytes()[:16] in content for each in old.embeddings), file
    store.close()


def test_a_reader_of_before_delays_the_cleaning_to_the_next_opening(old: Old) -> None:
    with old.engine.connect() as reader:
        assert reader.execute(text("SELECT count(*) FROM templates")).scalar() == 59
        store = open_store(old.directory)
        assert store.gallery("staff").gallery.templates == 59
        store.close()
        assert any(old.embeddings[0].tobytes() in file.read_bytes() for file in old.directory.iterdir())
    open_store(old.directory).close()
    assert not any(old.embeddings[0].tobytes() in file.read_bytes() for file in old.directory.iterdir())


def test_a_migration_without_its_master_key_changes_nothing(old: Old) -> None:
    class Lost:
        current = "lost"

        def wrap(self, plain: bytes, bound: bytes) -> tuple[str, bytes]:
            raise KeyUnavailable("lost", "cannot be reached")

        def unwrap(self, name: str, wrapped: bytes, bound: bytes) -> bytes:
            raise KeyUnavailable("lost", "cannot be reached")

    with pytest.raises(KeyUnavailable, match="cannot be reached"):
        open_store(old.directory, masters=Lost())
    with old.engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "0001"
    store = open_store(old.directory)
    assert store.gallery("staff").gallery.templates == 59
    store.close()
