"""Webhooks in the store, and what they are still to be told."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import func, insert, select, update

from gallery.library import Library
from gallery.store import Store
from gallery.store.audit import audit_page
from gallery.store.deliveries import (
    STUBBORN,
    News,
    add_deliveries,
    due_deliveries,
    give_up,
    not_received,
    received,
)
from gallery.store.moments import moment
from gallery.store.schema import api_keys, deliveries, secrets, webhooks
from gallery.store.webhooks import (
    Webhook,
    add_webhook,
    deactivate,
    delete_webhook,
    receivers,
    secret_of,
    webhook,
    webhooks_page,
)
from gallery.template import NewTemplate
from model.errors import UnknownGallery, UnknownResource
from tests.gallery.conftest import BUNDLE, DIM

HELD_S = 60.0
URL = "https://example.org/told"
ALL = ("match", "no_match", "abstain")


def hook(store: Store, gallery: str | None = "staff", owner: str = "loopback") -> Webhook:
    return add_webhook(store, URL, ALL, gallery, owner, b"whsec_x")


def news(found: Webhook, body: str = "{}", subject: str | None = None) -> News:
    return News(found.id, "staff", subject, body)


def waiting(store: Store) -> int:
    with store.read() as connection:
        return connection.scalar(select(func.count()).select_from(deliveries)) or 0


def keys(store: Store) -> int:
    with store.read() as connection:
        return connection.scalar(select(func.count()).where(secrets.c.kind == "webhook")) or 0


def add_key(store: Store, key: str, **values: object) -> None:
    fixed = {"id": key, "name": key, "hash": b"x", "scopes": [], "galleries": None, "created": 0}
    with store.write() as connection:
        connection.execute(insert(api_keys).values(**{**fixed, **values}))


def test_a_webhook_is_kept_with_its_secret_wrapped(library: Library) -> None:
    found = hook(library.store)
    assert webhook(library.store, found.id) == found
    assert secret_of(library.store, found.id) == b"whsec_x"
    with library.store.read() as connection:
        assert b"whsec_x" not in b"".join(connection.scalars(select(secrets.c.wrapped)))


def test_one_that_is_deleted_leaves_neither_secret_nor_deliveries(library: Library) -> None:
    store = library.store
    found = hook(store)
    add_deliveries(store, [news(found)])
    delete_webhook(store, found.id)
    assert (keys(store), waiting(store)) == (0, 0)
    for ask in (webhook, secret_of, delete_webhook):
        with pytest.raises(UnknownResource):
            ask(store, found.id)


def test_a_gallery_that_is_deleted_takes_its_webhooks(library: Library) -> None:
    store = library.store
    add_deliveries(store, [news(hook(store))])
    library.delete("staff")
    assert (keys(store), waiting(store), webhooks_page(store)) == (0, 0, [])


def test_there_is_no_webhook_of_a_gallery_that_is_not_there(library: Library) -> None:
    with pytest.raises(UnknownGallery):
        hook(library.store, "nowhere")


def test_who_is_told(library: Library) -> None:
    """Not whose key was revoked, has expired, or reaches the gallery no longer."""
    store = library.store
    add_key(store, "good")
    add_key(store, "bound", galleries=["other"])
    add_key(store, "gone", revoked=1)
    add_key(store, "over", expires=1)
    of = {owner: hook(store, owner=f"key:{owner}") for owner in ("good", "bound", "gone", "over", "never-was")}
    every = hook(store, None)
    assert {each.webhook for each in receivers(store)} == {of["good"].id, every.id}
    deactivate(store, every.id)
    assert [each.gallery for each in receivers(store)] == ["staff"]


def test_deliveries_are_made_in_their_order_one_at_a_time(library: Library) -> None:
    store = library.store
    found = hook(store)
    add_deliveries(store, [news(found, str(number)) for number in range(3)])
    bodies = []
    while taken := due_deliveries(store, 10, HELD_S):
        (one,) = taken
        assert due_deliveries(store, 10, HELD_S) == []  # what is being tried holds up what is behind it
        bodies.append(one.body)
        assert (one.url, one.secret, one.attempts) == (URL, b"whsec_x", 1)
        received(store, one.id)
    assert bodies == ["0", "1", "2"]


def test_one_webhook_does_not_hold_up_another(library: Library) -> None:
    store = library.store
    add_deliveries(store, [news(hook(store), str(number)) for number in range(3)])
    assert len(due_deliveries(store, 10, HELD_S)) == 3


def test_what_was_being_tried_by_a_process_that_is_gone_is_tried_again(library: Library) -> None:
    store = library.store
    add_deliveries(store, [news(hook(store))])
    (first,) = due_deliveries(store, 10, -1.0)
    (again,) = due_deliveries(store, 10, HELD_S)
    assert (again.id, again.attempts) == (first.id, 2)


def test_what_is_not_received_is_due_later(library: Library) -> None:
    store = library.store
    found = hook(store)
    add_deliveries(store, [news(found)])
    (one,) = due_deliveries(store, 10, HELD_S)
    not_received(store, one.id, "refused 500", 100.0)
    assert due_deliveries(store, 10, HELD_S) == []
    assert (webhook(store, found.id).waiting, webhook(store, found.id).error) == (1, "refused 500")
    not_received(store, one.id, "refused 500", -1.0)
    assert [each.attempts for each in due_deliveries(store, 10, HELD_S)] == [2]


def test_one_that_is_refused_again_and_again_lets_the_others_pass(library: Library) -> None:
    store = library.store
    found = hook(store)
    add_deliveries(store, [news(found, "0"), news(found, "1")])
    for _ in range(STUBBORN):
        (one,) = due_deliveries(store, 10, HELD_S)
        assert one.body == "0"
        not_received(store, one.id, "refused 400", -1.0)
    assert {each.body for each in due_deliveries(store, 10, HELD_S)} == {"0", "1"}


def test_what_is_given_up_is_in_the_audit_log(library: Library) -> None:
    store = library.store
    found = hook(store)
    add_deliveries(store, [news(found)])
    (one,) = due_deliveries(store, 10, HELD_S)
    give_up(store, one.id, "timeout")
    assert waiting(store) == 0
    (entry,) = audit_page(store, 0, 100, action="webhook_given_up")
    assert found.id in entry.detail


def test_a_delivery_goes_with_the_subject_that_it_names(library: Library) -> None:
    store = library.store
    library.enroll("staff", [NewTemplate("ann", np.eye(DIM, dtype=np.float32)[0])], fingerprint=BUNDLE)
    found = hook(store)
    add_deliveries(store, [news(found, "of ann", "ann"), news(found, "of nobody")])
    library.erase_subject("staff", "ann")
    assert [each.body for each in due_deliveries(store, 10, HELD_S)] == ["of nobody"]
    add_deliveries(store, [news(found, "of ann", "ann")])  # decided before she was erased, written down after
    assert waiting(store) == 1


def test_what_is_about_a_gallery_or_a_webhook_that_is_gone_is_not_told(library: Library) -> None:
    store = library.store
    found = hook(store, None)
    assert add_deliveries(store, [News(found.id, "nowhere", None, "{}"), News("x", "staff", None, "{}")]) == 0
    assert waiting(store) == 0


def test_a_receiver_that_is_away_leaves_no_more_than_it_may(library: Library) -> None:
    found = hook(library.store)
    assert add_deliveries(library.store, [news(found)] * 5, at_most=3) == 2
    assert waiting(library.store) == 3


def test_a_receiver_that_is_gone_is_told_no_more(library: Library) -> None:
    store = library.store
    found = hook(store)
    add_deliveries(store, [news(found)])
    deactivate(store, found.id)
    assert not webhook(store, found.id).active
    assert (receivers(store), waiting(store)) == ([], 0)


def test_times_are_told(library: Library) -> None:
    store = library.store
    found = hook(store)
    add_deliveries(store, [news(found)])
    with store.write() as connection:
        connection.execute(update(deliveries).values(created=moment() - 3_600_000_000))
        connection.execute(update(webhooks).values(created=0))
    (one,) = due_deliveries(store, 1, HELD_S)
    assert datetime.now(UTC) - one.created > timedelta(minutes=59)
    assert webhook(store, found.id).created == datetime(1970, 1, 1, tzinfo=UTC)
