"""What a server that is gone, full, closed to us or only to be read does: a clear error, and nothing is lost."""

import logging
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from gallery.store import Store, open_store, removing
from gallery.store.engine import _WRITERS
from gallery.template import NewTemplate
from model.errors import InvalidRequest, StoreUnavailable, UnknownSubject
from model.sequence import Floats
from tests.postgres import PASSWORD, PrivateServer, Server

Vectors = Callable[..., Floats]
BUNDLE = "b" * 64


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path, postgres: Server) -> Iterator[str]:
    """PostgreSQL's only: SQLite fails in `test_failures.py`."""
    name = f"failing_{tmp_path.name}"
    yield postgres.create(name)
    postgres.drop(name)


@pytest.fixture
def staff(store: Store, vectors: Vectors) -> Store:
    store.create_gallery("staff", BUNDLE, 8)
    store.enroll("staff", BUNDLE, [NewTemplate("ann", vectors(1)[0])])
    return store


def refused(store: Store, vectors: Vectors, why: str) -> None:
    """An enrollment of many fails with these words."""
    with pytest.raises(StoreUnavailable, match=why):
        store.enroll("staff", BUNDLE, [NewTemplate("bob", each) for each in vectors(300)])


def works(store: Store, vectors: Vectors) -> None:
    """What was acknowledged is there, nothing else is, and more can be enrolled."""
    assert [subject.id for subject in store.subjects("staff")] == ["ann"]
    store.enroll("staff", BUNDLE, [NewTemplate("eve", vectors(1)[0])])
    assert store.check() == []


def test_a_server_that_ends_is_explained_and_found_again_when_it_is_back(tmp_path: Path, vectors: Vectors) -> None:
    with PrivateServer() as own:
        store = open_store(tmp_path, database=own.server.create("staff"))
        store.create_gallery("staff", BUNDLE, 8)
        store.enroll("staff", BUNDLE, [NewTemplate("ann", vectors(1)[0])])
        own.stop(signal.SIGQUIT)  # as in a crash: nothing is written any more
        refused(store, vectors, "does not answer")
        with pytest.raises(StoreUnavailable, match="does not answer"):
            store.head("staff")
        own.start()
        works(store, vectors)
        with pytest.raises(StoreUnavailable, match="does not answer"), store.write() as connection:  # noqa: PT012
            removing.erase_subject(connection, store, store.head("staff"), "ann")
            own.stop()
            connection.exec_driver_sql("SELECT 1")
        own.start()
        assert [subject.id for subject in store.subjects("staff")] == ["ann", "eve"]
        store.close()


def test_a_connection_that_is_lost_in_the_commit_leaves_it_open_what_became_of_it(
    staff: Store, postgres: Server
) -> None:
    with pytest.raises(StoreUnavailable, match="look before you repeat"), staff.write() as connection:  # noqa: PT012
        process = connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        with psycopg.connect(postgres.url(), autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [process])
    assert [subject.id for subject in staff.subjects("staff")] == ["ann"]


def test_a_full_disk_refuses_the_whole_enrollment_and_the_store_goes_on(
    staff: Store, database: str, vectors: Vectors
) -> None:
    # Where a server's disk can be filled differs; what it says then does not.
    with psycopg.connect(database) as other:
        other.execute(
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.id > 100 THEN"
            " RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END IF; RETURN NEW;"
            " END $$"
        )
        other.execute("CREATE TRIGGER refuse BEFORE INSERT ON templates FOR EACH ROW EXECUTE FUNCTION refuse()")
    refused(staff, vectors, "disk is full; free some space and repeat: nothing of this operation was kept")
    works(staff, vectors)


def test_a_database_that_may_only_be_read_says_so_and_still_answers(
    staff: Store, database: str, postgres: Server, vectors: Vectors, open_again: Callable[[], Store]
) -> None:
    staff.close()
    name = database.rpartition("/")[2]
    postgres.do("ALTER DATABASE {} SET default_transaction_read_only = on", name)
    again = open_again()
    refused(again, vectors, "may only be read")
    assert len(again.everything("staff")[1].ids) == 1
    again.close()
    postgres.do("ALTER DATABASE {} RESET default_transaction_read_only", name)
    works(open_again(), vectors)


def test_a_server_that_takes_no_more_connections_says_so(tmp_path: Path, database: str, postgres: Server) -> None:
    postgres.do(f"CREATE ROLE {{}} LOGIN PASSWORD '{PASSWORD}'", tmp_path.name)
    name = database.rpartition("/")[2]
    postgres.do("ALTER DATABASE {} CONNECTION LIMIT 0", name)
    with pytest.raises(StoreUnavailable, match="max_connections"):
        open_store(tmp_path, database=postgres.url(name, user=tmp_path.name))
    postgres.do("DROP ROLE {}", tmp_path.name)


def test_a_user_who_may_not_use_it_is_told(tmp_path: Path, database: str, postgres: Server, staff: Store) -> None:
    postgres.do(f"CREATE ROLE {{}} LOGIN PASSWORD '{PASSWORD}'", tmp_path.name)
    with pytest.raises(StoreUnavailable, match="owner"):
        open_store(tmp_path, database=postgres.url(database.rpartition("/")[2], user=tmp_path.name))
    postgres.do("DROP ROLE {}", tmp_path.name)


def test_a_writer_that_waits_too_long_for_another_says_so(staff: Store, database: str, vectors: Vectors) -> None:
    with psycopg.connect(database) as other:
        other.execute("SELECT pg_advisory_xact_lock(%s)", [_WRITERS])
        with staff._writer.connect() as connection:  # its settings outlive what it is borrowed for
            connection.exec_driver_sql("SET lock_timeout = 50")
            connection.commit()
        refused(staff, vectors, "another process has been writing")
        assert staff.subject("staff", "ann").templates == 1  # readers go on
    works(staff, vectors)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("postgresql://keeper:unsaid@127.0.0.1:{port}/postgres", "user or password"),
        ("postgresql://nobody:unsaid@127.0.0.1:{port}/postgres", "user or password"),
        ("postgresql://keeper:unsaid@127.0.0.1:1/postgres", "does not answer"),
        ("postgresql://keeper:unsaid@no.such.host.invalid/postgres", "no such host"),
        ("postgresql://keeper:unsaid@127.0.0.1:{port}/postgres?nobody=knows", "option that nobody knows"),
        ("postgresql://keeper:unsaid@127.0.0.1:port/postgres", "must be given as"),
        ("postgresql+psycopg2://keeper:unsaid@127.0.0.1/postgres", "must be PostgreSQL"),
    ],
)
def test_a_database_that_cannot_be_reached_is_explained_without_its_password(
    url: str, why: str, tmp_path: Path, postgres: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with pytest.raises(StoreUnavailable, match=why) as refused:
        open_store(tmp_path, database=url.format(port=postgres.port))
    error: BaseException | None = refused.value
    while error is not None:
        assert "unsaid" not in f"{error} {error!r} {caplog.text}"
        error = error.__cause__ or error.__context__


def test_a_database_that_is_not_there_is_explained(tmp_path: Path, postgres: Server) -> None:
    with pytest.raises(StoreUnavailable, match="no such database"):
        open_store(tmp_path, database=postgres.url("not_there"))


def test_a_database_that_cannot_hold_every_name_is_refused(tmp_path: Path, postgres: Server) -> None:
    name = f"ascii_{tmp_path.name}"
    postgres.do("CREATE DATABASE {} TEMPLATE template0 ENCODING 'SQL_ASCII'", name)
    with pytest.raises(StoreUnavailable, match="encoding is SQL_ASCII"):
        open_store(tmp_path, database=postgres.url(name))
    postgres.drop(name)


def test_a_server_that_is_too_old_is_refused(tmp_path: Path, postgres: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gallery.store.engine.OLDEST", (99,))
    with pytest.raises(StoreUnavailable, match=r"is PostgreSQL 1\d.*; 99 or a later one is needed"):
        open_store(tmp_path, database=postgres.url())


def test_a_name_that_no_text_can_hold_is_refused(staff: Store) -> None:
    with pytest.raises(InvalidRequest, match="zero byte"):
        staff.subject("staff", "a\0b")
    with pytest.raises(UnknownSubject):
        staff.subject("staff", "b" * 10_000)


def test_what_is_asked_for_shows_no_password_and_no_name_in_the_log(
    staff: Store, vectors: Vectors, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    staff.enroll("staff", BUNDLE, [NewTemplate("a telling name", vectors(1)[0])])
    staff.erase_subject("staff", "a telling name")
    assert PASSWORD not in caplog.text
    assert "telling" not in caplog.text
