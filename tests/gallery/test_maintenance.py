"""What is done unasked: expired subjects and skeletons go, erasures become final, whoever else is at work."""

import fcntl
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from sqlalchemy import func, select, update

from gallery.maintenance import LOCK, Maintenance, Round
from gallery.store import Store, open_store
from gallery.store.audit import audit_page
from gallery.store.destroying import withheld
from gallery.store.schema import secrets, snapshots, vault
from gallery.store.snapshots import begin
from gallery.template import Consent, NewTemplate, now
from model.errors import StoreUnavailable
from model.sequence import Floats
from tests.postgres import Server

BUNDLE = "b" * 64
PAST, FUTURE = now() - timedelta(days=1), now() + timedelta(days=1)


@pytest.fixture
def staff(store: Store, vectors: Callable[..., Floats]) -> Store:
    """The gallery `staff`, which keeps skeletons, with ann, bob and cid of two templates each."""
    store.create_gallery("staff", BUNDLE, 8, vault_days=1)
    for name in ("ann", "bob", "cid"):
        store.enroll("staff", BUNDLE, [NewTemplate(name, each, skeleton=b"walk") for each in vectors(2)])
    return store


@dataclass
class FakeSnapshots:
    """Remembers what was asked of it, and fails where it is told to."""

    fails: bool = False
    replaced: list[str] = field(default_factory=list)
    swept: int = 0

    def replace(self, gallery: str) -> None:
        self.replaced.append(gallery)
        if self.fails:
            raise StoreUnavailable("the disk is full")

    def sweep(self) -> None:
        self.swept += 1


@dataclass
class FakeLibrary:
    store: Store
    snapshots: FakeSnapshots = field(default_factory=FakeSnapshots)


def names(store: Store) -> list[str]:
    return [each.id for each in store.subjects("staff")]


def run(store: Store) -> Round:
    return Maintenance(FakeLibrary(store)).run_once()


def test_a_round_without_anything_to_do_changes_nothing(staff: Store) -> None:
    before = audit_page(staff)
    assert run(staff) == Round()
    assert audit_page(staff) == before


def test_whose_consent_has_expired_is_purged_and_it_is_in_the_log(staff: Store) -> None:
    staff.update_subject("staff", "ann", consent=Consent(expires=PAST))
    staff.update_subject("staff", "bob", consent=Consent(expires=FUTURE))
    done = run(staff)
    assert (done.purged, len(done.destroyed), done.pending) == (1, 1, 0)
    assert names(staff) == ["bob", "cid"]
    assert [each.action for each in audit_page(staff)[-2:]] == ["purge", "destroy"]
    assert len(list(staff.journal.lines())) == 1


def test_whoever_is_held_stays_with_skeletons(staff: Store) -> None:
    staff.update_subject("staff", "ann", consent=Consent(expires=PAST), hold="a court's order")
    make_old(staff)
    assert run(staff).purged == 0
    assert names(staff) == ["ann", "bob", "cid"]
    assert kept_skeletons(staff) == 2
    staff.update_subject("staff", "ann", hold=None)
    assert run(staff).purged == 1


def make_old(store: Store) -> None:
    with store.write() as connection:
        connection.execute(update(vault).values(expires=1))


def kept_skeletons(store: Store) -> int:
    with store.read() as connection:
        return connection.scalar(select(func.count()).select_from(vault)) or 0


def test_many_are_purged_in_one_round(staff: Store, vectors: Callable[..., Floats]) -> None:
    new = [NewTemplate(f"s{number:03}", each) for number, each in enumerate(vectors(45))]
    staff.enroll("staff", BUNDLE, new, consent=Consent(expires=PAST))
    done = run(staff)
    assert (done.purged, len(done.destroyed)) == (45, 45)
    assert names(staff) == ["ann", "bob", "cid"]


def test_skeletons_go_after_their_time_and_templates_stay(staff: Store) -> None:
    assert run(staff).skeletons == 0
    make_old(staff)
    assert run(staff).skeletons == 6
    assert (kept_skeletons(staff), staff.gallery("staff").gallery.templates) == (0, 6)
    assert audit_page(staff)[-1].action == "purge_vault"


def test_the_key_of_a_snapshot_that_holds_who_was_erased_is_destroyed(staff: Store) -> None:
    head = staff.head("staff")
    assert begin(staff, head.key, head.seq) is not None
    assert begin(staff, head.key, head.seq) is not None
    staff.erase_subject("staff", "ann")
    fresh = begin(staff, head.key, staff.head("staff").seq)
    assert fresh is not None
    assert run(staff).pending == 0
    with staff.read() as connection:
        assert connection.scalars(select(snapshots.c.generation)).all() == [fresh[0]]
        kind = select(secrets.c.id).where(secrets.c.kind == "snapshot")
        assert connection.scalars(kind).all() == [fresh[0]]


def test_snapshots_are_written_anew_before_the_old_ones_go(staff: Store) -> None:
    kept = FakeSnapshots()
    head = staff.head("staff")
    begin(staff, head.key, head.seq)
    staff.erase_template("staff", 1)
    assert Maintenance(FakeLibrary(staff, kept)).run_once().pending == 0
    assert (kept.replaced, kept.swept) == (["staff"], 1)
    assert Maintenance(FakeLibrary(staff, kept)).run_once() == Round()
    assert kept.replaced == ["staff"]


def test_a_snapshot_that_cannot_be_written_keeps_no_erasure_waiting(staff: Store) -> None:
    kept = FakeSnapshots(fails=True)
    head = staff.head("staff")
    begin(staff, head.key, head.seq)
    staff.erase_subject("staff", "ann")
    assert Maintenance(FakeLibrary(staff, kept)).run_once().pending == 0


def test_the_snapshots_of_a_gallery_that_was_deleted_go_too(staff: Store) -> None:
    head = staff.head("staff")
    begin(staff, head.key, head.seq)
    staff.delete_gallery("staff")
    assert run(staff).pending == 0
    with staff.read() as connection:
        assert connection.scalars(select(snapshots.c.generation)).all() == []


def test_who_reads_just_then_makes_an_erasure_wait_for_the_next_round(staff: Store) -> None:
    maintenance = Maintenance(FakeLibrary(staff))
    with staff.read() as connection:
        connection.execute(select(func.count()).select_from(vault))
        erasure = staff.erase_subject("staff", "ann")
        assert maintenance.run_once().pending == 1
        assert not maintenance.finish([erasure.id], 0)
        assert [each.id for each in withheld(staff)] == [erasure.id]
    assert maintenance.finish([erasure.id], 5)
    assert withheld(staff) == []


def test_another_process_at_work_is_not_disturbed(staff: Store) -> None:
    erasure = staff.erase_subject("staff", "ann")
    other = os.open(staff.directory / LOCK, os.O_RDWR | os.O_CREAT)
    fcntl.flock(other, fcntl.LOCK_EX)
    assert run(staff) == Round(pending=1)
    os.close(other)
    assert run(staff).destroyed == (erasure.id,)


def test_several_at_once_destroy_each_erasure_once(staff: Store, open_again: Callable[[], Store]) -> None:
    stores = [staff, open_again(), open_again()]
    for name in ("ann", "bob"):
        staff.erase_subject("staff", name)
    threads = [threading.Thread(target=run, args=(each,)) for each in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    run(staff)
    assert withheld(staff) == []
    assert [each.action for each in audit_page(staff)].count("destroy") == 2


def test_a_thread_runs_rounds_until_it_is_stopped(staff: Store) -> None:
    others = set(threading.enumerate())  # a service of another file may run in this process
    maintenance = Maintenance(FakeLibrary(staff), every_s=0.01)
    maintenance.start()
    staff.erase_subject("staff", "ann")
    while withheld(staff):
        pass
    maintenance.stop()
    assert not any(thread.name == "maintenance" for thread in set(threading.enumerate()) - others)
    maintenance.stop()


def test_a_round_that_fails_is_not_the_last(staff: Store) -> None:
    failing = Failing(staff)
    maintenance = Maintenance(failing, every_s=0.01)
    maintenance.start()
    staff.erase_subject("staff", "ann")
    while withheld(staff):
        pass
    maintenance.stop()
    assert failing.asked > 3


class Failing:
    """A library whose store is not to be had the first three times."""

    def __init__(self, store: Store) -> None:
        self._store, self.asked, self.snapshots = store, 0, FakeSnapshots()

    @property
    def store(self) -> Store:
        self.asked += 1
        if self.asked <= 3:
            raise StoreUnavailable("not now")
        return self._store


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_who_may_not_vacuum_calls_no_erasure_final(
    staff: Store, database: str, postgres: Server, request: pytest.FixtureRequest
) -> None:
    name = database.rpartition("/")[2]
    role = f"other_{name}"
    postgres.do("CREATE ROLE {} LOGIN PASSWORD 'secret'", role)
    request.addfinalizer(lambda: postgres.do("DROP ROLE {}", role))
    request.addfinalizer(lambda: postgres.do("DROP OWNED BY {}", role, database=name))
    postgres.do("GRANT ALL ON ALL TABLES IN SCHEMA public TO {}", role, database=name)
    theirs = open_store(staff.directory, database=postgres.url(name, role, "secret"))
    theirs.erase_subject("staff", "ann")
    with pytest.raises(StoreUnavailable, match="own its tables"):
        run(theirs)
    theirs.close()
    assert len(withheld(staff)) == 1
    assert run(staff).pending == 0


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
def test_what_was_deleted_is_in_no_file_of_sqlite(staff: Store) -> None:
    with staff.read() as connection:
        row = connection.exec_driver_sql("SELECT data_key, name FROM subjects WHERE name = 'ann'").one()
        sealed = connection.exec_driver_sql("SELECT embedding FROM templates WHERE subject_id = 1").scalars().all()
    staff.erase_subject("staff", "ann")
    assert run(staff).pending == 0
    files = b"".join(path.read_bytes() for path in staff.directory.iterdir())
    for held in (row.data_key, *sealed):
        assert held not in files
        assert held[12:40] not in files
