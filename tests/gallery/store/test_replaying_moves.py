"""An older database from before somebody was merged or moved: whoever was erased later goes as who they were then."""

from pathlib import Path

import pytest

from gallery.store import open_store
from gallery.store.managing import merge_subjects, move_subject
from gallery.store.tracing import erasures_page
from tests.gallery.store.older import BUNDLE, make, names, put_back, saved


@pytest.fixture
def filled(tmp_path: Path, migrated: Path) -> Path:
    return make(tmp_path / "data", migrated)


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
