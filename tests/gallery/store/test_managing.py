"""Rename, merge and move: nothing is lost, nothing is doubled, nothing stays behind."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import func, select

from gallery.store import Store
from gallery.store.audit import audit_page, verify_chain
from gallery.store.managing import merge_subjects, move_subject, rename_subject, subjects_there
from gallery.store.rows import Change
from gallery.store.schema import changes, subjects, vault
from gallery.template import Consent, NewTemplate
from gallery.vault import pack, source_of
from model.errors import (
    BundleMismatch,
    InvalidRequest,
    LimitExceeded,
    SubjectExists,
    SubjectHeld,
    UnknownGallery,
    UnknownSubject,
)
from model.sequence import Floats
from tests.fakes import walking

BUNDLE = "b" * 64
END = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def enroll(store: Store, vectors: Callable[..., Floats]) -> Callable[..., Floats]:
    """`enroll("ann", 2)` gives ann two templates in the gallery `staff` and their embeddings."""
    store.create_gallery("staff", BUNDLE, 8)

    def add(subject: str, count: int, seed: int = 0, gallery: str = "staff", **more: object) -> Floats:
        found = vectors(count, seed=seed)
        new = [NewTemplate(subject, row, {"take": str(i)}, 60, f"{seed}-{i}") for i, row in enumerate(found)]
        store.enroll(gallery, BUNDLE, new, **more)  # type: ignore[arg-type]
        return found

    return add


def held(store: Store, subject: str, gallery: str = "staff") -> Floats:
    return np.stack([each.embedding for each in store.templates_of(gallery, subject)])


def kinds(store: Store, since: int) -> list[str]:
    with store.read() as connection:
        return list(connection.scalars(select(changes.c.kind).where(changes.c.seq > since).order_by(changes.c.seq)))


def data_keys(store: Store) -> set[bytes]:
    with store.read() as connection:
        return set(connection.scalars(select(subjects.c.data_key)))


def agrees(store: Store, gallery: str = "staff") -> bool:
    head, rows = store.everything(gallery)
    content = np.bitwise_xor.reduce(rows.marks) if len(rows.marks) else 0
    return (head.templates, head.content) == (len(rows.ids), content) and store.check() == []


def test_who_is_renamed_keeps_everything(store: Store, enroll: Callable[..., Floats]) -> None:
    embeddings = enroll("ann", 2)
    store.update_subject("staff", "ann", consent=Consent("A-1", "access", END), metadata={"desk": 7})
    before = store.templates_of("staff", "ann")
    seq = store.head("staff").seq
    renamed = rename_subject(store, "staff", "ann", "anna")
    assert (renamed.id, renamed.templates, renamed.metadata) == ("anna", 2, {"desk": 7})
    assert renamed.consent == Consent("A-1", "access", END)
    assert [each.id for each in store.templates_of("staff", "anna")] == [each.id for each in before]
    assert np.array_equal(held(store, "anna"), embeddings)
    assert kinds(store, seq) == [Change.SUBJECT_CHANGED]
    assert store.owners([before[0].id]) == {before[0].id: "anna"}
    with pytest.raises(UnknownSubject):
        store.subject("staff", "ann")


def test_no_two_subjects_get_one_id(store: Store, enroll: Callable[..., Floats]) -> None:
    enroll("ann", 1)
    enroll("bob", 1, seed=1)
    with pytest.raises(SubjectExists):
        rename_subject(store, "staff", "ann", "bob")
    with pytest.raises(UnknownSubject):
        rename_subject(store, "staff", "eve", "ann")
    with pytest.raises(InvalidRequest):
        rename_subject(store, "staff", "ann", "a/b")
    assert rename_subject(store, "staff", "ann", "ann").templates == 1
    assert subjects_there(store, "staff", ["ann", "bob", "eve"]) == {"ann", "bob"}
    assert subjects_there(store, "staff", []) == set()


def test_a_merge_gives_all_to_the_other_and_leaves_no_key_of_who_is_gone(
    store: Store, enroll: Callable[..., Floats]
) -> None:
    of_ann, of_bob = enroll("ann", 2), enroll("bob", 3, seed=1)
    gone = [each.id for each in store.templates_of("staff", "bob")]
    keys, seq = data_keys(store), store.head("staff").seq
    merged = merge_subjects(store, "staff", "bob", "ann")
    assert (merged.id, merged.templates) == ("ann", 5)
    assert np.array_equal(held(store, "ann"), np.concatenate([of_ann, of_bob]))
    assert [each.labels["take"] for each in store.templates_of("staff", "ann")] == ["0", "1", "0", "1", "2"]
    assert store.owners(gone) == {}
    assert len(data_keys(store)) == 1
    assert data_keys(store) < keys
    said = kinds(store, seq)
    assert (said.count(Change.TEMPLATE_ERASED), said.count(Change.ENROLLED)) == (3, 3)
    _, update = store.update("staff", seq)
    assert sorted(update.removed.tolist()) == gone
    assert len(update.added.ids) == 3
    assert agrees(store)
    assert audit_page(store)[-1].action == "merge"
    assert verify_chain(store).broken is None
    with pytest.raises(UnknownSubject):
        merge_subjects(store, "staff", "bob", "ann")


def test_a_recording_that_both_have_is_there_once(store: Store, enroll: Callable[..., Floats]) -> None:
    enroll("ann", 2)
    enroll("bob", 3)
    assert merge_subjects(store, "staff", "bob", "ann").templates == 3
    assert agrees(store)
    assert store.enroll("staff", BUNDLE, [NewTemplate("ann", held(store, "ann")[0], source="0-2")])[0].repeated


def test_the_stricter_consent_holds_and_different_purposes_are_not_mixed_unasked(
    store: Store, enroll: Callable[..., Floats]
) -> None:
    enroll("ann", 1, consent=Consent("A-1", "access", END))
    enroll("bob", 1, seed=1, consent=Consent("B-2", "research", END - timedelta(days=9)))
    store.update_subject("staff", "ann", metadata={"desk": 7, "name": "Ann"})
    store.update_subject("staff", "bob", metadata={"badge": 3, "name": "Bob"})
    seq = store.head("staff").seq
    with pytest.raises(InvalidRequest, match="purpose"):
        merge_subjects(store, "staff", "bob", "ann")
    assert store.head("staff").seq == seq
    merged = merge_subjects(store, "staff", "bob", "ann", force=True)
    assert merged.consent == Consent("A-1", "access", END - timedelta(days=9))
    assert merged.metadata == {"badge": 3, "desk": 7, "name": "Ann"}
    assert store.subject("staff", "ann") == merged
    _, rows = store.everything("staff")
    assert len(set(rows.expires.tolist())) == 1


def test_metadata_that_is_too_much_together_is_not_cut(store: Store, enroll: Callable[..., Floats]) -> None:
    enroll("ann", 1)
    enroll("bob", 1, seed=1)
    store.update_subject("staff", "ann", metadata={"a": "x" * 9000})
    store.update_subject("staff", "bob", metadata={"b": "y" * 9000})
    with pytest.raises(LimitExceeded):
        merge_subjects(store, "staff", "bob", "ann")
    assert store.subject("staff", "bob").templates == 1


def test_who_is_held_or_has_expired_goes_nowhere(store: Store, enroll: Callable[..., Floats]) -> None:
    enroll("ann", 1)
    enroll("bob", 1, seed=1)
    store.create_gallery("guests", BUNDLE, 8)
    store.update_subject("staff", "bob", hold="case 12")
    for act in (
        lambda: merge_subjects(store, "staff", "bob", "ann"),
        lambda: move_subject(store, "staff", "bob", "guests"),
    ):
        with pytest.raises(SubjectHeld, match="case 12"):
            act()
    store.update_subject("staff", "bob", hold=None, consent=Consent(expires=datetime(2020, 1, 1, tzinfo=UTC)))
    for act in (
        lambda: merge_subjects(store, "staff", "bob", "ann"),
        lambda: merge_subjects(store, "staff", "ann", "bob"),
        lambda: move_subject(store, "staff", "bob", "guests"),
    ):
        with pytest.raises(InvalidRequest, match="expired"):
            act()
    with pytest.raises(InvalidRequest, match="another"):
        merge_subjects(store, "staff", "ann", "ann")


def test_who_is_held_stays_held_when_another_is_merged_into_it(store: Store, enroll: Callable[..., Floats]) -> None:
    enroll("ann", 1)
    enroll("bob", 1, seed=1)
    store.update_subject("staff", "ann", hold="case 12")
    assert merge_subjects(store, "staff", "bob", "ann").hold == "case 12"


def test_a_move_takes_all_of_it_to_a_gallery_of_the_same_bundle(store: Store, enroll: Callable[..., Floats]) -> None:
    embeddings = enroll("ann", 2, consent=Consent("A-1", "access", END))
    enroll("bob", 1, seed=1)
    store.update_subject("staff", "ann", metadata={"desk": 7})
    store.create_gallery("guests", BUNDLE, 8)
    moved = move_subject(store, "staff", "ann", "guests")
    assert (moved.gallery, moved.templates, moved.metadata) == ("guests", 2, {"desk": 7})
    assert moved.consent == Consent("A-1", "access", END)
    assert np.array_equal(held(store, "ann", "guests"), embeddings)
    assert [found.id for found in store.subjects("staff")] == ["bob"]
    assert agrees(store, "staff")
    assert agrees(store, "guests")
    assert [entry.action for entry in audit_page(store)][-2:] == ["move", "receive"]


def test_a_move_is_refused_where_it_cannot_be(store: Store, enroll: Callable[..., Floats]) -> None:
    enroll("ann", 1)
    store.create_gallery("guests", BUNDLE, 8)
    store.create_gallery("others", "c" * 64, 8)
    enroll("ann", 1, gallery="guests")
    for to, error in (
        ("guests", SubjectExists),
        ("others", BundleMismatch),
        ("nowhere", UnknownGallery),
        ("staff", InvalidRequest),
    ):
        with pytest.raises(error):
            move_subject(store, "staff", "ann", to)
    assert store.subject("staff", "ann").templates == 1


def test_between_protected_galleries_the_transform_changes_and_the_embedding_does_not(
    store: Store, enroll: Callable[..., Floats]
) -> None:
    from gallery.keys.transform import apply, undo

    store.create_gallery("one", BUNDLE, 8, protected=True)
    store.create_gallery("two", BUNDLE, 8, protected=True)
    one, two = store.transform("one"), store.transform("two")
    assert one is not None
    assert two is not None
    embeddings = enroll("eve", 2)
    store.enroll("one", BUNDLE, [NewTemplate("ann", row) for row in apply(one, embeddings)])
    move_subject(store, "one", "ann", "two")
    assert not np.allclose(held(store, "ann", "two"), embeddings, atol=1e-2)
    assert np.allclose(undo(two, held(store, "ann", "two")), embeddings, atol=1e-6)
    move_subject(store, "two", "ann", "staff")
    assert np.allclose(held(store, "ann"), embeddings, atol=1e-6)


def test_skeletons_go_along_as_long_as_both_vaults_allow(store: Store, vectors: Callable[..., Floats]) -> None:
    store.create_gallery("long", BUNDLE, 8, vault_days=90)
    store.create_gallery("short", BUNDLE, 8, vault_days=2)
    store.create_gallery("none", BUNDLE, 8)
    walk = walking(1)
    new = NewTemplate("ann", vectors(1)[0], {}, walk.frames, source_of(walk), pack(walk))
    store.enroll("long", BUNDLE, [new])
    store.enroll("long", BUNDLE, [NewTemplate("bob", vectors(1, seed=1)[0])])

    def kept() -> list[int]:
        with store.read() as connection:
            return list(connection.scalars(select(vault.c.expires)))

    (first,) = kept()
    merge_subjects(store, "long", "ann", "bob")
    assert kept() == [first]
    move_subject(store, "long", "bob", "short")
    (second,) = kept()
    assert second < first
    assert ("bob", source_of(walk)) in store.sources("short")
    assert store.enroll("short", BUNDLE, [NewTemplate("bob", vectors(1)[0], source=source_of(walk))])[0].repeated
    move_subject(store, "short", "bob", "long")
    assert kept() == [second]
    move_subject(store, "long", "bob", "none")
    with store.read() as connection:
        assert connection.scalar(select(func.count()).select_from(vault)) == 0
