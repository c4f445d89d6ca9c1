"""Backups of SQLite, made while others write."""

import shutil
import sqlite3
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from gallery.keys.masters import FILE as MASTER
from gallery.store import Store, open_store
from gallery.store.audit import verify_chain
from gallery.store.backup import backup
from gallery.store.restoring import restore
from gallery.template import NewTemplate
from model.errors import InvalidRequest, StoreUnavailable
from model.sequence import Floats
from tests.gallery.store.older import BUNDLE, NAMES, make, with_store


@pytest.fixture
def data(tmp_path: Path, migrated: Path) -> Path:
    return make(tmp_path / "data", migrated)


@pytest.fixture
def kept(data: Path, tmp_path: Path) -> Path:
    """A backup of `data`."""
    with_store(data, lambda store: backup(store, tmp_path / "kept.db"))
    return tmp_path / "kept.db"


def test_a_backup_is_one_file_for_this_user_only_with_everything_and_no_master_key(data: Path, kept: Path) -> None:
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert sorted(path.name for path in kept.parent.iterdir()) == ["data", "kept.db"]
    with sqlite3.connect(kept) as connection:
        assert connection.execute("SELECT name FROM subjects ORDER BY name").fetchall() == [(name,) for name in NAMES]
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    for line in (data / MASTER).read_text().splitlines():
        if not line.startswith("#"):
            assert line.split()[1].encode() not in kept.read_bytes()


def test_a_backup_overwrites_nothing(data: Path, kept: Path) -> None:
    before = kept.read_bytes()
    with pytest.raises(InvalidRequest, match="exists already"):
        with_store(data, lambda store: backup(store, kept))
    assert kept.read_bytes() == before


def test_a_backup_to_where_nothing_can_be_written_says_so_and_leaves_nothing(data: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match="No such file or directory"):
        with_store(data, lambda store: backup(store, tmp_path / "nowhere" / "kept.db"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def test_a_backup_that_is_interrupted_leaves_nothing(data: Path, tmp_path: Path) -> None:
    def interrupted(done: int, of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        with_store(data, lambda store: backup(store, tmp_path / "kept.db", progress=interrupted))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data"]


def test_a_backup_is_one_moment_while_others_write(data: Path, tmp_path: Path, vectors: Callable[..., Floats]) -> None:
    stop = threading.Event()

    def write() -> None:
        number = 0
        store = open_store(data)
        while not stop.wait(0.005):
            new = [NewTemplate(f"s{number}", each) for each in vectors(5)]
            store.enroll("staff", BUNDLE, new)
            number += 1
        store.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(2):
            with_store(data, lambda store, number=number: backup(store, tmp_path / f"{number}.db"))  # type: ignore[misc]
    finally:
        stop.set()
        writer.join()
    for number in range(2):
        place = tmp_path / f"restored-{number}"
        place.mkdir()
        shutil.copy(data / MASTER, place)
        restore(place, tmp_path / f"{number}.db")
        store = open_store(place)
        assert store.check() == []
        assert verify_chain(store).broken is None
        assert store.gallery("staff").gallery.templates % 5 == len(NAMES) * 3 % 5
        store.close()


def test_postgresql_is_told_what_to_use(store: Store, tmp_path: Path) -> None:
    if store.kind == "postgresql":
        with pytest.raises(StoreUnavailable, match="pg_dump"):
            backup(store, tmp_path / "kept.db")
    else:
        backup(store, tmp_path / "kept.db")
