"""Keys of callers in the database: only hashes are kept, every change is in the audit log."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from gallery.actor import acting_as
from gallery.api_keys import ID_LENGTH, NewKey, Scope, hash_of, id_of, is_id, new_id, spelled
from gallery.store import Store
from gallery.store.api_keys import (
    kept_keys,
    key_page,
    keys_changed,
    make_first_key,
    make_key,
    note_used,
    revoke_key,
    rotate_key,
    show_key,
)
from gallery.store.audit import audit_page, verify_chain
from gallery.store.moments import stamp
from gallery.store.schema import api_keys
from gallery.template import now
from model.errors import Conflict, InvalidRequest, UnknownResource

CAMERA = NewKey("camera 3", frozenset({Scope.IDENTIFY}), frozenset({"gate"}), rate=600)


def test_a_key_comes_back_as_it_was_made_and_its_secret_does_not(store: Store) -> None:
    made, key = make_key(store, CAMERA)
    assert show_key(store, made.id) == made
    assert (made.name, made.scopes, made.galleries, made.rate) == ("camera 3", CAMERA.scopes, CAMERA.galleries, 600)
    with store.read() as connection:
        row = connection.execute(select(api_keys)).one()
    assert bytes(row.hash) == hash_of(key)
    secret = key.split("_", 2)[2]
    assert not any(secret in str(value) for value in row)


def test_a_page_of_keys_goes_on_behind_the_last(store: Store) -> None:
    made = sorted(make_key(store, CAMERA)[0].id for _ in range(5))
    first = key_page(store, limit=2)
    assert [each.id for each in first] == made[:2]
    assert [each.id for each in key_page(store, first[-1].id)] == made[2:]


def test_after_a_rotation_both_secrets_are_kept_and_after_the_next_the_oldest_is_gone(store: Store) -> None:
    made, first = make_key(store, CAMERA)
    _, second = rotate_key(store, made.id, 60)
    kept = kept_keys(store)[1][0]
    assert (kept.hash, kept.former) == (hash_of(second), hash_of(first))
    assert kept.key.former_until is not None
    assert timedelta(seconds=50) < kept.key.former_until - now() <= timedelta(seconds=60)
    _, third = rotate_key(store, made.id, 0)
    kept = kept_keys(store)[1][0]
    assert (kept.hash, kept.former, kept.key.former_until) == (hash_of(third), None, None)
    assert len({first, second, third}) == 3


def test_a_revoked_key_is_listed_but_kept_no_longer_and_cannot_be_rotated(store: Store) -> None:
    made, _ = make_key(store, CAMERA)
    gone = revoke_key(store, made.id)
    assert gone.revoked is not None
    assert revoke_key(store, made.id) == gone, "again does nothing"
    assert kept_keys(store)[1] == []
    assert [each.id for each in key_page(store)] == [made.id]
    with pytest.raises(Conflict):
        rotate_key(store, made.id)


@pytest.mark.parametrize("name", ["abcdefgh2345", "", "no such", "a\0b", "x" * 5000, "é" * 12])
def test_a_key_that_is_not_there_is_unknown_however_it_is_called(store: Store, name: str) -> None:
    for ask in (show_key, rotate_key, revoke_key):
        with pytest.raises(UnknownResource):
            ask(store, name)


def test_the_first_key_is_made_once_by_however_many_start_together(
    store: Store, open_again: Callable[[], Store]
) -> None:
    stores = [store, *(open_again() for _ in range(3))]
    with ThreadPoolExecutor(4) as pool:
        made = [found for found in pool.map(make_first_key, stores) if found is not None]
    assert len(made) == 1
    assert made[0][0].scopes == {Scope.ADMIN}
    revoke_key(store, made[0][0].id)
    assert make_first_key(store) is None, "who revoked all of them does not want a new one printed"


def test_each_change_of_a_key_is_in_the_audit_log_without_secret_or_names(store: Store) -> None:
    with acting_as("key:boss"):
        made, first = make_key(store, CAMERA)
        _, second = rotate_key(store, made.id)
        revoke_key(store, made.id)
    entries = audit_page(store)
    assert [each.action for each in entries] == ["api_key_made", "api_key_rotated", "api_key_revoked"]
    assert {each.actor for each in entries} == {"key:boss"}
    told = "".join(each.detail for each in entries)
    assert all(made.id in each.detail for each in entries)
    for hidden in (first.split("_", 2)[2], second.split("_", 2)[2], "camera", "gate"):
        assert hidden not in told
    assert verify_chain(store).broken is None


def test_who_follows_the_log_hears_of_every_change_of_a_key_and_of_nothing_else(store: Store) -> None:
    since, _ = kept_keys(store)
    assert keys_changed(store, since) == (since, False)
    store.create_gallery("gate", "b" * 64, 8)
    assert keys_changed(store, since)[1] is False
    made, _ = make_key(store, CAMERA)
    for change in (rotate_key, revoke_key):
        newest, changed = keys_changed(store, since)
        assert changed
        assert keys_changed(store, newest) == (newest, False)
        since = newest
        change(store, made.id)
    assert keys_changed(store, since)[1]


def test_when_a_key_was_used_last_is_noted(store: Store) -> None:
    made, _ = make_key(store, CAMERA)
    assert made.used is None
    at = now()
    note_used(store, {made.id: stamp(at)})
    assert show_key(store, made.id).used == at


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"scopes": frozenset()}, "scopes"),
        ({"galleries": frozenset()}, "galleries"),
        ({"galleries": frozenset({"a/b"})}, "galleries"),
        ({"rate": 0}, "rate"),
        ({"rate": 10_000_000}, "rate"),
        ({"expires": now() - timedelta(seconds=1)}, "expires"),
        ({"expires": now().replace(tzinfo=None) + timedelta(days=1)}, "expires"),
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest, match=field):
        NewKey(**{"name": "x", "scopes": frozenset({Scope.IDENTIFY}), **wrong})


def test_no_two_keys_are_alike_and_all_are_spelled_as_keys() -> None:
    keys = {spelled(new_id()) for _ in range(500)}
    assert len(keys) == len({id_of(key) for key in keys}) == 500
    assert all(len(key) == 3 + ID_LENGTH + 1 + 43 for key in keys)


@given(st.text(max_size=80))
def test_what_is_not_spelled_as_a_key_has_no_id(text: str) -> None:
    found = id_of(text)
    assert found is None or (is_id(found) and text == f"gk_{found}_{text[-43:]}")
