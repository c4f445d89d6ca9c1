"""Backups restored whole or not at all, and nobody who was erased comes back."""

import os
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gallery.api_keys import NewKey, Scope
from gallery.journal import FILE
from gallery.keys.masters import FILE as MASTER
from gallery.store import Store, open_store
from gallery.store.api_keys import kept_keys, make_key, revoke_key, rotate_key
from gallery.store.audit import Note, append_many, audit_head, audit_page, verify_chain
from gallery.store.backup import backup
from gallery.store.deliveries import News, add_deliveries, due_deliveries
from gallery.store.engine import DATABASE
from gallery.store.restoring import Restored, restore, sweep
from gallery.store.webhooks import add_webhook, delete_webhook, webhooks_page
from model.errors import InvalidArchive, KeyUnavailable, StoreUnavailable
from model.sequence import Floats
from tests.gallery.store.older import BUNDLE, enroll, make, with_store


@pytest.fixture
def data(tmp_path: Path, migrated: Path) -> Path:
    return make(tmp_path / "data", migrated)


def names(data: Path) -> list[str]:
    found: list[str] = []
    with_store(data, lambda store: found.extend(each.id for each in store.subjects("staff")))
    return found


@pytest.fixture
def kept(data: Path, tmp_path: Path) -> Path:
    """A backup of `data`."""
    with_store(data, lambda store: backup(store, tmp_path / "kept.db"))
    return tmp_path / "kept.db"


def test_restoring_brings_back_what_was_but_nobody_who_was_erased(
    data: Path, kept: Path, vectors: Callable[..., Floats]
) -> None:
    with_store(data, lambda store: store.erase_subject("staff", "ann"))
    enroll(data, "dan", *vectors(2))
    assert restore(data, kept).again == 1
    assert names(data) == ["bob", "cid"]
    store = open_store(data)
    assert store.check() == []
    assert len(list(store.journal.lines())) == 1
    store.close()
    assert sorted(path.name for path in data.iterdir() if "-" not in path.name) == [FILE, DATABASE, MASTER]


def test_the_audit_log_goes_on_and_loses_nothing(data: Path, kept: Path) -> None:
    with_store(data, lambda store: append_many(store, [Note("identify")] * 3))
    before = open_store(data)
    head, entries = audit_head(before), audit_page(before)
    before.close()
    assert restore(data, kept) == Restored(again=0, kept=3, keys=True)
    store = open_store(data)
    found = audit_page(store)
    assert found[: len(entries)] == entries
    assert [each.action for each in found[len(entries) :]] == ["restore"]
    assert verify_chain(store, head).broken is None
    store.close()


def test_callers_keys_stay_as_they_are_now(data: Path, tmp_path: Path) -> None:
    made: dict[str, str] = {}

    def before(store: Store) -> None:
        for name in ("stays", "revoked", "rotated"):
            key, _ = make_key(store, NewKey(name, frozenset({Scope.IDENTIFY})))
            made[name] = key.id
        backup(store, tmp_path / "keys.db")
        revoke_key(store, made["revoked"])
        rotate_key(store, made["rotated"], 0)
        made["later"] = make_key(store, NewKey("later", frozenset({Scope.IDENTIFY})))[0].id

    now: list[object] = []
    with_store(data, before)
    with_store(data, lambda store: now.extend(kept_keys(store)[1]))
    assert restore(data, tmp_path / "keys.db").keys
    again: list[object] = []
    with_store(data, lambda store: again.extend(kept_keys(store)[1]))
    assert again == now
    assert len(again) == 3  # the one that was revoked is not good again


def test_a_webhook_that_was_removed_does_not_come_back(data: Path, tmp_path: Path) -> None:
    left: list[str] = []

    def before(store: Store) -> None:
        goes, stays = (add_webhook(store, "https://example.org", ["match"], None, "key:a", b"s" * 32) for _ in "ab")
        add_deliveries(store, [News(each.id, "staff", None, "{}") for each in (goes, stays)])
        backup(store, tmp_path / "hooks.db")
        delete_webhook(store, goes.id)
        left.append(stays.id)

    with_store(data, before)
    restore(data, tmp_path / "hooks.db")
    with_store(data, lambda store: left.extend(each.id for each in webhooks_page(store)))
    with_store(data, lambda store: left.extend(each.webhook for each in due_deliveries(store, 10, 60)))
    assert left == [left[0]] * 3


def test_caches_are_told_to_forget_and_numbers_go_on(data: Path, kept: Path, vectors: Callable[..., Floats]) -> None:
    enroll(data, "dan", *vectors(2))
    before = open_store(data)
    seen, last = before.head("staff"), before.templates_of("staff", "dan")[-1].id
    before.close()
    restore(data, kept)
    enroll(data, "eve", *vectors(1))
    store = open_store(data)
    assert store.head("staff").epoch > seen.epoch
    assert store.head("staff").seq > seen.seq
    assert store.templates_of("staff", "eve")[0].id > last
    store.close()


def test_a_database_that_was_lost_comes_back_from_backup_key_and_journal(data: Path, kept: Path) -> None:
    with_store(data, lambda store: store.erase_subject("staff", "bob"))
    for path in data.glob(f"{DATABASE}*"):
        path.unlink()
    found = restore(data, kept)
    assert (found.again, found.keys) == (1, False)
    assert names(data) == ["ann", "cid"]


@pytest.mark.parametrize("damage", [b"rubbish" * 999, b""])
def test_a_database_that_is_damaged_is_replaced(data: Path, kept: Path, damage: bytes) -> None:
    with_store(data, lambda store: store.erase_subject("staff", "bob"))
    (data / DATABASE).write_bytes(damage)
    found = restore(data, kept)
    assert (found.again, found.keys) == (1, False)
    assert names(data) == ["ann", "cid"]


def test_a_store_that_somebody_has_open_is_not_restored(data: Path, kept: Path) -> None:
    enrolled = names(data)
    with_store(data, lambda store: store.erase_subject("staff", "bob"))
    store = open_store(data)
    store.subjects("staff")
    with pytest.raises(StoreUnavailable, match="another process has"):
        restore(data, kept)
    assert [each.id for each in store.subjects("staff")] == [each for each in enrolled if each != "bob"]
    store.close()
    assert not list(data.glob(".restore-*"))


@pytest.fixture
def unchanged(data: Path, kept: Path) -> Iterator[None]:
    """The data directory is after the test as it was before."""
    before = {path.name: path.read_bytes() for path in data.iterdir()}
    yield
    assert {path.name: path.read_bytes() for path in data.iterdir()} == before


def damaged(kept: Path, statement: str) -> Path:
    with sqlite3.connect(kept) as connection:
        connection.execute(statement)
    connection.close()
    return kept


@pytest.mark.usefixtures("unchanged")
class TestRefused:
    def test_what_is_no_database(self, data: Path, tmp_path: Path) -> None:
        for content in (b"", b"text", b"SQLite format 3\0" + b"\0" * 5000):
            (tmp_path / "odd").write_bytes(content)
            with pytest.raises(InvalidArchive):
                restore(data, tmp_path / "odd")

    def test_what_is_not_there(self, data: Path, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError):
            restore(data, tmp_path / "nothing")

    def test_the_database_of_something_else(self, data: Path, tmp_path: Path) -> None:
        with sqlite3.connect(tmp_path / "odd") as connection:
            connection.execute("CREATE TABLE subjects (id INTEGER)")
        connection.close()
        with pytest.raises(InvalidArchive, match="not a backup of a store"):
            restore(data, tmp_path / "odd")

    def test_a_backup_of_another_store(self, data: Path, tmp_path: Path) -> None:
        other = tmp_path / "other"
        with_store(other, lambda store: store.create_gallery("staff", BUNDLE, 8))
        with_store(other, lambda store: backup(store, tmp_path / "other.db"))
        with pytest.raises((InvalidArchive, KeyUnavailable)):
            restore(data, tmp_path / "other.db")

    def test_a_damaged_page(self, data: Path, kept: Path) -> None:
        content = bytearray(kept.read_bytes())
        content[len(content) // 2 : len(content) // 2 + 4096] = os.urandom(4096)
        kept.write_bytes(content)
        with pytest.raises(InvalidArchive):
            restore(data, kept)

    def test_an_audit_log_that_was_changed(self, data: Path, kept: Path) -> None:
        with pytest.raises(InvalidArchive, match="audit log is broken at row 2"):
            restore(data, damaged(kept, "UPDATE audit SET actor = 'nobody' WHERE seq = 2"))

    def test_templates_that_are_not_those_it_says_it_has(self, data: Path, kept: Path) -> None:
        with pytest.raises(InvalidArchive, match="not sound"):
            restore(data, damaged(kept, "DELETE FROM templates WHERE id = 5"))

    def test_one_sealed_under_a_master_key_that_is_not_there(self, kept: Path, tmp_path: Path) -> None:
        fresh = tmp_path / "fresh"
        with pytest.raises(KeyUnavailable):
            restore(fresh, kept)
        assert list(fresh.iterdir()) == []


def test_a_damaged_journal_forbids_to_restore(data: Path, kept: Path) -> None:
    with_store(data, lambda store: store.erase_subject("staff", "ann"))
    with_store(data, lambda store: store.erase_subject("staff", "bob"))
    raw = (data / FILE).read_bytes()
    (data / FILE).write_bytes(raw.replace(b'"number":1', b'"number":7'))
    with pytest.raises(InvalidArchive, match="line 1 is damaged"):
        restore(data, kept)
    assert names(data) == ["cid"]


def test_restoring_that_is_interrupted_changes_nothing(data: Path, kept: Path) -> None:
    def interrupted(done: int, of: int) -> None:
        raise KeyboardInterrupt

    with_store(data, lambda store: store.erase_subject("staff", "ann"))
    with pytest.raises(KeyboardInterrupt):
        restore(data, kept, progress=interrupted)
    assert names(data) == ["bob", "cid"]
    assert not list(data.glob(".restore-*"))


@pytest.mark.parametrize("lost", [False, True])
def test_restoring_that_is_killed_at_any_moment_leaves_the_one_or_the_other(
    data: Path, kept: Path, tmp_path: Path, vectors: Callable[..., Floats], lost: bool
) -> None:
    with_store(data, lambda store: store.erase_subject("staff", "ann"))
    enroll(data, "dan", *vectors(2))
    if lost:
        (data / DATABASE).write_bytes(b"rubbish" * 999)
    start = time.monotonic()
    shutil.copytree(data, tmp_path / "once")
    restore(tmp_path / "once", kept)
    took = time.monotonic() - start
    seen = set()
    for number in range(10):
        place = tmp_path / f"{number}"
        shutil.copytree(data, place)
        child = os.fork()
        if child == 0:
            restore(place, kept)
            os._exit(0)
        time.sleep(took * number / 9)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        if lost and (place / DATABASE).read_bytes()[:7] == b"rubbish":
            continue
        found = names(place)
        seen.add(tuple(found))
        store = open_store(place)
        assert store.check() == []
        assert verify_chain(store).broken is None
        store.close()
        sweep(place)
        assert not list(place.glob(".restore-*"))
    assert seen <= {("bob", "cid"), ("bob", "cid", "dan")}
