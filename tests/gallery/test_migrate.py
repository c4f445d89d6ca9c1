"""A change of encoder: embedded again from the vault, beside the generation that answers."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from gallery.keys.transform import undo
from gallery.library import Library
from gallery.migrate import begin, begin_rollback, complete, measure, switch
from gallery.store import Store
from gallery.store.audit import verify_chain
from gallery.store.generations import drop
from gallery.store.managing import merge_subjects, rename_subject
from gallery.template import Consent, NewTemplate, State
from gallery.vault import pack, source_of
from model.errors import BundleMismatch, InvalidRequest, UnknownGallery
from model.inference import embed
from tests.fakes import FakeEncoder, walking
from tests.gallery.migrating import NEW, OLD, PEOPLE, TAKES, add, agrees, expected, filled, held, people_of, states


@pytest.fixture
def staff(store: Store) -> Store:
    return people_of(store)


def test_a_gallery_is_embedded_again_and_answers_under_its_name(staff: Store) -> None:
    staff.update_subject("staff", "s1", consent=Consent("A-1", "access"), hold="case 12", metadata={"desk": 7})
    before, kept = staff.subject("staff", "s1"), staff.templates_of("staff", "s1")
    filling = filled(staff)
    assert staff.head("staff").fingerprint == OLD.fingerprint
    assert states(staff) == [State.ACTIVE, State.BUILDING]
    done = complete(filling)
    assert (done.subjects, done.templates, done.refused) == (PEOPLE, PEOPLE * TAKES, {})
    assert (done.behind.subjects, done.behind.templates) == ((), 0)
    head = staff.head("staff")
    assert (head.fingerprint, head.dim, head.seq) == (NEW.fingerprint, NEW.dim, done.seq)
    assert states(staff) == [State.RETIRED, State.ACTIVE]
    for person in range(PEOPLE):
        assert np.allclose(held(staff, f"s{person}"), expected(person), atol=1e-6)
    assert staff.subject("staff", "s1") == before
    now = staff.templates_of("staff", "s1")
    assert [(each.labels, each.frames, each.created) for each in now] == [
        (each.labels, each.frames, each.created) for each in kept
    ]
    assert agrees(staff)
    assert verify_chain(staff).broken is None
    assert add(staff, 1) == [0, 0], "the same recordings are known in the new generation"


def test_how_far_the_two_agree_is_measured_and_a_calibration_that_cannot_be_had_is_told(staff: Store) -> None:
    filling = filled(staff)
    agreement, calibration = measure(filling)
    assert agreement is not None
    assert (agreement.probes, agreement.mated) == (PEOPLE * TAKES, PEOPLE * TAKES)
    assert 0 < agreement.nearest <= 1
    assert agreement.rank1_before is not None
    assert agreement.rank1_after is not None
    assert isinstance(calibration, str), "six people support no rate of 5 %"


def test_killed_after_any_batch_it_goes_on_where_it_was(staff: Store) -> None:
    for person in range(6, 45):
        add(staff, person)
    first = begin(staff, "staff", NEW)
    total = first.count()
    one = next(first.steps())
    again = begin(staff, "staff", NEW)
    assert again.target.key == first.target.key
    assert again.count() == total - one
    assert sum(again.steps()) == total - one
    assert complete(again).templates == total


def test_two_at_once_do_nothing_twice(staff: Store) -> None:
    one, other = begin(staff, "staff", NEW), begin(staff, "staff", NEW)
    with staff.read() as connection:
        batch = one._waiting(connection)
    assert sum(other.steps()) == len(batch)
    with staff.write() as connection:
        one._add(connection, one._embedded(batch))
    assert complete(other).templates == PEOPLE * TAKES
    with pytest.raises(InvalidRequest, match="another process"):
        complete(one)


def test_whatever_happens_meanwhile_counts(staff: Store) -> None:
    filling = filled(staff)
    add(staff, 9)
    staff.erase_subject("staff", "s2")
    first, _ = staff.templates_of("staff", "s3")
    staff.erase_template("staff", first.id)
    rename_subject(staff, "staff", "s4", "anna")
    merge_subjects(staff, "staff", "s0", "s1")
    staff.update_subject("staff", "s5", consent=Consent("B-2"))
    names = {found.id: found.templates for found in staff.subjects("staff")}
    complete(filling)
    assert {found.id: found.templates for found in staff.subjects("staff")} == names
    assert np.allclose(held(staff, "s9"), expected(9), atol=1e-6)
    assert np.allclose(held(staff, "s3"), expected(3)[1:], atol=1e-6)
    together = np.concatenate([expected(1), expected(0)])
    assert np.allclose(sorted(map(tuple, held(staff, "s1"))), sorted(map(tuple, together)), atol=1e-6)
    assert staff.subject("staff", "s5").consent.reference == "B-2"
    assert agrees(staff)
    begin_rollback(staff, "staff", None)
    switch(begin_rollback(staff, "staff", None))
    assert {found.id: found.templates for found in staff.subjects("staff")} == names
    assert agrees(staff)


def test_without_skeletons_it_is_refused_before_anything_is_made(store: Store, staff: Store) -> None:
    add(staff, 8, skeleton=False)
    with pytest.raises(InvalidRequest, match=r"no usable skeleton of s8 \(1 in all\).*--partial"):
        begin(staff, "staff", NEW)
    assert states(staff) == [State.ACTIVE]
    store.create_gallery("plain", OLD.fingerprint, OLD.dim)
    assert sum(begin(store, "plain", NEW).steps()) == 0, "nobody is in it"
    drop(store, "plain", {State.BUILDING})
    store.enroll("plain", OLD.fingerprint, [NewTemplate("ann", expected(1, OLD)[0])])
    with pytest.raises(InvalidRequest, match="keeps no skeletons"):
        begin(store, "plain", NEW, partial=True)


def test_who_has_no_skeleton_any_more_or_one_that_is_not_usable_is_counted(staff: Store) -> None:
    short = walking(7, frames=4)
    row = expected(7, OLD)[0]
    staff.enroll("staff", OLD.fingerprint, [NewTemplate("s7", row, {}, 4, source_of(short), pack(short))])
    staff.enroll("staff", OLD.fingerprint, [NewTemplate("s1", row)])
    filling = filled(staff)
    assert next(iter(filling.refused.values())).startswith("not usable: too_short")
    assert (filling.behind().subjects, filling.behind().templates) == (("s7",), 1)
    with pytest.raises(InvalidRequest, match="s7"):
        complete(filling)
    assert states(staff) == [State.ACTIVE, State.BUILDING]
    assert complete(filling, partial=True).behind.subjects == ("s7",)


def test_a_vault_is_not_kept_longer_by_a_migration(staff: Store) -> None:
    from sqlalchemy import select

    from gallery.store.schema import templates, vault

    complete(filled(staff))
    with staff.read() as connection:
        joined = select(templates.c.gallery_id, vault.c.expires).join(vault, vault.c.template_id == templates.c.id)
        rows = connection.execute(joined.order_by(templates.c.gallery_id, vault.c.expires)).all()
    half = len(rows) // 2
    assert [row.expires for row in rows[:half]] == [row.expires for row in rows[half:]]


def test_a_protected_gallery_gets_another_transform(store: Store) -> None:
    from gallery.keys.transform import apply

    store.create_gallery("staff", OLD.fingerprint, OLD.dim, vault_days=30, protected=True)
    walk, hidden = walking(1), store.transform("staff")
    assert hidden is not None
    row = apply(hidden, embed(OLD, [walk]))[0]
    store.enroll("staff", OLD.fingerprint, [NewTemplate("s1", row, {}, 60, source_of(walk), pack(walk))])
    complete(filled(store))
    other = store.transform("staff")
    assert other is not None
    assert other.shape == (NEW.dim, NEW.dim)
    assert np.allclose(undo(other, held(store, "s1")), embed(NEW, [walk]), atol=1e-6)


def test_one_migration_at_a_time_and_none_to_where_one_is(staff: Store) -> None:
    with pytest.raises(InvalidRequest, match="of this bundle already"):
        begin(staff, "staff", OLD)
    with pytest.raises(UnknownGallery):
        begin(staff, "nobody", NEW)
    with pytest.raises(InvalidRequest, match="no former generation"):
        begin_rollback(staff, "staff", None)
    filled(staff)
    with pytest.raises(InvalidRequest, match="--abandon"):
        begin(staff, "staff", FakeEncoder(8, name="third"))
    assert [each.fingerprint for each in drop(staff, "staff", {State.BUILDING})] == [NEW.fingerprint]
    complete(filled(staff, FakeEncoder(8, name="third")))
    with pytest.raises(InvalidRequest, match="rollback"):
        begin(staff, "staff", OLD)
    complete(filled(staff, NEW))
    switch(begin_rollback(staff, "staff", None))
    assert staff.head("staff").dim == 8, "back to where it was last, not to where it began"


def test_who_has_expired_is_not_taken_along_unless_held(staff: Store) -> None:
    past = Consent(expires=datetime.now(UTC) - timedelta(days=1))
    staff.update_subject("staff", "s0", consent=past)
    staff.update_subject("staff", "s1", consent=past, hold="case 12")
    done = complete(filled(staff))
    assert done.subjects == PEOPLE - 1
    assert done.behind.subjects == ()
    assert {found.id for found in staff.subjects("staff")} == {f"s{person}" for person in range(1, PEOPLE)}


def test_a_library_that_is_open_meanwhile_follows_the_switch_at_once(staff: Store) -> None:
    library = Library(staff)
    probe = expected(1, OLD)[:1]
    (before,) = library.identify("staff", probe, fingerprint=OLD.fingerprint, threshold=0.5)
    done = complete(filled(staff))
    with pytest.raises(BundleMismatch):
        library.identify("staff", probe, fingerprint=OLD.fingerprint, threshold=0.5)
    (after,) = library.identify("staff", expected(1)[:1], fingerprint=NEW.fingerprint, threshold=0.5, at_least=done.seq)
    assert before.subject == after.subject == "s1"
    assert after.seq == done.seq
    switch(begin_rollback(staff, "staff", None))
    (again,) = library.identify("staff", probe, fingerprint=OLD.fingerprint, threshold=0.5)
    assert again.subject == "s1"
