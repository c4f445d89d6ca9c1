"""What is known of a subject besides its templates: consent, holds, metadata; and its place in every generation."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import reduce
from operator import xor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from gallery.store import NEVER, Store, enrolling, heads, writing
from gallery.store.audit import audit_page
from gallery.store.schema import erasures, galleries, templates
from gallery.template import Consent, Gallery, NewTemplate, State, now
from model.errors import (
    InvalidRequest,
    LimitExceeded,
    SubjectHeld,
    UnknownSubject,
    UnknownTemplate,
)
from model.sequence import Floats

Vectors = Callable[..., Floats]
BUNDLE = "b" * 64
HOUR = timedelta(hours=1)


@pytest.fixture
def staff(store: Store) -> Store:
    store.create_gallery("staff", BUNDLE, 8)
    return store


@pytest.fixture
def ann(staff: Store, vectors: Vectors) -> Store:
    """`staff` with two templates of ann and one of bob."""
    staff.enroll(
        "staff", BUNDLE, [NewTemplate(name, each) for name, each in zip(("ann", "ann", "bob"), vectors(3), strict=True)]
    )
    return staff


def ids_of(store: Store, subject: str) -> list[int]:
    return [template.id for template in store.templates_of("staff", subject)]


def whole_second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


def test_consent_is_given_with_an_enrollment_and_comes_back(staff: Store, vectors: Vectors) -> None:
    consent = Consent("form 17", "door 3", whole_second(now() + HOUR))
    staff.enroll("staff", BUNDLE, [NewTemplate("ann", vectors(1)[0])], consent=consent)
    assert staff.subject("staff", "ann").consent == consent
    staff.enroll("staff", BUNDLE, [NewTemplate("ann", vectors(1)[0])])
    assert staff.subject("staff", "ann").consent == consent
    renewed = Consent("form 18")
    staff.enroll(
        "staff", BUNDLE, [NewTemplate("ann", vectors(1)[0]), NewTemplate("bob", vectors(1)[0])], consent=renewed
    )
    assert [each.consent for each in staff.subjects("staff")] == [renewed, renewed]


def test_whoever_has_expired_owns_nothing_any_more(ann: Store) -> None:
    held = {*ids_of(ann, "ann"), *ids_of(ann, "bob")}
    assert ann.owners(sorted(held)) == {1: "ann", 2: "ann", 3: "bob"}
    ann.update_subject("staff", "ann", consent=Consent(expires=now() + HOUR))
    assert len(ann.owners(sorted(held))) == 3
    ann.update_subject("staff", "ann", consent=Consent(expires=now() - HOUR))
    assert ann.owners(sorted(held)) == {3: "bob"}
    assert ann.owners([]) == {}


def test_nobody_is_enrolled_whose_consent_has_expired(ann: Store, vectors: Vectors) -> None:
    ann.update_subject("staff", "ann", consent=Consent(expires=now() - HOUR))
    with pytest.raises(InvalidRequest, match="consent of 'ann' has expired"):
        ann.enroll("staff", BUNDLE, [NewTemplate("bob", vectors(1)[0]), NewTemplate("ann", vectors(1)[0])])
    assert len(ids_of(ann, "bob")) == 1
    ann.enroll("staff", BUNDLE, [NewTemplate("ann", vectors(1)[0])], consent=Consent(expires=now() + HOUR))
    assert len(ids_of(ann, "ann")) == 3


def test_what_changed_of_a_subject_is_in_the_log_of_changes(ann: Store) -> None:
    before = ann.head("staff").seq
    expires = whole_second(now() + HOUR)
    key = ann.everything("staff")[1].subjects[0]
    ann.update_subject("staff", "ann", consent=Consent(expires=expires))
    _, seen = ann.update("staff", before)
    assert seen.changed_subjects.tolist() == [key]
    assert seen.changed_expires.tolist() == [int(expires.timestamp()) * 1_000_000]
    assert ann.everything("staff")[1].expires.tolist() == [*[int(expires.timestamp()) * 1_000_000] * 2, NEVER]
    ann.update_subject("staff", "ann", consent=None)
    assert ann.update("staff", before)[1].changed_expires.tolist() == [NEVER]
    ann.erase_subject("staff", "ann")
    assert ann.update("staff", before)[1].changed_subjects.tolist() == []


def test_what_is_not_named_stays_as_it_is(ann: Store) -> None:
    consent = Consent("form 17")
    ann.update_subject("staff", "ann", consent=consent, hold="case 4", metadata={"desk": 12})
    ann.update_subject("staff", "ann")
    found = ann.update_subject("staff", "ann", hold=None)
    assert (found.consent, found.hold, dict(found.metadata)) == (consent, None, {"desk": 12})
    found = ann.update_subject("staff", "ann", consent=None, metadata=None)
    assert (found.consent, found.hold, dict(found.metadata)) == (Consent(), None, {})
    with pytest.raises(UnknownSubject):
        ann.update_subject("staff", "eve", hold="x")


def test_who_is_held_is_not_erased_until_released(ann: Store) -> None:
    ann.update_subject("staff", "ann", hold="case 4")
    first = ids_of(ann, "ann")[0]
    for erase in (
        lambda: ann.erase_subject("staff", "ann"),
        lambda: ann.erase_template("staff", first),
        lambda: ann.delete_gallery("staff"),
    ):
        with pytest.raises(SubjectHeld, match="case 4"):
            erase()
    assert len(ids_of(ann, "ann")) == 2
    ann.update_subject("staff", "ann", hold=None)
    ann.erase_subject("staff", "ann")
    ann.delete_gallery("staff")


@pytest.mark.parametrize("hold", ["", " case", "x" * 257, "a\nb"])
def test_a_hold_has_a_reason_that_can_be_read(ann: Store, hold: str) -> None:
    with pytest.raises(InvalidRequest, match="hold"):
        ann.update_subject("staff", "ann", hold=hold)


@pytest.mark.parametrize("wrong", [{"a": float("nan")}, {"a": {1, 2}}, {"a": b"bytes"}])
def test_metadata_is_json(ann: Store, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match="metadata"):
        ann.update_subject("staff", "ann", metadata=wrong)


def test_metadata_has_a_limit(ann: Store) -> None:
    ann.update_subject("staff", "ann", metadata={"a": "x" * (16 * 1024 - 9)})
    with pytest.raises(LimitExceeded, match="metadata"):
        ann.update_subject("staff", "ann", metadata={"a": "x" * (16 * 1024 - 8)})


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(metadata=st.dictionaries(st.text(max_size=8), json_values, max_size=4))
def test_any_metadata_comes_back_as_it_was(ann: Store, metadata: dict[str, Any]) -> None:
    assert dict(ann.update_subject("staff", "ann", metadata=metadata).metadata) == metadata


def test_a_head_counts_its_templates_and_names_their_content(ann: Store, vectors: Vectors) -> None:
    def agrees() -> bool:
        head, rows = ann.everything("staff")
        assert ann.heads() == [head]
        return (head.templates, head.content) == (len(rows.ids), reduce(xor, rows.marks.tolist(), 0))

    assert agrees()
    empty = ann.head("staff").content
    (added,) = ann.enroll("staff", BUNDLE, [NewTemplate("eve", vectors(1)[0])])
    assert agrees()
    assert ann.head("staff").content != empty
    ann.erase_template("staff", added.template or 0)
    assert agrees()
    assert ann.head("staff").content == empty
    ann.erase_subject("staff", "ann")
    assert agrees()
    assert ann.check() == []


def test_a_gallery_that_does_not_hold_what_it_says_is_found(ann: Store) -> None:
    with ann.write() as connection:
        connection.execute(update(galleries).values(content=galleries.c.content + 1))
    (wrong,) = ann.check()
    assert "gallery 1: it says it has 3 templates and has 3, or others" in wrong


def test_every_change_has_its_entry_in_the_audit_log(ann: Store) -> None:
    ann.set_calibration("staff", {"format": 2})
    ann.update_subject("staff", "ann", hold="case 4", consent=Consent("form 17"))
    ann.update_subject("staff", "ann", hold=None)
    ann.erase_template("staff", ids_of(ann, "bob")[0])
    ann.erase_subject("staff", "ann")
    ann.delete_gallery("staff")
    entries = audit_page(ann)
    assert [each.action for each in entries] == [
        *("create", "enroll", "calibrate", "update", "update", "erase", "erase", "delete")
    ]
    assert entries[1].detail == '{"first":1,"last":3,"subjects":2,"templates":3}'
    assert entries[3].detail == '{"changed":["consent","hold"]}'


class Generations:
    """`staff` and a second generation of it, where every template was made again, with other ids."""

    def __init__(self, store: Store, vectors: Vectors) -> None:
        self.store = store
        with store.write() as connection:
            at = heads.head(connection, "staff")
            second = Gallery("staff~2", "c" * 64, 8, now(), state=State.BUILDING)
            self.key = writing.create_gallery(connection, store, second, family=at.key)
            other = heads.generation(connection, self.key)
            assert other is not None
            held = [(owner, template) for owner in ("ann", "bob") for template in ids_of(store, owner)]
            new = [NewTemplate(owner, each) for (owner, _), each in zip(held, vectors(len(held), seed=2), strict=True)]
            enrolling.enroll(connection, store, other, new, origins=[template for _, template in held])

    def left(self) -> list[int]:
        with self.store.read() as connection:
            wanted = select(templates.c.origin).where(templates.c.gallery_id == self.key).order_by(templates.c.origin)
            return [int(origin or 0) for origin in connection.scalars(wanted)]


def test_a_subject_is_erased_from_all_generations_in_one_commit(ann: Store, vectors: Vectors) -> None:
    both = Generations(ann, vectors)
    erasure = ann.erase_subject("staff", "ann")
    assert len(erasure.templates) == 4
    assert both.left() == [3]
    assert ann.check() == []
    with ann.read() as connection:
        (row,) = connection.execute(select(erasures)).all()
    assert (row.id, row.whole, row.templates, row.state) == (erasure.id, True, list(erasure.templates), "withheld")


def test_a_template_is_erased_with_those_that_were_made_from_the_same_recording(ann: Store, vectors: Vectors) -> None:
    both = Generations(ann, vectors)
    first, second = ids_of(ann, "ann")
    assert len(ann.erase_template("staff", first).templates) == 2
    assert both.left() == [second, 3]
    erasure = ann.erase_template("staff", second)
    assert (len(erasure.templates), erasure.whole) == (2, True)
    assert both.left() == [3]
    with pytest.raises(UnknownTemplate):
        ann.erase_template("staff", second)
    assert ann.check() == []


def test_a_hold_in_one_generation_holds_in_all(ann: Store, vectors: Vectors) -> None:
    Generations(ann, vectors)
    ann.update_subject("staff", "ann", hold="case 4")
    with ann.write() as connection:
        connection.execute(update(galleries).where(galleries.c.name == "staff").values(name="staff~1", state="retired"))
        connection.execute(update(galleries).where(galleries.c.name == "staff~2").values(name="staff", state="active"))
    with pytest.raises(SubjectHeld):
        ann.erase_subject("staff", "ann")


def test_a_deleted_gallery_takes_its_other_generations_along(ann: Store, vectors: Vectors) -> None:
    Generations(ann, vectors)
    ann.delete_gallery("staff")
    with ann.read() as connection:
        assert connection.execute(select(galleries)).all() == []
    assert ann.check() == []
