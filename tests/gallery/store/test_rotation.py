"""Keys are exchanged while others work, and whatever is interrupted is finished by the same command."""

import threading

import pytest
from sqlalchemy import select

from gallery.keys.masters import EnvironmentMasters, FileMasters
from gallery.store import rotation
from gallery.store.audit import audit_page, verify_chain
from gallery.store.rotation import destroy_old_masters, master_users, rotate_gallery, rotate_master
from gallery.store.schema import secrets, subjects
from gallery.template import NewTemplate
from model.errors import KeyUnavailable, UnknownGallery

BUNDLE, DIM, COUNT = "b" * 64, 8, 12

# What is not the database's own is tried on one kind.
sqlite_only = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


class Killed(Exception):
    """Stands for the end of the process."""


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(rotation, "BATCH", 5)
    monkeypatch.setattr(rotation, "MASTER_BATCH", 2)


@pytest.fixture
def filled(store, vectors):
    """Two galleries with twelve subjects each, one of them protected."""
    for name in ("staff", "visitors"):
        store.create_gallery(name, BUNDLE, DIM, protected=name == "staff")
        store.enroll(name, BUNDLE, [NewTemplate(f"s{n}", row) for n, row in enumerate(vectors(COUNT))])
        store.update_subject(name, "s3", metadata={"note": "kept"})
    return store


def numbers(store, gallery, kind="gallery"):
    key = store.head(gallery).key
    with store.read() as connection:
        wanted = select(secrets.c.id).where(secrets.c.gallery_id == key, secrets.c.kind == kind)
        return list(connection.scalars(wanted.order_by(secrets.c.id)))


def under(store, gallery):
    """Numbers of the keys that the data keys and secrets of a gallery are under."""
    key = store.head(gallery).key
    with store.read() as connection:
        found = set(connection.scalars(select(subjects.c.wrapped_by).where(subjects.c.gallery_id == key)))
        of_gallery = (secrets.c.gallery_id == key, secrets.c.kind.in_(("transform", "snapshot")))
        return found | {int(each) for each in connection.scalars(select(secrets.c.wrapped_by).where(*of_gallery))}


def held(store, gallery):
    at, rows = store.everything(gallery)
    assert (at.templates, store.check()) == (len(rows.ids), [])
    subject = store.subject(gallery, "s3")
    return rows.ids.tolist(), rows.subjects.tolist(), rows.embeddings.tolist(), dict(subject.metadata)


def test_a_new_key_wraps_everything_and_the_old_one_is_destroyed(filled, open_again):
    before, transform = held(filled, "staff"), filled.transform("staff").tolist()
    (old,) = numbers(filled, "staff")
    seen = []
    (done,) = rotate_gallery(filled, "staff", lambda *both: seen.append(both))
    (new,) = numbers(filled, "staff")
    assert (done.current, done.destroyed, done.wrapped, done.resumed) == (str(new), (str(old),), COUNT, False)
    assert under(filled, "staff") == {new}
    assert seen == [(5, 12), (10, 12), (12, 12)]
    for store in (filled, open_again()):
        assert held(store, "staff") == before
        assert store.transform("staff").tolist() == transform


@sqlite_only
def test_only_the_gallery_that_was_named_gets_a_new_key(filled):
    before = numbers(filled, "visitors")
    rotate_gallery(filled, "staff")
    assert numbers(filled, "visitors") == before
    with pytest.raises(UnknownGallery):
        rotate_gallery(filled, "nobody")


@sqlite_only
@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_rotation_that_was_killed_is_finished_and_not_begun_again(filled, open_again, steps):
    before, (old,) = held(filled, "staff"), numbers(filled, "staff")

    def die(done, total):
        if done >= min(5 * steps, COUNT):
            raise Killed

    with pytest.raises(Killed):
        rotate_gallery(filled, "staff", die)
    again = open_again()
    assert held(again, "staff") == before
    begun = numbers(again, "staff")
    assert begun[0] == old
    assert len(begun) == 2
    (done,) = rotate_gallery(again, "staff")
    assert done.resumed
    assert done.wrapped == COUNT - min(5 * steps, COUNT)
    assert numbers(again, "staff") == begun[1:]
    assert held(open_again(), "staff") == before


def test_who_is_enrolled_meanwhile_comes_under_the_new_key(filled, open_again, vectors):
    other, row = open_again(), vectors(1, seed=9)[0]

    def enroll(done, total):
        other.enroll("staff", BUNDLE, [NewTemplate(f"new{done}", row), NewTemplate("s1", row)])

    rotate_gallery(filled, "staff", enroll)
    (new,) = numbers(filled, "staff")
    assert under(filled, "staff") == {new}
    assert {each.id for each in other.subjects("staff")} >= {"new5", "new10", "new12"}
    assert len(held(open_again(), "staff")[0]) == COUNT + 6


def test_who_reads_meanwhile_misses_nobody(filled, open_again):
    before, stop = held(filled, "staff"), threading.Event()
    wrong: list[object] = []
    other = open_again()

    def read():
        while not stop.is_set():
            other.secrets.forget()
            if held(other, "staff") != before:
                wrong.append("another gallery")

    def guarded():
        try:
            read()
        except Exception as error:
            wrong.append(error)

    reader = threading.Thread(target=guarded)
    reader.start()
    try:
        for _ in range(4):
            rotate_gallery(filled, "staff")
    finally:
        stop.set()
        reader.join()
    assert wrong == []


def test_two_who_rotate_at_once_do_no_harm(filled, open_again):
    before = held(filled, "staff")
    threads = [threading.Thread(target=rotate_gallery, args=(open_again(), "staff")) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(numbers(filled, "staff")) == 1
    assert held(open_again(), "staff") == before


@sqlite_only
def test_rotations_are_in_the_audit_log(filled):
    rotate_gallery(filled, "staff")
    rotate_master(filled)
    key = filled.head("staff").key
    found = [(each.action, each.gallery_id) for each in audit_page(filled) if each.action.startswith("key_")]
    assert found[:2] == [("key_rotated", key), ("key_destroyed", key)]
    assert set(found[2:]) == {("key_rotated", None)}
    assert verify_chain(filled).broken is None


def test_a_new_master_key_wraps_all_that_the_old_one_did(filled, open_again):
    before = [held(filled, name) for name in ("staff", "visitors")]
    with filled.write() as connection:
        signing = filled.secrets.signing_key(connection)
        (old,) = master_users(connection)
    done = rotate_master(filled)
    assert done.wrapped == 5  # two galleries with a key and a key of sources each, and the one that signs
    assert done.current != old
    with filled.read() as connection:
        assert master_users(connection) == {done.current: 5}
    assert filled.masters.names == (old, done.current)
    assert destroy_old_masters(filled) == (old,)
    assert destroy_old_masters(filled) == ()
    again = open_again()
    assert [held(again, name) for name in ("staff", "visitors")] == before
    with again.write() as connection:
        assert again.secrets.signing_key(connection) == signing


def test_other_processes_go_on_while_the_master_key_is_exchanged(filled, open_again, vectors):
    others = open_again(), open_again()
    before = [held(each, "staff") for each in others]
    rotate_master(filled)
    others[0].secrets.forget()
    assert [held(each, "staff") for each in others] == before
    for each, name in zip(others, ("one", "two"), strict=True):
        each.create_gallery(name, BUNDLE, DIM)
        each.enroll(name, BUNDLE, [NewTemplate("s", vectors(1)[0])])
    assert len(destroy_old_masters(filled)) == 1
    assert len(open_again().everything("two")[1].ids) == 1


@sqlite_only
def test_an_exchange_of_the_master_key_that_was_killed_is_finished(filled, open_again):
    def die(done, total):
        raise Killed

    with pytest.raises(Killed):
        rotate_master(filled, die)
    keys = FileMasters(filled.masters.path).names
    # What is still under the old key keeps it from being destroyed.
    assert destroy_old_masters(filled) == ()
    again = open_again()
    assert held(again, "staff")
    done = rotate_master(again)
    assert (done.resumed, done.wrapped) == (True, 3)
    assert again.masters.names == keys
    assert destroy_old_masters(again) == keys[:1]


@sqlite_only
def test_masters_from_elsewhere_are_exchanged_where_they_are_kept(filled, open_again):
    (line,) = _lines(filled)
    store = open_again()
    two = EnvironmentMasters(f"{':'.join(line)},new:{'A' * 43}=")
    store.masters = store.secrets.masters = two
    assert rotate_master(store).current == "new"
    with store.read() as connection:
        assert set(master_users(connection)) == {"new"}
    with pytest.raises(KeyUnavailable, match="not in a file"):
        destroy_old_masters(store)
    store.masters = store.secrets.masters = EnvironmentMasters(f"new:{'A' * 43}=")
    store.secrets.forget()
    assert held(store, "staff")


def _lines(store):
    return [tuple(line.split()) for line in store.masters.path.read_text().splitlines() if not line.startswith("#")]


@sqlite_only
def test_a_key_that_somebody_came_under_after_all_is_kept(filled, monkeypatch):
    before = held(filled, "staff")
    step = rotation._wrap_again
    done: list[int] = []

    def once(store, begun):
        # As if the last batches had not been there when they were looked for.
        done.append(0 if done else step(store, begun))
        return done[-1]

    monkeypatch.setattr(rotation, "_wrap_again", once)
    (first,) = rotate_gallery(filled, "staff")
    assert (first.wrapped, first.destroyed) == (5, ())
    assert len(numbers(filled, "staff")) == 2
    monkeypatch.undo()
    (second,) = rotate_gallery(filled, "staff")
    assert (second.resumed, second.wrapped) == (True, COUNT - 5)
    assert len(numbers(filled, "staff")) == 1
    assert held(filled, "staff") == before
