"""Jobs in the store: whose they are, what they hold, and what is left of them."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from gallery.jobs import GONE, enroll_items
from gallery.library import Library
from gallery.store import Store, open_store
from gallery.store.backup import backup
from gallery.store.job_items import Input, ItemResult, record_refused, results_page, waiting_items
from gallery.store.job_leases import TAKEN_OVER_AT_MOST, JobLost, claim, finish, give_back, hold, renew
from gallery.store.jobs import Job, JobState, abandon_jobs, add_job, cancel, job, jobs_page, purge_jobs
from gallery.store.managing import rename_subject
from gallery.store.restoring import restore
from gallery.store.schema import job_inputs, secrets
from gallery.template import Consent
from gallery.vault import pack
from model.errors import Conflict, UnknownGallery, UnknownResource
from tests.fakes import FakeEncoder, walking

LEASE_S = 60.0
OVER = -1.0
KINDS = ("enroll",)


class Grip:
    """`gallery.jobs.Hold` that runs `between` before each batch."""

    def __init__(self, store: Store, found: Job, between: Callable[[int], None] = lambda _: None) -> None:
        self._store, self._job, self._between, self.batches = store, found, between, 0

    def check(self) -> None:
        self._between(self.batches)
        self.batches += 1

    def told(self, done: int | None = None, total: int | None = None) -> None:
        self.check()

    def fence(self, connection: object) -> None:
        hold(connection, self._job.id, str(self._job.worker))  # type: ignore[arg-type]


@pytest.fixture
def encoder() -> FakeEncoder:
    return FakeEncoder()


@pytest.fixture
def people(store: Store, encoder: FakeEncoder) -> Library:
    """A library with one empty gallery, `door`, for the fake encoder."""
    library = Library(store)
    library.create("door", fingerprint=encoder.fingerprint, dim=encoder.dim)
    return library


def inputs(*subjects: str, **more: Consent) -> list[Input]:
    return [
        Input(name, pack(walking(sum(map(ord, name)), seed=seed)), {}, **more) for seed, name in enumerate(subjects)
    ]


def begun(store: Store, sent: Sequence[Input], lease_s: float = LEASE_S) -> Job:
    add_job(store, "enroll", "door", "key:a", {}, sent)
    found = claim(store, "w1", KINDS, lease_s)
    assert found is not None
    return found


def count(store: Store, table: object) -> int:
    with store.read() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0  # type: ignore[arg-type]


def keys_of_jobs(store: Store) -> int:
    with store.read() as connection:
        return connection.scalar(select(func.count()).where(secrets.c.kind == "job")) or 0


def ends(store: Store, found: Job) -> list[tuple[str, tuple[str, ...]]]:
    return [(each.status, each.reasons) for each in results_page(store, found.id)]


def test_a_job_has_one_worker_at_a_time(people: Library) -> None:
    store = people.store
    found = begun(store, inputs("ann"))
    assert (found.state, found.worker, found.gallery) == (JobState.RUNNING, "w1", "door")
    assert claim(store, "w2", KINDS, LEASE_S) is None


def test_only_the_kinds_that_are_asked_for_are_claimed(people: Library) -> None:
    add_job(people.store, "calibrate", "door", "key:a", {})
    assert claim(people.store, "w1", KINDS, LEASE_S) is None


def test_the_oldest_is_first(people: Library) -> None:
    first, second = (add_job(people.store, "enroll", "door", "key:a", {}) for _ in range(2))
    claimed = [claim(people.store, worker, KINDS, LEASE_S) for worker in ("w1", "w2")]
    assert [each and each.id for each in claimed] == [first.id, second.id]


def test_whoever_lets_a_lease_pass_has_lost_the_job(people: Library) -> None:
    store = people.store
    found = begun(store, inputs("ann"), OVER)
    taken = claim(store, "w2", KINDS, LEASE_S)
    assert taken is not None
    assert taken.id == found.id
    for late in (
        lambda: renew(store, found.id, "w1", LEASE_S),
        lambda: finish(store, found.id, "w1", JobState.DONE, None),
    ):
        with pytest.raises(JobLost):
            late()
    assert give_back(store, "w1") == 0
    assert job(store, found.id).worker == "w2"


def test_who_was_held_up_enrolls_nothing_any_more(people: Library, encoder: FakeEncoder) -> None:
    found = begun(people.store, inputs("ann"), OVER)
    claim(people.store, "w2", KINDS, LEASE_S)
    with pytest.raises(JobLost):
        enroll_items(people, encoder, found, Grip(people.store, found))
    assert people.gallery("door").templates == 0


def test_what_is_given_back_is_free_at_once(people: Library) -> None:
    found = begun(people.store, inputs("ann"))
    assert give_back(people.store, "w1") == 1
    again = claim(people.store, "w2", KINDS, LEASE_S)
    assert again is not None
    assert again.id == found.id


def test_a_job_that_kills_its_workers_is_given_up(people: Library) -> None:
    store = people.store
    found = begun(store, inputs("ann"), OVER)
    for _ in range(TAKEN_OVER_AT_MOST):
        assert claim(store, "w2", KINDS, OVER) is not None
    assert claim(store, "w2", KINDS, OVER) is None
    assert job(store, found.id).state is JobState.FAILED


def test_a_renewal_tells_how_far_it_is_and_hears_of_the_end(people: Library) -> None:
    store = people.store
    found = begun(store, [])
    assert not renew(store, found.id, "w1", LEASE_S, done=3, total=9)
    assert (job(store, found.id).done, job(store, found.id).total) == (3, 9)
    assert cancel(store, found.id).cancelling
    assert renew(store, found.id, "w1", LEASE_S)


def test_one_that_waits_is_cancelled_at_once(people: Library) -> None:
    store = people.store
    made = add_job(store, "enroll", "door", "key:a", {}, inputs("ann"))
    assert cancel(store, made.id).state is JobState.CANCELLED
    assert claim(store, "w1", KINDS, LEASE_S) is None
    with pytest.raises(Conflict):
        cancel(store, made.id)


@pytest.mark.parametrize("state", [JobState.DONE, JobState.FAILED, JobState.CANCELLED])
def test_inputs_and_their_key_are_gone_with_the_end(people: Library, state: JobState) -> None:
    store = people.store
    found = begun(store, inputs("ann", "ben"))
    assert (count(store, job_inputs), keys_of_jobs(store)) == (2, 1)
    finish(store, found.id, "w1", state, {"enrolled": 2})
    assert (count(store, job_inputs), keys_of_jobs(store)) == (0, 0)
    assert waiting_items(store, found.id, 10) == []


def test_what_waits_is_sealed(people: Library) -> None:
    begun(people.store, inputs("a-name-that-is-seen"))
    with people.store.read() as connection:
        content = b"".join(connection.scalars(select(job_inputs.c.content)))
    assert b"a-name-that-is-seen" not in content
    assert b"GKV1" not in content


def test_a_gallery_that_is_deleted_takes_its_jobs_and_their_keys(people: Library) -> None:
    store = people.store
    found = begun(store, inputs("ann"))
    people.delete("door")
    assert (count(store, job_inputs), keys_of_jobs(store)) == (0, 0)
    with pytest.raises(UnknownResource):
        job(store, found.id)
    with pytest.raises(JobLost):
        renew(store, found.id, "w1", LEASE_S)


def test_there_is_no_job_of_a_gallery_that_is_not_there(store: Store) -> None:
    with pytest.raises(UnknownGallery):
        add_job(store, "enroll", "nowhere", "key:a", {})


def test_those_that_ended_long_ago_are_forgotten(people: Library) -> None:
    store = people.store
    found = begun(store, inputs("ann"))
    assert purge_jobs(store, OVER) == 0
    finish(store, found.id, "w1", JobState.DONE, None)
    assert purge_jobs(store, LEASE_S) == 0
    assert purge_jobs(store, OVER) == 1


def test_owners_and_managers_see_theirs(people: Library) -> None:
    store = people.store
    mine = add_job(store, "enroll", "door", "key:a", {})
    other = add_job(store, "enroll", "door", "key:b", {})
    assert [each.id for each in jobs_page(store, owner="key:a")] == [mine.id]
    assert [each.id for each in jobs_page(store, owner="key:a", also=["door"])] == [other.id, mine.id]
    assert [each.id for each in jobs_page(store, also=None, after=other.id)] == [mine.id]


def test_a_bulk_enrollment_goes_on_where_it_was(people: Library, encoder: FakeEncoder) -> None:
    store = people.store
    names = [f"p{number}" for number in range(70)]
    found = begun(store, inputs(*names))

    def stop(batches: int) -> None:
        if batches == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        enroll_items(people, encoder, found, Grip(store, found, stop))
    assert job(store, found.id).done == people.gallery("door").templates == 32
    assert enroll_items(people, encoder, found, Grip(store, found)) == {"enrolled": 70, "repeated": 0, "refused": 0}
    assert people.gallery("door").templates == 70
    assert len(encoder.calls) == 3


def test_what_is_written_is_noted_with_it_or_not_at_all(people: Library, encoder: FakeEncoder) -> None:
    store = people.store
    found = begun(store, inputs("ann"))
    items = waiting_items(store, found.id, 10)
    with store.write() as connection:
        record_refused(connection, found.id, items, [ItemResult(0, "refused", reasons=("too_short",))])
    assert enroll_items(people, encoder, found, Grip(store, found))["refused"] == 1
    assert people.gallery("door").templates == 0


@pytest.mark.parametrize("when", ["before", "after"])
def test_whoever_is_erased_meanwhile_is_not_enrolled_again(people: Library, encoder: FakeEncoder, when: str) -> None:
    """before: who was there when the job was made; after: who is there by the job itself."""
    store = people.store
    if when == "before":
        first = begun(store, inputs("ann"))
        enroll_items(people, encoder, first, Grip(store, first))
        finish(store, first.id, "w1", JobState.DONE, None)
    others = [f"p{number}" for number in range(32)]
    found = begun(store, inputs("ann", *others, "ann", "zoe")[0 if when == "after" else 1 :])

    def erase(batches: int) -> None:
        if batches == 1:
            people.erase_subject("door", "ann")

    enroll_items(people, encoder, found, Grip(store, found, erase))
    assert ends(store, found)[-2:] == [("refused", (GONE,)), ("enrolled", ())]
    assert "ann" not in {each.id for each in people.subjects("door")}


def test_who_has_another_id_meanwhile_is_not_split(people: Library, encoder: FakeEncoder) -> None:
    store = people.store
    others = [f"p{number}" for number in range(31)]
    found = begun(store, inputs("ann", *others, "ann"))

    def rename(batches: int) -> None:
        if batches == 1:
            rename_subject(store, "door", "ann", "anna")

    enroll_items(people, encoder, found, Grip(store, found, rename))
    assert ends(store, found)[-1] == ("refused", (GONE,))
    assert "ann" not in {each.id for each in people.subjects("door")}


def test_one_whose_consent_is_over_does_not_keep_the_others_out(people: Library, encoder: FakeEncoder) -> None:
    store = people.store
    over = Consent(expires=datetime(2001, 1, 1, tzinfo=UTC))
    first = begun(store, inputs("ann", consent=over))
    enroll_items(people, encoder, first, Grip(store, first))
    finish(store, first.id, "w1", JobState.DONE, None)
    found = begun(store, inputs("ben", "ann", "cid"))
    enroll_items(people, encoder, found, Grip(store, found))
    statuses = [status for status, _ in ends(store, found)]
    assert (statuses[0], statuses[2]) == ("enrolled", "enrolled")


def test_after_a_restore_nothing_goes_on(people: Library) -> None:
    store = people.store
    found = begun(store, inputs("ann"))
    with store.write() as connection:
        assert abandon_jobs(connection, store, "restored") == 1
    assert job(store, found.id).state is JobState.FAILED
    assert count(store, job_inputs) == 0


def test_a_backup_that_is_restored_goes_on_with_no_job(tmp_path: Path, encoder: FakeEncoder) -> None:
    """Who was erased since would be enrolled again."""
    store = open_store(tmp_path)
    Library(store).create("door", fingerprint=encoder.fingerprint, dim=encoder.dim)
    found = begun(store, inputs("ann"))
    backup(store, tmp_path / "backup.db")
    store.close()
    restore(tmp_path, tmp_path / "backup.db")
    store = open_store(tmp_path)
    assert job(store, found.id).state is JobState.FAILED
    assert (count(store, job_inputs), keys_of_jobs(store)) == (0, 0)
    store.close()


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.lists(st.sampled_from("abcd"), min_size=1, max_size=12))
def test_every_item_has_exactly_one_end(people: Library, encoder: FakeEncoder, names: list[str]) -> None:
    store = people.store
    found = begun(store, inputs(*names))
    enroll_items(people, encoder, found, Grip(store, found))
    assert [each.place for each in results_page(store, found.id)] == list(range(len(names)))
    assert job(store, found.id).done == len(names)
    finish(store, found.id, "w1", JobState.DONE, None)
