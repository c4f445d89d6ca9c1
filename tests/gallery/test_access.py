"""A copy of all that is held on one subject, read back without our code where that can be."""

import io
import json
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gallery.access import copy_of
from gallery.keys.transform import apply
from gallery.migrate import begin, complete
from gallery.store import Store
from gallery.store.audit import audit_page, verify_chain
from gallery.store.managing import merge_subjects, move_subject, rename_subject
from gallery.template import Consent, NewTemplate
from gallery.vault import pack, source_of
from model.errors import UnknownGallery, UnknownSubject
from model.inference import embed
from model.readers import read
from model.sequence import Floats
from tests.fakes import FakeEncoder, walking

ENCODER = FakeEncoder(8)


def add(store: Store, gallery: str, subject: str, person: int, *, skeleton: bool = True) -> Floats:
    walk = walking(person)
    row = embed(ENCODER, [walk])
    new = NewTemplate(subject, row[0], {"view": "090"}, 60, source_of(walk), pack(walk) if skeleton else None)
    store.enroll(gallery, ENCODER.fingerprint, [new])
    return row


def opened(store: Store, gallery: str, subject: str) -> tuple[zipfile.ZipFile, Callable[[str], Any]]:
    archive = zipfile.ZipFile(io.BytesIO(copy_of(store, gallery, subject).content))
    assert archive.testzip() is None
    return archive, lambda name: json.loads(archive.read(name))


def test_all_of_it_is_in_the_copy_and_can_be_read_without_us(store: Store) -> None:
    store.create_gallery("staff", ENCODER.fingerprint, 8, vault_days=30)
    row = add(store, "staff", "ann", 1)
    add(store, "staff", "bob", 2)
    store.update_subject("staff", "ann", consent=Consent("A-1", "access"), metadata={"desk": "seven"}, hold="case 12")
    archive, content = opened(store, "staff", "ann")
    (template,) = content("templates.json")
    assert np.array_equal(np.load(io.BytesIO(archive.read(template["embedding"])), allow_pickle=False), row[0])
    assert (template["labels"], template["frames"], template["state"]) == ({"view": "090"}, 60, "active")
    skeleton = read(archive.read(template["skeleton"]), name="ann.json").tracks[0].sequence
    assert np.array_equal(skeleton.joints, walking(1).joints)
    subject = content("subject.json")
    assert (subject["id"], subject["hold"], subject["metadata"]) == ("ann", "case 12", {"desk": "seven"})
    assert (subject["consent"]["reference"], subject["consent"]["purpose"]) == ("A-1", "access")
    assert [event["action"] for event in content("audit.json")] == ["enroll", "update", "access"]
    assert not any("actor" in event for event in content("audit.json"))
    readme = archive.read("README.txt").decode()
    assert all(f"{name}" in readme for name in ("ann", "staff", "skeletons/", "biometric"))
    assert audit_page(store)[-1].action == "access"
    assert verify_chain(store).broken is None


def test_nobody_else_is_in_it(store: Store) -> None:
    store.create_gallery("staff", ENCODER.fingerprint, 8, vault_days=30)
    add(store, "staff", "ann", 1)
    row = add(store, "staff", "Bob Builder", 2)
    store.update_subject("staff", "Bob Builder", metadata={"desk": "unmistakable"})
    archive, _ = opened(store, "staff", "ann")
    everything = b"".join(archive.read(name) for name in archive.namelist())
    assert row.tobytes() not in everything
    assert b"Bob" not in everything
    assert b"unmistakable" not in everything


def test_what_was_done_under_former_ids_and_in_other_galleries_is_told(store: Store) -> None:
    for gallery in ("staff", "guests"):
        store.create_gallery(gallery, ENCODER.fingerprint, 8)
    add(store, "guests", "ann-2", 1, skeleton=False)
    add(store, "staff", "ann", 2, skeleton=False)
    move_subject(store, "guests", "ann-2", "staff")
    merge_subjects(store, "staff", "ann-2", "ann")
    rename_subject(store, "staff", "ann", "anna")
    archive, content = opened(store, "staff", "anna")
    actions = [event["action"] for event in content("audit.json")]
    assert actions == ["enroll", "enroll", "move", "receive", "merge", "rename", "access"]
    assert len(content("templates.json")) == 2
    assert "no recordings are kept" in archive.read("README.txt").decode()


def test_former_generations_and_secret_transforms_are_told(store: Store) -> None:
    store.create_gallery("staff", ENCODER.fingerprint, 8, vault_days=30, protected=True)
    hidden = store.transform("staff")
    assert hidden is not None
    walk = walking(1)
    row = apply(hidden, embed(ENCODER, [walk]))[0]
    store.enroll("staff", ENCODER.fingerprint, [NewTemplate("ann", row, {}, 60, source_of(walk), pack(walk))])
    filling = begin(store, "staff", FakeEncoder(12, name="new"))
    assert sum(filling.steps()) == 1
    complete(filling)
    archive, content = opened(store, "staff", "ann")
    assert [each["state"] for each in content("templates.json")] == ["retired", "active"]
    shapes = [np.load(io.BytesIO(archive.read(each["embedding"]))).shape for each in content("templates.json")]
    assert shapes == [(8,), (12,)]
    assert "secret transform" in archive.read("README.txt").decode()


def test_there_is_none_of_who_is_not_there(store: Store) -> None:
    store.create_gallery("staff", ENCODER.fingerprint, 8)
    with pytest.raises(UnknownSubject):
        copy_of(store, "staff", "ann")
    with pytest.raises(UnknownGallery):
        copy_of(store, "nobody", "ann")
    assert audit_page(store)[-1].action == "create"
