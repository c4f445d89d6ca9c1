"""An older database under a newer journal: who was erased goes again before anything is answered."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gallery.store import Store, open_store
from gallery.store.audit import audit_page, verify_chain
from gallery.store.engine import DATABASE
from gallery.template import Consent, NewTemplate
from model.sequence import Floats
from tests.gallery.store.older import BUNDLE, make, names, put_back, saved


@pytest.fixture
def filled(tmp_path: Path, migrated: Path) -> Path:
    return make(tmp_path / "data", migrated)


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
