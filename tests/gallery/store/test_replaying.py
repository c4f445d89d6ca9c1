"""An older database under a newer journal: who was erased goes again before anything is answered."""

import resource
import shutil
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gallery.journal import FILE
from gallery.store import Erasure, Store, open_store
from gallery.store.audit import audit_page, verify_chain
from gallery.store.engine import DATABASE
from gallery.store.heads import head
from gallery.store.managing import merge_subjects, move_subject
from gallery.store.removing import erase_subject
from gallery.store.tracing import erasures_page
from gallery.template import Consent, NewTemplate
from model.errors import InvalidArchive, StoreUnavailable
from model.sequence import Floats

BUNDLE = "b" * 64


@pytest.fixture
def data(tmp_path: Path, migrated: Path) -> Path:
    """A data directory with the gallery `staff` in it: ann, bob and cid with three templates each."""
    directory = tmp_path / "data"
    directory.mkdir(mode=0o700)
    shutil.copy(migrated, directory)
    return directory


@pytest.fixture
def filled(data: Path, vectors: Callable[..., Floats]) -> Path:
    store = open_store(data)
    store.create_gallery("staff", BUNDLE, 8)
    for name in ("ann", "bob", "cid"):
        store.enroll("staff", BUNDLE, [NewTemplate(name, each) for each in vectors(3)])
    store.close()
    return data


def saved(data: Path) -> bytes:
    return (data / DATABASE).read_bytes()


def put_back(data: Path, content: bytes) -> None:
    """As an operator does who knows nothing of `store restore`."""
    for path in data.glob(f"{DATABASE}*"):
        path.unlink()
    (data / DATABASE).write_bytes(content)


def names(store: Store, gallery: str = "staff") -> list[str]:
    return [each.id for each in store.subjects(gallery)]


def test_who_was_erased_after_the_backup_is_not_there_again(filled: Path) -> None:
    older = saved(filled)
    store = open_store(filled)
    done = store.erase_subject("staff", "ann")
    store.erase_template("staff", 5)
    store.close()
    put_back(filled, older)
    store = open_store(filled)
    assert names(store) == ["bob", "cid"]
    assert [each.id for each in store.templates_of("staff", "bob")] == [4, 6]
    assert store.owners(done.templates) == {}
    assert store.check() == []
    assert verify_chain(store).broken is None
    assert [each.action for each in audit_page(store)[-2:]] == ["replay", "replay"]
    store.close()


def test_it_is_done_once(filled: Path) -> None:
    older = saved(filled)
    store = open_store(filled)
    store.erase_subject("staff", "ann")
    store.close()
    put_back(filled, older)
    for _ in range(3):
        open_store(filled).close()
    store = open_store(filled)
    assert [each.action for each in audit_page(store)].count("replay") == 1
    assert len(list(store.journal.lines())) == 1
    store.close()


def test_numbers_that_were_used_are_not_used_again_and_caches_are_told(
    filled: Path, vectors: Callable[..., Floats]
) -> None:
    older = saved(filled)
    store = open_store(filled)
    before, seen = store.epoch, store.head("staff").epoch
    (added,) = store.enroll("staff", BUNDLE, [NewTemplate("dan", vectors(1)[0])])
    subject = store.erase_subject("staff", "dan").subject
    change, entry = store.head("staff").seq, audit_page(store)[-1].seq
    store.close()
    put_back(filled, older)
    store = open_store(filled)
    assert store.epoch == before + 1
    assert store.head("staff").epoch > seen
    (again,) = store.enroll("staff", BUNDLE, [NewTemplate("eve", vectors(1)[0])])
    assert added.template is not None
    assert again.template is not None
    assert again.template > added.template
    assert store.erase_subject("staff", "eve").subject > subject
    assert store.head("staff").seq > change
    assert audit_page(store)[-1].seq > entry
    store.close()


def test_a_gallery_that_was_deleted_is_not_there_again_nor_are_its_keys(filled: Path) -> None:
    older = saved(filled)
    store = open_store(filled)
    store.create_gallery("guests", BUNDLE, 8)
    store.delete_gallery("staff")
    store.close()
    put_back(filled, older)
    store = open_store(filled)
    assert store.galleries() == []
    store.close()
    with sqlite3.connect(filled / DATABASE) as connection:
        assert connection.execute("SELECT count(*) FROM secrets WHERE kind != 'signing'").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM subjects").fetchone() == (0,)
    connection.close()


def test_a_hold_in_the_backup_keeps_nobody_who_was_erased_since(filled: Path) -> None:
    store = open_store(filled)
    store.update_subject("staff", "ann", hold="a court's order")
    store.close()
    older = saved(filled)
    store = open_store(filled)
    store.update_subject("staff", "ann", hold=None, consent=Consent("c-1"))
    store.erase_subject("staff", "ann")
    store.close()
    put_back(filled, older)
    store = open_store(filled)
    assert names(store) == ["bob", "cid"]
    store.close()


def test_an_erasure_whose_transaction_failed_erases_nobody_later(filled: Path) -> None:
    older = saved(filled)
    store = open_store(filled)
    with pytest.raises(ZeroDivisionError), store.write() as connection:
        fail_after(erase_subject(connection, store, head(connection, "staff"), "ann"))
    assert [line.done for line in store.journal.lines()] == [False]
    assert names(store) == ["ann", "bob", "cid"]
    store.close()
    for content in (saved(filled), older):
        put_back(filled, content)
        store = open_store(filled)
        assert names(store) == ["ann", "bob", "cid"]
        assert list(store.journal.lines()) == []
        store.close()


def test_an_erasure_that_failed_is_no_hindrance_to_the_next(filled: Path) -> None:
    store = open_store(filled)
    with pytest.raises(ZeroDivisionError), store.write() as connection:
        fail_after(erase_subject(connection, store, head(connection, "staff"), "ann"))
    done = store.erase_subject("staff", "bob")
    assert [(line.id, line.done) for line in store.journal.lines()] == [(done.id, True)]
    store.close()


def test_an_erasure_that_cannot_be_journaled_is_not_done_and_says_why(filled: Path) -> None:
    store = open_store(filled)
    (filled / FILE).mkdir()
    with pytest.raises(StoreUnavailable, match=FILE):
        store.erase_subject("staff", "ann")
    assert names(store) == ["ann", "bob", "cid"]
    (filled / FILE).rmdir()
    store.erase_subject("staff", "ann")
    assert names(store) == ["bob", "cid"]
    store.close()


@pytest.mark.parametrize("after", [0, 1, 100])
def test_a_disk_that_is_full_keeps_the_journal_as_it_was(filled: Path, after: int) -> None:
    store = open_store(filled)
    store.erase_subject("staff", "bob")
    whole = (filled / FILE).read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        # No file may grow: the database has room in its log, the journal has not.
        resource.setrlimit(resource.RLIMIT_FSIZE, (max(len(whole) + after, 1), limits[1]))
        with pytest.raises(OSError, match="File too large"):
            store.journal.add("one more", {"templates": []}, lambda asked: True)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert (filled / FILE).read_bytes() == whole
    store.erase_subject("staff", "ann")
    assert [line.number for line in store.journal.lines()] == [1, 2]
    store.close()


def fail_after(erasure: Erasure) -> None:
    del erasure
    raise ZeroDivisionError


def test_a_process_killed_between_commit_and_confirmation_leaves_an_erasure_that_counts(filled: Path) -> None:
    older = saved(filled)
    store = open_store(filled)
    with store.write() as connection:
        erase_subject(connection, store, head(connection, "staff"), "ann")
    assert [line.done for line in store.journal.lines()] == [False]
    store.close()
    open_store(filled).close()
    store = open_store(filled)
    assert [line.done for line in store.journal.lines()] == [True]
    store.close()
    put_back(filled, older)
    store = open_store(filled)
    assert names(store) == ["bob", "cid"]
    store.close()


def test_a_journal_that_was_lost_is_written_anew_from_the_database(filled: Path) -> None:
    older = saved(filled)
    store = open_store(filled)
    ids = [store.erase_subject("staff", name).id for name in ("ann", "bob")]
    store.close()
    (filled / FILE).unlink()
    store = open_store(filled)
    assert [line.id for line in store.journal.lines()] == ids
    store.close()
    put_back(filled, older)
    store = open_store(filled)
    assert names(store) == ["cid"]
    store.close()


def test_a_damaged_journal_is_refused_before_anything_is_answered(filled: Path) -> None:
    store = open_store(filled)
    store.erase_subject("staff", "ann")
    store.close()
    raw = (filled / FILE).read_bytes()
    (filled / FILE).write_bytes(raw.replace(b'"whole":true', b'"whole":null'))
    with pytest.raises(InvalidArchive, match="Put back its own copy"):
        open_store(filled)


def test_the_journal_of_another_store_is_refused(filled: Path, tmp_path: Path) -> None:
    store = open_store(filled)
    store.erase_subject("staff", "ann")
    store.close()
    other = tmp_path / "other"
    open_store(other).close()
    shutil.copy(filled / FILE, other)
    with pytest.raises(InvalidArchive, match="of another store"):
        open_store(other)


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_the_erasures_of_other_hosts_are_learnt_from_the_database(
    store: Store, tmp_path: Path, database: str | None, vectors: Callable[..., Floats]
) -> None:
    assert database is not None
    store.create_gallery("staff", BUNDLE, 8)
    store.enroll("staff", BUNDLE, [NewTemplate("ann", each) for each in vectors(2)])
    done = store.erase_subject("staff", "ann")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(tmp_path / "data" / "master.key", elsewhere)
    other = open_store(elsewhere, database=database)
    assert [line.id for line in other.journal.lines()] == [done.id]
    other.close()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_postgresql_put_back_by_its_own_means_erases_again_too(
    store: Store, tmp_path: Path, database: str | None, vectors: Callable[..., Floats], request: pytest.FixtureRequest
) -> None:
    assert database is not None
    server = request.getfixturevalue("postgres")
    store.create_gallery("staff", BUNDLE, 8)
    store.enroll("staff", BUNDLE, [NewTemplate(name, vectors(1)[0]) for name in ("ann", "bob")])
    store.close()
    name = database.rpartition("/")[2]
    copied = server.create(f"{name}_copy", name)
    store = open_store(tmp_path / "data", database=database)
    store.erase_subject("staff", "ann")
    store.close()
    restored = open_store(tmp_path / "data", database=copied)
    assert names(restored) == ["bob"]
    assert restored.epoch == 1 + store.epoch
    restored.close()
    server.drop(f"{name}_copy")


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Path:
    """A data directory with ann, bob and cid, to be copied."""
    data = tmp_path_factory.mktemp("three")
    shutil.copy(migrated, data)
    store = open_store(data)
    store.create_gallery("staff", BUNDLE, 8)
    store.enroll("staff", BUNDLE, [NewTemplate(name, np.eye(8, dtype=np.float32)[0]) for name in ("ann", "bob", "cid")])
    store.close()
    return data


@given(st.lists(st.sampled_from(["ann", "bob", "cid", "backup", "restore"]), max_size=8))
@settings(max_examples=12, deadline=None)
def test_whatever_is_restored_and_how_often_nobody_erased_comes_back(
    tmp_path_factory: pytest.TempPathFactory, three: Path, steps: list[str]
) -> None:
    data = tmp_path_factory.mktemp("steps")
    shutil.copytree(three, data, dirs_exist_ok=True)
    backups, there = [saved(data)], {"ann", "bob", "cid"}
    for step in steps:
        if step == "backup":
            backups.append(saved(data))
        elif step == "restore":
            put_back(data, backups[len(backups) // 2])
        elif step in there:
            there.discard(step)
            store = open_store(data)
            store.erase_subject("staff", step)
            store.close()
    store = open_store(data)
    assert set(names(store)) == there
    assert store.check() == []
    assert verify_chain(store).broken is None
    assert len(list(store.journal.lines())) == 3 - len(there)
    store.close()


def test_who_was_merged_into_somebody_who_was_erased_goes_too(filled: Path) -> None:
    older = saved(filled)
    store = open_store(filled)
    merge_subjects(store, "staff", "ann", "bob")
    merge_subjects(store, "staff", "bob", "cid")
    assert erasures_page(store) == []
    assert [line.done for line in store.journal.lines()] == [True, True]
    done = store.erase_subject("staff", "cid")
    store.close()
    put_back(filled, older)
    store = open_store(filled)
    assert names(store) == []
    assert store.check() == []
    assert [each.id for each in erasures_page(store)] == [done.id]
    store.close()


def test_a_merge_that_a_backup_does_not_know_erases_nobody(filled: Path) -> None:
    older = saved(filled)
    store = open_store(filled)
    merge_subjects(store, "staff", "ann", "bob")
    store.close()
    put_back(filled, older)
    store = open_store(filled)
    assert [(each.id, each.templates) for each in store.subjects("staff")] == [("ann", 3), ("bob", 3), ("cid", 3)]
    assert len(list(store.journal.lines())) == 1
    store.close()


def test_a_template_that_was_erased_after_a_merge_goes_under_its_former_number(filled: Path) -> None:
    older = saved(filled)
    store = open_store(filled)
    merge_subjects(store, "staff", "ann", "bob")
    number = store.templates_of("staff", "bob")[3].id
    store.erase_template("staff", number)
    store.close()
    put_back(filled, older)
    store = open_store(filled)
    assert [(each.id, each.templates) for each in store.subjects("staff")] == [("ann", 2), ("bob", 3), ("cid", 3)]
    store.close()


def test_who_was_moved_to_another_gallery_and_erased_there_goes_from_the_first(filled: Path) -> None:
    store = open_store(filled)
    store.create_gallery("guests", BUNDLE, 8)
    store.close()
    older = saved(filled)
    store = open_store(filled)
    move_subject(store, "staff", "ann", "guests")
    store.erase_subject("guests", "ann")
    store.close()
    put_back(filled, older)
    store = open_store(filled)
    assert (names(store), names(store, "guests")) == (["bob", "cid"], [])
    store.close()
