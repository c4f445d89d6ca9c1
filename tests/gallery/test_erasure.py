"""Receipts: what they say is signed, and is held against everything that is left."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, update

from gallery.erasure import read_receipt, receipt_of, verify_receipt
from gallery.keys.signing import new_signing_key, sign
from gallery.library import Library
from gallery.maintenance import Maintenance
from gallery.store import Erasure, Store
from gallery.store.audit import Note, append_many
from gallery.store.schema import audit, erasures, subjects, templates
from gallery.store.snapshots import begin
from gallery.template import NewTemplate
from model.errors import InvalidArchive, InvalidRequest
from model.sequence import Floats

BUNDLE = "b" * 64


@pytest.fixture
def staff(store: Store, vectors: Callable[..., Floats]) -> Store:
    """The gallery `staff` with ann and bob, three templates each."""
    store.create_gallery("staff", BUNDLE, 8)
    for name in ("ann", "bob"):
        store.enroll("staff", BUNDLE, [NewTemplate(name, each) for each in vectors(3)])
    return store


def made_final(store: Store) -> None:
    assert Maintenance(Library(store)).run_once().pending == 0


def wrong(store: Store, document: dict[str, Any], tmp_path: Path) -> list[str]:
    """What verification finds wrong with this document."""
    (tmp_path / "receipt.json").write_text(json.dumps(document))
    return verify_receipt(store, read_receipt(tmp_path / "receipt.json"))


def test_a_receipt_is_withheld_first_and_destroyed_then_and_both_are_true(staff: Store, tmp_path: Path) -> None:
    erasure = staff.erase_subject("staff", "ann")
    first = receipt_of(staff, erasure.id)
    assert (first["state"], first["destroyed"]) == ("withheld", None)
    assert wrong(staff, first, tmp_path) == []
    made_final(staff)
    then = receipt_of(staff, erasure.id)
    assert then["state"] == "destroyed"
    assert then["destroyed"] >= then["at"]
    for receipt in (first, then):
        assert wrong(staff, receipt, tmp_path) == []
    same = {"erasure", "store", "gallery", "subject", "templates", "whole", "sequence", "generation", "audit", "at"}
    assert {key: first[key] for key in same} == {key: then[key] for key in same}


def test_a_receipt_has_no_name_unless_it_is_asked_for(staff: Store, tmp_path: Path) -> None:
    erasure = staff.erase_subject("staff", "ann")
    unnamed = receipt_of(staff, erasure.id)
    random = {"public_key", "signature"}  # which may have any letters in them
    assert random < unnamed.keys()
    assert "ann" not in json.dumps({key: value for key, value in unnamed.items() if key not in random})
    named = receipt_of(staff, erasure.id, subject_id="ann")
    assert named["subject_id"] == "ann"
    assert wrong(staff, named, tmp_path) == []
    assert wrong(staff, {**named, "subject_id": "bob"}, tmp_path) != []


def test_the_receipt_of_a_template_leaves_its_subject_alone(staff: Store, tmp_path: Path) -> None:
    erasure = staff.erase_template("staff", 2)
    made_final(staff)
    receipt = receipt_of(staff, erasure.id)
    assert (receipt["whole"], receipt["templates"]) == (False, [2])
    assert wrong(staff, receipt, tmp_path) == []


def test_the_receipt_of_a_gallery_speaks_for_all_in_it(staff: Store, tmp_path: Path) -> None:
    staff.delete_gallery("staff")
    made_final(staff)
    with staff.read() as connection:
        (key,) = connection.scalars(erasures.select().with_only_columns(erasures.c.id)).all()
    assert wrong(staff, receipt_of(staff, key), tmp_path) == []


def test_a_receipt_says_that_a_snapshot_generation_went(staff: Store, tmp_path: Path) -> None:
    head = staff.head("staff")
    begun = begin(staff, head.key, head.seq)
    assert begun is not None
    erasure = staff.erase_subject("staff", "ann")
    assert erasure.generation == begun[0]
    claimed = sign(signing_key(staff), {**unsigned(receipt_of(staff, erasure.id)), "state": "destroyed"})
    assert any("generation" in line for line in wrong(staff, claimed, tmp_path))
    made_final(staff)
    assert wrong(staff, receipt_of(staff, erasure.id), tmp_path) == []


def signing_key(store: Store) -> bytes:
    with store.write() as connection:
        return store.secrets.signing_key(connection)


def unsigned(document: dict[str, Any]) -> dict[str, Any]:
    return {key: held for key, held in document.items() if key not in ("signature", "public_key", "algorithm")}


@pytest.fixture
def receipt(staff: Store) -> dict[str, Any]:
    """The receipt of ann, whose erasure is final."""
    erasure = staff.erase_subject("staff", "ann")
    made_final(staff)
    return receipt_of(staff, erasure.id)


def test_a_receipt_that_was_changed_is_found_out(staff: Store, receipt: dict[str, Any], tmp_path: Path) -> None:
    changes: dict[str, object] = {
        "store": "another",
        "erasure": "another",
        "gallery": 99,
        "subject": 99,
        "templates": [1],
        "whole": False,
        "sequence": 99,
        "at": "2020-01-01T00:00:00.000000+00:00",
        "audit": "1:" + "0" * 64,
        "state": "withheld",
    }
    for field, value in changes.items():
        found = wrong(staff, {**receipt, field: value}, tmp_path)
        assert any("signature" in line for line in found), field


def test_a_receipt_that_somebody_else_signed_is_found_out(
    staff: Store, receipt: dict[str, Any], tmp_path: Path
) -> None:
    forged = sign(new_signing_key(), unsigned(receipt))
    assert wrong(staff, forged, tmp_path) == ["signature: by a key that is not this store's"]


def test_whoever_is_there_again_is_found(staff: Store, receipt: dict[str, Any], tmp_path: Path) -> None:
    with staff.write() as connection:
        row = connection.execute(subjects.select().where(subjects.c.name == "bob")).mappings().one()
        connection.execute(insert(subjects).values({**row, "id": receipt["subject"], "name": "ann"}))
        held = connection.execute(templates.select().limit(1)).mappings().one()
        again = {**held, "id": receipt["templates"][0], "subject_id": receipt["subject"]}
        connection.execute(insert(templates).values(again))
    found = "\n".join(wrong(staff, receipt, tmp_path))
    for what in ("subjects with their data keys: 1", "templates: 1", "templates of the subject: 1", "answers: 1"):
        assert what in found


def test_an_erasure_that_was_taken_back_is_found(staff: Store, receipt: dict[str, Any], tmp_path: Path) -> None:
    with staff.write() as connection:
        connection.execute(update(erasures).values(templates=[1]))
    assert wrong(staff, receipt, tmp_path) == ["erasure: the store has it otherwise than the receipt"]
    with staff.write() as connection:
        connection.execute(delete(erasures))
    assert wrong(staff, receipt, tmp_path) == ["erasure: this store knows of none with this id"]


def test_a_log_that_does_not_have_it_is_found(staff: Store, receipt: dict[str, Any], tmp_path: Path) -> None:
    append_many(staff, [Note("identify")])
    seq = int(receipt["audit"].partition(":")[0])
    with staff.write() as connection:
        connection.execute(update(audit).where(audit.c.seq == seq).values(detail="{}"))
    found = wrong(staff, receipt, tmp_path)
    assert any(f"broken at row {seq}" in line for line in found)
    assert f"audit: row {seq} is of something else" in found
    with staff.write() as connection:
        connection.execute(delete(audit).where(audit.c.seq == seq))
    assert f"audit: row {seq} is not there" in wrong(staff, receipt, tmp_path)


def test_a_receipt_is_worth_the_same_after_an_older_database_came_back(tmp_path: Path, migrated: Path) -> None:
    import numpy as np

    from gallery.store import open_store
    from gallery.store.engine import DATABASE

    data = tmp_path / "data"
    data.mkdir()
    shutil.copy(migrated, data)
    store = open_store(data)
    store.create_gallery("staff", BUNDLE, 8)
    store.enroll("staff", BUNDLE, [NewTemplate("ann", np.eye(8, dtype=np.float32)[0])])
    signing_key(store)
    store.close()
    older = (data / DATABASE).read_bytes()
    store = open_store(data)
    erasure: Erasure = store.erase_subject("staff", "ann")
    made_final(store)
    receipt = receipt_of(store, erasure.id)
    store.close()
    (data / DATABASE).write_bytes(older)
    store = open_store(data)
    assert [line.partition(":")[0] for line in wrong(store, receipt, tmp_path)] == ["erasure"]
    made_final(store)
    assert wrong(store, receipt, tmp_path) == []
    assert wrong(store, receipt_of(store, erasure.id), tmp_path) == []
    store.close()


def test_an_erasure_that_is_not_known_has_no_receipt(staff: Store) -> None:
    with pytest.raises(InvalidRequest, match="gallery erasures"):
        receipt_of(staff, "5d9da370")


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"[]", b"{}", b'{"format": "gaitkeeper-erasure-receipt"}', b"[" * 100_000, b"null"]
)
def test_what_is_no_receipt_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "receipt.json").write_bytes(content)
    with pytest.raises(InvalidArchive, match="not a receipt"):
        read_receipt(tmp_path / "receipt.json")


def test_a_receipt_of_odd_content_is_refused(receipt: dict[str, Any], tmp_path: Path) -> None:
    changes: list[tuple[str, object]] = [
        ("version", 2),
        ("templates", ["1"]),
        ("templates", 7),
        ("audit", "7"),
        ("at", "yesterday"),
        ("state", "gone"),
        ("subject", None),
        ("generation", {}),
    ]
    for field, value in changes:
        (tmp_path / "receipt.json").write_text(json.dumps({**receipt, field: value}))
        with pytest.raises(InvalidArchive):
            read_receipt(tmp_path / "receipt.json")
