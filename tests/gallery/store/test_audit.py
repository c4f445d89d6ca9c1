"""The audit log: what is in it commits with what was done, and nothing in it can be changed unseen."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select

from gallery.actor import acting_as
from gallery.store import Store, open_store
from gallery.store.audit import ChainHead, Note, append, append_many, audit_head, audit_page, verify_chain
from gallery.store.schema import audit
from gallery.template import NewTemplate
from model.errors import InvalidRequest
from model.sequence import Floats

BUNDLE = "b" * 64


def test_an_empty_log_is_sound_and_its_head_names_the_store(store: Store) -> None:
    assert verify_chain(store).broken is None
    assert audit_head(store).seq == 0
    assert len(audit_head(store).hash) == 64


def test_every_change_has_its_entry_with_keys_and_no_names(store: Store, vectors: Callable[..., Floats]) -> None:
    with acting_as("key:4711"):
        store.create_gallery("staff", BUNDLE, 8)
        store.enroll("staff", BUNDLE, [NewTemplate("ann", each, {"view": "090"}) for each in vectors(3)])
        store.update_subject("staff", "ann", metadata={"room": "west"})
        store.erase_subject("staff", "ann")
        store.delete_gallery("staff")
    found = audit_page(store)
    assert [each.action for each in found] == ["create", "enroll", "update", "erase", "delete"]
    assert {each.actor for each in found} == {"key:4711"}
    said = " ".join(each.detail for each in found)
    assert not any(word in said for word in ("ann", "staff", "west", "090"))
    assert verify_chain(store).rows == 5


def test_an_entry_whose_transaction_failed_is_not_there(store: Store) -> None:
    append_many(store, [Note("one")])
    with suppress(ZeroDivisionError), store.write() as connection:
        append(connection, store, "two")
        raise ZeroDivisionError
    append_many(store, [Note("three")])
    assert [each.action for each in audit_page(store)] == ["one", "three"]
    assert verify_chain(store).broken is None


def test_several_entries_of_one_transaction_are_chained_too(store: Store) -> None:
    with store.write() as connection:
        for number in range(3):
            append(connection, store, "identify", 1, number, score=0.1 * number)
    walk = verify_chain(store)
    assert (walk.rows, walk.broken, walk.head) == (3, None, audit_head(store))


def test_pages_hold_what_was_asked_for(store: Store) -> None:
    append_many(store, [Note("enroll" if n % 2 else "identify", n % 3, n) for n in range(12)])
    assert [each.seq for each in audit_page(store, 4, 3)] == [5, 6, 7]
    assert {each.action for each in audit_page(store, action="enroll")} == {"enroll"}
    assert [each.subject_id for each in audit_page(store, gallery_id=1)] == [1, 4, 7, 10]
    assert [each.seq for each in audit_page(store, subject_id=5)] == [6]


def test_long_and_odd_words_fit_every_database(store: Store) -> None:
    with acting_as("ж" * 500 + "\0"):
        append_many(store, [Note("a" * 99, 2**62, None, {"text": "\0\ud800é", "none": None, "list": [1, 2.5, True]})])
    (found,) = audit_page(store)
    assert json.loads(found.detail)["text"] == "\0\ud800é"
    assert verify_chain(store).broken is None


def test_a_tail_that_was_cut_off_is_seen_against_a_head_that_was_noted(store: Store) -> None:
    append_many(store, [Note("identify")] * 5)
    noted = audit_head(store)
    with store.write() as connection:
        connection.execute(delete(audit).where(audit.c.seq > 3))
    assert verify_chain(store).broken is None
    walk = verify_chain(store, noted)
    assert (walk.broken, walk.rows) == (5, 3)
    assert "ends with row 3" in walk.reason


def test_a_log_that_was_written_anew_is_seen_against_a_head_that_was_noted(store: Store) -> None:
    append_many(store, [Note("identify")] * 5)
    noted = audit_head(store)
    with store.write() as connection:
        connection.execute(delete(audit).where(audit.c.seq > 3))
    append_many(store, [Note("nothing to see")] * 5)
    with store.write() as connection:  # with the numbers of those that are gone
        rows = connection.execute(select(audit).where(audit.c.seq > 3)).all()
        assert [row.seq for row in rows] == [6, 7, 8, 9, 10]
    assert verify_chain(store).broken is None
    assert verify_chain(store, noted).broken == 6
    assert verify_chain(store, audit_head(store)).broken is None


@pytest.mark.parametrize("text", ["", "5", "5:", ":" + "a" * 64, "5:" + "A" * 64, "5:" + "a" * 63, "-1:" + "a" * 64])
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="must be SEQ:HASH"):
        ChainHead.parse(text)


def test_a_head_is_read_as_it_is_printed(store: Store) -> None:
    append_many(store, [Note("identify")])
    assert ChainHead.parse(f" {audit_head(store)}\n") == audit_head(store)


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, list[dict[str, Any]]]]:
    """A store with twelve entries, and these as they were."""
    store = open_store(tmp_path_factory.mktemp("written"))
    append_many(store, [Note("identify", n % 3, n, {"score": n / 7}) for n in range(12)])
    with store.read() as connection:
        rows = [dict(row) for row in connection.execute(select(audit)).mappings()]
    yield store, rows
    store.close()


def replaced(store: Store, rows: list[dict[str, Any]]) -> None:
    with store.write() as connection:
        connection.execute(delete(audit))
        connection.execute(insert(audit), rows)


CHANGES: dict[str, list[Any]] = {
    "at": [0, 1],
    "actor": ["", "somebody else"],
    "action": ["", "erase"],
    "gallery_id": [None, 77],
    "subject_id": [None, 77],
    "detail": ["{}", "", '{"score":1.0}'],
    "hash": [b"", b"\0" * 32],
    "seq": [0, 77],
}


@given(data=st.data())
@settings(max_examples=80, deadline=None)
def test_no_row_can_be_changed_removed_put_in_or_moved_unseen(
    written: tuple[Store, list[dict[str, Any]]], data: st.DataObject
) -> None:
    store, rows = written
    place = data.draw(st.integers(0, len(rows) - 1), label="place")
    other = data.draw(st.integers(0, len(rows) - 1).filter(lambda each: each != place), label="other")
    doubled = [dict(row) for row in rows]
    match data.draw(st.sampled_from(["change", "remove", "insert", "swap"])):
        case "change":
            column = data.draw(st.sampled_from(sorted(CHANGES)))
            doubled[place][column] = data.draw(st.sampled_from(CHANGES[column]))
            if column == "seq":
                doubled[place]["seq"] = 77 if place < len(rows) - 1 else 0
        case "remove":
            del doubled[min(place, len(rows) - 2)]
        case "insert":
            doubled.append({**rows[other], "seq": 100})
        case "swap":
            doubled[place]["seq"], doubled[other]["seq"] = doubled[other]["seq"], doubled[place]["seq"]
    noted = audit_head(store)
    replaced(store, doubled)
    try:
        walk = verify_chain(store, noted)
        assert walk.broken is not None
        assert walk.rows <= len(rows)
    finally:
        replaced(store, rows)
    assert verify_chain(store, noted).broken is None
