"""A new transform: every template under it, in one go, and none of the old ones of any use."""

import numpy as np
import pytest
from sqlalchemy import select

from gallery.keys.transform import apply
from gallery.library import Library
from gallery.store import generations, transforming
from gallery.store.audit import audit_page
from gallery.store.key_list import gallery_keys
from gallery.store.rotation import rotate_gallery
from gallery.store.schema import secrets
from gallery.store.transforming import rotate_transform
from gallery.template import NewTemplate
from model.errors import InvalidRequest, UnknownGallery

BUNDLE, DIM, COUNT = "b" * 64, 8, 12

# What is not the database's own is tried on one kind.
sqlite_only = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    monkeypatch.setattr(transforming, "BATCH", 5)


@pytest.fixture
def library(store):
    found = Library(store)
    found.create("staff", fingerprint=BUNDLE, dim=DIM, protected=True)
    return found


@pytest.fixture
def enrolled(library, vectors):
    """What was enrolled, two templates for each of six subjects."""
    plain = vectors(COUNT)
    library.enroll("staff", [NewTemplate(f"s{n % 6}", row) for n, row in enumerate(plain)], fingerprint=BUNDLE)
    return plain


def answers(library, probes):
    """(subject, template, score) of every candidate; each transform rounds scores anew."""
    found = library.identify("staff", probes, fingerprint=BUNDLE, threshold=0.5)
    return [
        [(each.subject, each.template, pytest.approx(each.score, abs=1e-5)) for each in one.candidates] for one in found
    ]


def test_answers_are_the_same_under_a_new_transform(library, enrolled, open_again, vectors):
    probes = np.concatenate([enrolled, vectors(5, seed=3)])
    before, others = answers(library, probes), Library(open_again())
    assert answers(others, probes) == before
    assert rotate_transform(library.store, "staff") == COUNT
    for each in (library, others, Library(open_again())):
        assert answers(each, probes) == before
    assert library.store.check() == []


@sqlite_only
def test_templates_under_the_old_transform_are_of_no_use(library, enrolled):
    old = library.store.transform("staff")
    _, before = library.store.everything("staff")
    rotate_transform(library.store, "staff")
    _, after = library.store.everything("staff")
    new = library.store.transform("staff")
    np.testing.assert_allclose(after.embeddings, apply(new, enrolled), atol=1e-5)
    np.testing.assert_allclose(before.embeddings, apply(old, enrolled), atol=1e-6)
    assert (before.ids.tolist(), before.subjects.tolist()) == (after.ids.tolist(), after.subjects.tolist())
    assert not set(before.marks.tolist()) & set(after.marks.tolist())
    # In eight dimensions two random rotations of one vector have a cosine of standard deviation 0.35.
    assert np.abs(np.sum(before.embeddings * after.embeddings, axis=1)).max() < 0.999


def test_the_old_transform_is_destroyed(library, enrolled):
    store, key = library.store, library.store.head("staff").key

    def numbers():
        with store.read() as connection:
            wanted = select(secrets.c.id).where(
                secrets.c.gallery_id == key, secrets.c.kind.in_(("transform", "snapshot"))
            )
            return set(connection.scalars(wanted))

    with store.write() as connection:
        store.secrets.add(connection, key, "snapshot", bytes(32))
    before = numbers()
    rotate_transform(store, "staff")
    assert len(numbers()) == 1
    assert not before & numbers()


def test_a_new_transform_that_was_interrupted_has_changed_nothing(library, enrolled, open_again):
    before = answers(library, enrolled)
    transform, head = library.store.transform("staff"), library.store.head("staff")
    seen = []

    def stop(done, total):
        seen.append((done, total))
        if done == 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotate_transform(library.store, "staff", stop)
    assert seen == [(5, COUNT), (10, COUNT)]
    assert library.store.head("staff") == head
    again = Library(open_again())
    np.testing.assert_array_equal(again.store.transform("staff"), transform)
    assert answers(again, enrolled) == before


def test_who_is_enrolled_afterwards_is_found(library, enrolled, open_again, vectors):
    others, row = Library(open_again()), vectors(1, seed=8)
    assert answers(others, row)
    rotate_transform(library.store, "staff")
    others.enroll("staff", [NewTemplate("new", row[0])], fingerprint=BUNDLE)
    for each in (library, others):
        assert answers(each, row)[0][0][::2] == ("new", 1.0)


@sqlite_only
def test_it_is_in_the_audit_log(library, enrolled):
    rotate_transform(library.store, "staff")
    last = audit_page(library.store)[-1]
    assert (last.action, last.gallery_id) == ("key_rotated", library.store.head("staff").key)
    assert '"kind":"transform"' in last.detail


@sqlite_only
def test_a_gallery_without_a_transform_is_refused(library):
    library.create("plain", fingerprint=BUNDLE, dim=DIM)
    with pytest.raises(InvalidRequest, match="not protected"):
        rotate_transform(library.store, "plain")
    with pytest.raises(UnknownGallery):
        rotate_transform(library.store, "nobody")


@sqlite_only
def test_an_empty_gallery_gets_a_new_transform(library):
    before = library.store.transform("staff")
    assert rotate_transform(library.store, "staff") == 0
    assert not np.allclose(before, library.store.transform("staff"))


@sqlite_only
def test_every_generation_of_a_gallery_gets_new_keys_and_a_new_transform(library, enrolled, vectors):
    store, later = library.store, "c" * 64
    begun = generations.begin(store, "staff", later, DIM)
    with pytest.raises(InvalidRequest, match="change of encoder of 'staff' is under way"):
        rotate_transform(store, "staff")
    with store.write() as connection:
        generations.switch(connection, store, store.head("staff"), begun.key)
    library.enroll("staff", [NewTemplate("s0", vectors(1)[0])], fingerprint=later)
    before = generations.generations(store, "staff")
    assert rotate_transform(store, "staff") == COUNT + 1
    assert len(rotate_gallery(store, "staff")) == 2
    assert [each.gallery for each in gallery_keys(store)] == ["staff", "staff (retired)"]
    assert [each.key for each in generations.generations(store, "staff")] == [each.key for each in before]
    with store.write() as connection:
        generations.switch(connection, store, store.head("staff"), before[0].key)
    assert [one[0][0] for one in answers(library, enrolled)] == [f"s{n % 6}" for n in range(COUNT)]
