"""From decisions to deliveries, without anybody waiting for it."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from gallery.library import Library
from gallery.store.deliveries import due_deliveries
from gallery.store.webhooks import add_webhook, webhooks_page
from gallery.template import Decision, Outcome, now
from service.events import Decided
from service.webhooks.outbox import ROOM, Outbox


@contextmanager
def at_work(library: Library) -> Iterator[tuple[Outbox, threading.Event]]:
    """An outbox, and an event that is set when it has written deliveries down."""
    added = threading.Event()
    outbox = Outbox(library.store, added.set)
    outbox.start()
    try:
        yield outbox, added
    finally:
        outbox.stop()


def decided(number: int = 0, outcome: Outcome = Outcome.NO_MATCH, gallery: str = "default") -> Decided:
    return Decided(str(number), now(), "identify", gallery, Decision(outcome, score=0.5, threshold=0.9), "key:a")


def hook(library: Library, *outcomes: str, gallery: str | None = "default") -> str:
    return add_webhook(library.store, "https://example.org/", outcomes, gallery, "loopback", b"x").id


def waiting(library: Library) -> dict[str, int]:
    return {each.id: each.waiting for each in webhooks_page(library.store)}


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 15
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_each_webhook_is_told_what_it_wants(library: Library) -> None:
    library.create("other", fingerprint="f", dim=16)
    wants, other, every = hook(library, "no_match"), hook(library, "match"), hook(library, "no_match", gallery=None)
    with at_work(library) as (outbox, _):
        outbox.take(decided())
        outbox.take(decided(gallery="other"))
        until(lambda: waiting(library) == {wants: 1, other: 0, every: 2})


def test_what_was_taken_is_written_down_before_the_end(library: Library) -> None:
    wants = hook(library, "no_match")
    with at_work(library) as (outbox, _):
        for number in range(300):
            outbox.take(decided(number))
    assert waiting(library) == {wants: 300}
    (first,) = due_deliveries(library.store, 10, 60.0)
    assert '"id":"0"' in first.body


def test_a_webhook_that_is_made_here_is_told_of_the_next_decision(library: Library) -> None:
    with at_work(library) as (outbox, _):
        outbox.take(decided(1))
        until(lambda: outbox.idle)
        outbox.take(decided(2))  # told nobody, and woke nobody
        made = hook(library, "no_match")
        outbox.look()
        outbox.take(decided(3))
        until(lambda: waiting(library) == {made: 1})


def test_what_there_is_no_room_for_is_dropped_and_counted(library: Library) -> None:
    outbox = Outbox(library.store, lambda: None)  # at rest
    for number in range(ROOM + 3):
        outbox.take(decided(number))
    assert outbox.dropped == 3
