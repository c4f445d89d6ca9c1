"""Answers under idempotency keys: kept sealed, given once more, and gone with whom they name."""

from collections.abc import Callable

import pytest
from sqlalchemy import select, update

from gallery.library import Library
from gallery.store import Store
from gallery.store.idempotency import KEPT_US, UNDER_WAY_US, About, Answered, Key, begin, finish, release
from gallery.store.schema import idempotency
from gallery.template import NewTemplate
from model.errors import Conflict
from model.sequence import Floats
from tests.gallery.conftest import BUNDLE

KEY = Key("key:abc", "7e5c")
ASKED = b"a" * 32
SECRET = b"shown once: gk_secret"


def done(store: Store, key: Key = KEY, about: About = About()) -> None:
    assert begin(store, key, ASKED) is None
    finish(store, key, Answered(201, SECRET), about)


def aged(store: Store, by_us: int) -> None:
    with store.write() as connection:
        connection.execute(update(idempotency).values(at=idempotency.c.at - by_us))


def test_what_was_answered_is_answered_again_and_by_another_process_too(
    store: Store, open_again: Callable[[], Store]
) -> None:
    done(store)
    assert begin(store, KEY, ASKED) == begin(open_again(), KEY, ASKED) == Answered(201, SECRET)


def test_a_key_is_one_callers(store: Store) -> None:
    done(store)
    assert begin(store, Key("key:xyz", KEY.sent), ASKED) is None


def test_a_key_is_for_one_request(store: Store) -> None:
    done(store)
    with pytest.raises(Conflict, match="another request"):
        begin(store, KEY, b"b" * 32)


def test_a_request_under_way_is_not_begun_again_until_it_cannot_be_any_more(store: Store) -> None:
    begin(store, KEY, ASKED)
    with pytest.raises(Conflict, match="under way") as raised:
        begin(store, KEY, ASKED)
    assert raised.value.retry_after_s == 1
    aged(store, UNDER_WAY_US)
    assert begin(store, KEY, ASKED) is None


def test_a_key_under_which_nothing_was_done_is_free_again(store: Store) -> None:
    begin(store, KEY, ASKED)
    release(store, KEY)
    assert begin(store, KEY, b"b" * 32) is None


def test_an_answer_is_forgotten_after_a_day(store: Store) -> None:
    done(store)
    aged(store, KEPT_US + 1)
    assert begin(store, KEY, ASKED) is None


def test_neither_key_nor_answer_is_in_the_database(store: Store) -> None:
    done(store)
    with store.read() as connection:
        row = connection.execute(select(idempotency)).one()
    assert all(text not in bytes(value) for text in (SECRET, KEY.sent.encode()) for value in (row.key, row.answer))


def test_an_answer_goes_with_the_subject_or_the_gallery_that_it_names(
    library: Library, vectors: Callable[..., Floats]
) -> None:
    library.enroll("staff", [NewTemplate("ada", vectors(1)[0], {}, 60)], fingerprint=BUNDLE)
    other = Key(KEY.caller, "another")
    done(library.store, about=About("staff", "ada"))
    done(library.store, other, About("staff"))
    library.erase_subject("staff", "ada")
    assert begin(library.store, KEY, ASKED) is None
    assert begin(library.store, other, ASKED) is not None
    library.delete("staff")
    assert begin(library.store, other, ASKED) is None


def test_an_answer_about_whoever_is_gone_by_then_is_not_kept(library: Library) -> None:
    done(library.store, about=About("staff", "nobody"))
    assert begin(library.store, KEY, ASKED) is None
