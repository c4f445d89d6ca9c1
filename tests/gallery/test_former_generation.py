"""What becomes of the generation before: it is erased from, rolled back to, dropped."""

import numpy as np
import pytest

from gallery.migrate import begin, begin_rollback, complete, switch
from gallery.store import Store
from gallery.store.expiring import purge_expired
from gallery.store.generations import drop
from gallery.store.managing import merge_subjects
from gallery.template import NewTemplate, State
from gallery.vault import source_of
from model.errors import BundleMismatch, InvalidRequest, SubjectHeld, UnknownGallery, UnknownSubject
from model.inference import embed
from tests.fakes import walking
from tests.gallery.migrating import NEW, OLD, PEOPLE, TAKES, add, agrees, expected, filled, held, people_of, states


@pytest.fixture
def staff(store: Store) -> Store:
    return people_of(store)


def test_only_the_generation_that_answers_can_be_named(staff: Store) -> None:
    filling = filled(staff)
    assert [each.name for each in staff.galleries()] == ["staff"]
    for name in (f"/{filling.target.key}", f"draft of {filling.source.key}"):
        with pytest.raises(UnknownGallery):
            staff.gallery(name)
        with pytest.raises(UnknownGallery):
            staff.head(name)
    assert [head.name for head in staff.heads()] == ["staff"]


def test_what_is_erased_after_the_switch_is_erased_from_the_former_generation_too(staff: Store) -> None:
    complete(filled(staff))
    staff.erase_subject("staff", "s2")
    staff.erase_template("staff", staff.templates_of("staff", "s3")[0].id)
    switch(begin_rollback(staff, "staff", None))
    assert staff.head("staff").fingerprint == OLD.fingerprint
    with pytest.raises(UnknownSubject):
        staff.subject("staff", "s2")
    assert np.allclose(held(staff, "s3"), expected(3, OLD)[1:], atol=1e-6)
    assert agrees(staff)


def test_a_rollback_says_what_was_enrolled_since_and_embeds_it_where_it_can(staff: Store) -> None:
    complete(filled(staff))
    add(staff, 8)
    add(staff, 9, skeleton=False)
    filling = begin_rollback(staff, "staff", None)
    assert filling.count() == 2
    assert filling.behind().subjects == ("s9",)
    with pytest.raises(BundleMismatch):
        begin_rollback(staff, "staff", NEW)
    filling = begin_rollback(staff, "staff", OLD)
    assert sum(filling.steps()) == 2
    with pytest.raises(InvalidRequest, match="s9"):
        switch(filling)
    switch(filling, partial=True)
    assert np.allclose(held(staff, "s8"), expected(8, OLD), atol=1e-6)
    with pytest.raises(UnknownSubject):
        staff.subject("staff", "s9")
    switch(begin_rollback(staff, "staff", None))
    assert staff.subject("staff", "s9").templates == TAKES


def test_whom_a_migration_left_behind_can_still_be_erased_and_is_purged(staff: Store) -> None:
    add(staff, 8, skeleton=False)
    add(staff, 9, skeleton=False)
    complete(filled(staff, partial=True), partial=True)
    with pytest.raises(UnknownSubject):
        staff.subject("staff", "s8")
    assert staff.erase_subject("staff", "s8").whole
    with staff.write() as connection:
        from sqlalchemy import update

        from gallery.store.schema import subjects

        connection.execute(update(subjects).where(subjects.c.name == "s9").values(expires=1))
    assert len(purge_expired(staff)) == 1
    switch(begin_rollback(staff, "staff", None), partial=True)
    assert {found.id for found in staff.subjects("staff")} == {f"s{person}" for person in range(PEOPLE)}


def test_a_former_generation_is_dropped_with_its_keys_and_nobody_who_is_held_only_there(staff: Store) -> None:
    from sqlalchemy import func, select

    from gallery.store.schema import secrets, templates, vault

    add(staff, 9, skeleton=False)
    staff.update_subject("staff", "s9", hold="case 12")
    staff.update_subject("staff", "s1", hold="case 13")
    filling = filled(staff, partial=True)
    complete(filling, partial=True)
    with pytest.raises(SubjectHeld, match="case 12"):
        drop(staff, "staff", {State.RETIRED})
    switch(begin_rollback(staff, "staff", None), partial=True)
    staff.update_subject("staff", "s9", hold=None)
    switch(begin_rollback(staff, "staff", None), partial=True)
    drop(staff, "staff", {State.RETIRED})
    assert states(staff) == [State.ACTIVE]
    with staff.read() as connection:
        for table in (templates, vault):
            assert connection.scalar(select(func.count()).select_from(table)) == PEOPLE * TAKES
        wanted = select(secrets.c.gallery_id, secrets.c.kind).where(secrets.c.gallery_id.is_not(None))
        left = sorted((row.gallery_id, row.kind) for row in connection.execute(wanted))
    assert left == [(filling.source.key, "source"), (filling.target.key, "gallery")]
    assert ("s1", source_of(walking(1))) in staff.sources("staff")
    assert agrees(staff)
    assert begin(staff, "staff", OLD).target.state is State.BUILDING


def test_of_a_recording_that_both_had_no_generation_keeps_a_second_copy_when_it_is_erased(staff: Store) -> None:
    twice = walking(0, seed=0)
    row = embed(OLD, [twice])[0]
    (same,) = staff.enroll("staff", OLD.fingerprint, [NewTemplate("s1", row, {}, 60, source_of(twice))])
    complete(filled(staff))
    assert staff.subject("staff", "s1").templates == TAKES, "what has no skeleton stays behind"
    merge_subjects(staff, "staff", "s0", "s1")
    kept = staff.templates_of("staff", "s1")
    copy = next(each for each in kept if np.allclose(each.embedding, expected(0)[0], atol=1e-6))
    staff.erase_template("staff", copy.id)
    switch(begin_rollback(staff, "staff", None), partial=True)
    assert not any(np.allclose(each, row, atol=1e-6) for each in held(staff, "s1"))
    assert same.template not in {each.id for each in staff.templates_of("staff", "s1")}
    assert agrees(staff)
