"""The keys in memory: what the store is asked for, and what happens when it cannot be asked."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import event

from gallery.api_keys import Scope, id_of, new_id, spelled
from gallery.store import Store
from gallery.store.api_keys import revoke_key, rotate_key, show_key
from gallery.template import now
from model.errors import StoreUnavailable, UnknownCaller
from service.access.ring import LOOKS, KeyRing
from tests.service.access.keyed import Keyed, key_for


class Asked:
    """How many statements a store was asked."""

    def __init__(self, store: Store) -> None:
        self.statements = 0
        event.listen(store._engine, "before_cursor_execute", self._count)

    def _count(self, *_: object) -> None:
        self.statements += 1


@pytest.fixture
def ring(another: Store) -> Iterator[KeyRing]:
    """A ring that asks the store only when it is told to."""
    found = KeyRing(another, every_s=3600)
    found.start()
    yield found
    found.stop()


def test_a_key_that_is_known_costs_the_store_nothing(ring: KeyRing, another: Store) -> None:
    key = key_for(another)
    ring.refresh()
    asked = Asked(another)
    for _ in range(100):
        assert asyncio.run(ring.find(key)).caller.id == f"key:{id_of(key)}"
    assert asked.statements == 0


def test_a_flood_of_keys_that_nobody_made_is_not_a_flood_of_questions_to_the_store(
    ring: KeyRing, another: Store
) -> None:
    key_for(another)
    ring.refresh()
    asked = Asked(another)

    async def flood() -> None:
        for _ in range(5000):
            with pytest.raises(UnknownCaller):
                await ring.find(spelled(new_id()))

    asyncio.run(flood())
    assert 1 <= asked.statements <= LOOKS * 10
    assert len(ring.ids) == 1, "and nothing of them is kept"


def test_what_is_no_key_at_all_is_never_asked_for(ring: KeyRing, another: Store) -> None:
    asked = Asked(another)
    for text in ("", "x", "gk_", "gk_ABCDEFGH2345_" + 43 * "A", "gk_abcdefgh2345_" + 42 * "A", "gk_" * 1000):
        with pytest.raises(UnknownCaller):
            asyncio.run(ring.find(text))
    assert asked.statements == 0


def test_a_key_is_good_until_it_expires_and_its_secret_before_until_the_grace_is_over(
    ring: KeyRing, another: Store
) -> None:
    soon = now() + timedelta(seconds=1)
    short, rotated = key_for(another, expires=soon), key_for(another)
    _, newer = rotate_key(another, id_of(rotated) or "", 1)
    ring.refresh()
    caller = asyncio.run(ring.find(short)).caller
    assert ring.holds(caller)
    assert ring.held(rotated) is not None
    asyncio.run(asyncio.sleep(1.1))  # what is awaited is the moment itself
    assert ring.held(short) is None
    assert not ring.holds(caller)
    assert ring.held(rotated) is None
    assert ring.held(newer) is not None


def test_nobody_is_believed_when_the_keys_could_not_be_read_for_long(another: Store) -> None:
    key = key_for(another)
    ring = KeyRing(another)
    with pytest.raises(StoreUnavailable):
        asyncio.run(ring.find(key))


def test_a_key_that_was_used_is_noted_when_the_ring_ends(another: Store) -> None:
    key = key_for(another, [Scope.AUDIT])
    ring = KeyRing(another)
    ring.start()
    assert ring.held(key) is not None
    ring.stop()
    assert show_key(another, id_of(key) or "").used is not None


def test_revoked_here_is_refused_at_once(keyed: Keyed) -> None:
    boss, key = key_for(keyed.store, [Scope.ADMIN]), key_for(keyed.store)
    assert keyed.ask(key).status_code == 200
    assert keyed.ask(boss, "DELETE", f"/keys/{id_of(key)}").status_code == 204
    assert keyed.ask(key).status_code == 401


def test_while_the_store_is_away_keys_that_are_known_are_good_and_others_unknown(ring: KeyRing, another: Store) -> None:
    key = key_for(another)
    ring.refresh()
    revoke_key(another, id_of(key) or "")

    def fail(*_: object) -> None:
        raise OSError("gone")

    event.listen(another._engine, "before_cursor_execute", fail)
    assert asyncio.run(ring.find(key)).caller.id == f"key:{id_of(key)}", "nobody could hear of its end yet"
    with pytest.raises((UnknownCaller, OSError)):
        asyncio.run(ring.find(spelled(new_id())))
    event.remove(another._engine, "before_cursor_execute", fail)


def test_a_service_whose_keys_could_not_be_read_for_long_is_not_ready(keyed: Keyed) -> None:
    assert keyed.ask(None, path="/readyz").json()["checks"]["callers"] == "ok"
    keyed.http.app.state.ring.stale_s = -1.0
    answer = keyed.ask(None, path="/readyz")
    assert answer.status_code == 503
    assert "could not be read" in answer.json()["checks"]["callers"]
    assert keyed.ask(key_for(keyed.store)).status_code == 503
