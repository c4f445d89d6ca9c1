"""What is still to be done for somebody is counted alike on both databases."""

from sqlalchemy import update

from gallery.library import Library
from gallery.store import Store
from gallery.store.backlog import Backlog, backlog
from gallery.store.deliveries import News, add_deliveries
from gallery.store.job_leases import claim
from gallery.store.jobs import add_job, cancel
from gallery.store.moments import moment
from gallery.store.schema import deliveries
from gallery.store.webhooks import add_webhook
from tests.gallery.conftest import BUNDLE, DIM


def test_nothing_waits_in_a_new_store(store: Store) -> None:
    assert backlog(store) == Backlog(0, 0, 0, 0.0)


def test_jobs_count_until_they_are_finished(store: Store) -> None:
    Library(store).create("staff", fingerprint=BUNDLE, dim=DIM)
    made = [add_job(store, "calibrate", "staff", "loopback", {}) for _ in range(3)]
    assert claim(store, "me", ("calibrate",), 60.0) is not None
    assert (backlog(store).queued, backlog(store).running) == (2, 1)
    cancel(store, made[-1].id)
    assert (backlog(store).queued, backlog(store).running) == (1, 1)


def test_a_delivery_is_late_from_when_it_was_due(store: Store) -> None:
    Library(store).create("staff", fingerprint=BUNDLE, dim=DIM)
    hook = add_webhook(store, "https://example.org/told", ("match",), "staff", "loopback", b"whsec_x")
    add_deliveries(store, [News(hook.id, "staff", None, "{}")] * 2)
    with store.write() as connection:
        connection.execute(update(deliveries).values(due=moment() - 30_000_000))
    found = backlog(store)
    assert found.deliveries == 2
    assert 30 <= found.late_s < 600
