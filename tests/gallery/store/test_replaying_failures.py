"""Erasures that failed half-way, and journals that cannot be written or read: nobody goes who was not erased."""

import resource
import shutil
import signal
from pathlib import Path

import pytest

from gallery.journal import FILE
from gallery.store import Erasure, open_store
from gallery.store.heads import head
from gallery.store.removing import erase_subject
from model.errors import InvalidArchive, StoreUnavailable
from tests.gallery.store.older import make, names, put_back, saved


@pytest.fixture
def filled(tmp_path: Path, migrated: Path) -> Path:
    return make(tmp_path / "data", migrated)


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
