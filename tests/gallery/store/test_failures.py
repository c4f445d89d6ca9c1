"""What a full disk, a read-only directory, a busy or a damaged database do: a clear error, and nothing is lost."""

import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gallery.store import Store, open_store
from gallery.template import NewTemplate
from model.errors import StoreUnavailable
from model.sequence import Floats

Vectors = Callable[..., Floats]
BUNDLE = "b" * 64


@pytest.fixture
def database(tmp_path: Path, migrated: Path) -> None:
    """SQLite's only: PostgreSQL fails in `test_failures_postgresql.py`."""
    (tmp_path / "data").mkdir(mode=0o700)
    shutil.copy(migrated, tmp_path / "data")


@pytest.fixture
def staff(store: Store, vectors: Vectors) -> Store:
    store.create_gallery("staff", BUNDLE, 8)
    store.enroll("staff", BUNDLE, [NewTemplate("ann", vectors(1)[0])])
    return store


def many(vectors: Vectors, count: int = 3000) -> list[NewTemplate]:
    return [NewTemplate("bob", each, {"note": "x" * 200}) for each in vectors(count)]


def test_a_database_that_may_not_grow_refuses_the_whole_enrollment_and_goes_on(staff: Store, vectors: Vectors) -> None:
    with staff.read() as connection:
        used = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {used + 10}")
    with pytest.raises(StoreUnavailable, match="is full"):
        staff.enroll("staff", BUNDLE, many(vectors))
    assert [subject.id for subject in staff.subjects("staff")] == ["ann"]
    staff.enroll("staff", BUNDLE, [NewTemplate("eve", vectors(1)[0])])
    assert staff.check() == []


def test_a_file_that_may_not_grow_refuses_the_whole_enrollment_and_loses_nothing(
    staff: Store, vectors: Vectors
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, hard))
    try:
        with pytest.raises(StoreUnavailable, match="nothing of this operation was kept"):
            staff.enroll("staff", BUNDLE, many(vectors))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [subject.id for subject in staff.subjects("staff")] == ["ann"]
    staff.enroll("staff", BUNDLE, many(vectors, 100))
    assert staff.check() == []


def as_nobody(code: str, *arguments: object) -> str:
    """Run code as a user whom permissions bind; root goes past them."""
    drop = "import os; os.getuid() or (os.setgroups([]), os.setgid(65534), os.setuid(65534)); "
    # What is imported here may not be readable for that user, so it is imported before.
    load = "from gallery.store import open_store; from gallery.template import NewTemplate; import alembic.command; "
    command = [sys.executable, "-P", "-c", f"{load}{drop}{code}", *map(str, arguments)]
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(root)})
    return done.stdout + done.stderr


def test_a_directory_that_may_not_be_written_is_explained(tmp_path: Path, staff: Store) -> None:
    staff.close()
    for parent in (tmp_path, *tmp_path.parents[:3]):
        parent.chmod(parent.stat().st_mode | 0o055)
    directory = tmp_path / "data"
    directory.chmod(0o555)
    (directory / "gaitkeeper.db").chmod(0o444)
    said = as_nobody("import sys; open_store(sys.argv[1]).create_gallery('x', 'y', 8)", directory)
    assert "StoreUnavailable" in said.splitlines()[-1]
    assert str(directory) in said.splitlines()[-1] or "writable" in said.splitlines()[-1]
    directory.chmod(0o700)
    (directory / "gaitkeeper.db").chmod(0o600)
    assert open_store(directory).subject("staff", "ann").templates == 1


def test_a_new_directory_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    for parent in (tmp_path, *tmp_path.parents[:3]):
        parent.chmod(parent.stat().st_mode | 0o055)
    said = as_nobody("import sys; open_store(sys.argv[1])", tmp_path / "no" / "data").splitlines()[-1]
    assert "StoreUnavailable" in said
    assert "Permission denied" in said


def test_a_writer_that_waits_too_long_for_another_says_so(staff: Store, vectors: Vectors) -> None:
    other = sqlite3.connect(staff.directory / "gaitkeeper.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with staff.read() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 50")
    with pytest.raises(StoreUnavailable, match="another process has been writing"):
        staff.enroll("staff", BUNDLE, [NewTemplate("eve", vectors(1)[0])])
    assert staff.subject("staff", "ann").templates == 1  # readers go on
    other.execute("ROLLBACK")
    other.close()
    staff.enroll("staff", BUNDLE, [NewTemplate("eve", vectors(1)[0])])


@pytest.mark.parametrize("content", [b"this is no database" * 100, b"\x00" * 5000])
def test_a_file_that_is_no_database_is_explained(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "gaitkeeper.db").write_bytes(content)
    with pytest.raises(StoreUnavailable, match=r"not a database|damaged"):
        open_store(tmp_path)
    assert (tmp_path / "gaitkeeper.db").read_bytes() == content


def test_a_damaged_page_is_explained_and_never_an_answer(staff: Store, vectors: Vectors) -> None:
    staff.enroll("staff", BUNDLE, many(vectors, 500))
    staff.close()
    path = staff.directory / "gaitkeeper.db"
    content = bytearray(path.read_bytes())
    content[4096 * 4 : -4096] = b"\xff" * len(content[4096 * 4 : -4096])
    path.write_bytes(content)
    with pytest.raises(StoreUnavailable, match="damaged"):
        open_store(staff.directory).everything("staff")


def test_an_embedding_that_is_not_what_was_sealed_is_never_an_answer(staff: Store) -> None:
    for spoiled in ("x'00000000'", "zeroblob(60)", "substr(embedding, 1, 59) || x'00'", "x'' || substr(embedding, 2)"):
        other = sqlite3.connect(staff.directory / "gaitkeeper.db")
        with other:
            other.execute(f"UPDATE templates SET embedding = {spoiled}")
        other.close()
        for ask in (lambda: staff.everything("staff"), lambda: staff.templates_of("staff", "ann")):
            with pytest.raises(StoreUnavailable, match="damaged or not where it belongs"):
                ask()


def test_an_embedding_that_was_put_under_another_subject_is_never_an_answer(staff: Store, vectors: Vectors) -> None:
    staff.enroll("staff", BUNDLE, [NewTemplate("bob", vectors(1)[0])])
    other = sqlite3.connect(staff.directory / "gaitkeeper.db")
    with other:
        other.execute("UPDATE templates SET subject_id = 3 - subject_id")
    other.close()
    with pytest.raises(StoreUnavailable, match="damaged or not where it belongs"):
        staff.everything("staff")
