"""Entries that are gathered and committed together: within their time, in their order, none dropped."""

import threading
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from gallery.actor import acting_as
from gallery.recorder import Recorder, described
from gallery.store import Store
from gallery.store.audit import Note, audit_page, verify_chain
from gallery.template import Candidate, Decision, NewTemplate, Outcome
from model.errors import StoreUnavailable


class Slow:
    """A log that waits for leave before each write, fails on demand, and remembers what each write held."""

    def __init__(self) -> None:
        self.leave, self.fails = threading.Semaphore(0), False
        self.writes: list[list[str]] = []

    def __call__(self, store: Store, notes: Sequence[Note]) -> None:
        if not notes:
            return
        self.leave.acquire()
        if self.fails:
            raise StoreUnavailable("the disk is full")
        self.writes.append([note.action for note in notes])


@pytest.fixture
def slow() -> Slow:
    return Slow()


def started(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def test_what_is_noted_is_in_the_log_after_flush_in_order_and_with_its_actor(store: Store) -> None:
    with Recorder(store) as recorder:
        with acting_as("key:gate"):
            for number in range(50):
                recorder.note("identify", 1, number, score=0.5)
        recorder.flush()
        found = [entry for entry in audit_page(store) if entry.action == "identify"]
    assert [entry.subject_id for entry in found] == list(range(50))
    assert {entry.actor for entry in found} == {"key:gate"}
    assert verify_chain(store).broken is None


def test_entries_come_without_being_asked_for(store: Store) -> None:
    with Recorder(store, within_s=0.01) as recorder:
        recorder.note("verify")
        while not audit_page(store, action="verify"):
            pass


def test_closing_writes_what_is_left(store: Store) -> None:
    with Recorder(store, within_s=60) as recorder:
        recorder.note("export", 1)
    assert [entry.action for entry in audit_page(store, action="export")] == ["export"]


def test_the_keys_that_were_used_are_in_the_log(store: Store, open_again: Callable[[], Store]) -> None:
    store.create_gallery("staff", "b" * 64, 8)
    store.enroll("staff", "b" * 64, [NewTemplate("ann", np.eye(8, dtype=np.float32)[0])])
    other = open_again()
    with Recorder(other) as recorder:
        other.everything("staff")
        recorder.note("identify", 1)
        recorder.flush()
        other.everything("staff")
    found = [(each.action, each.gallery_id) for each in audit_page(store)][-2:]
    assert found == [("use_key", 1), ("identify", 1)]
    assert "kind" in audit_page(store, action="use_key")[0].detail
    third = open_again()
    with Recorder(third):
        third.everything("staff")
    assert [each.action for each in audit_page(store)][-2:] == ["identify", "use_key"]


def test_a_recorder_that_noted_nothing_writes_nothing_and_needs_no_thread(store: Store, slow: Slow) -> None:
    before = threading.active_count()
    with Recorder(store, write=slow):
        assert threading.active_count() == before
    assert slow.writes == []


def test_many_entries_share_one_commit(store: Store, slow: Slow) -> None:
    with Recorder(store, write=slow, within_s=60) as recorder:
        for number in range(100):
            recorder.note(f"a{number}")
        slow.leave.release()
        recorder.flush()
    assert slow.writes == [[f"a{number}" for number in range(100)]]


def test_noting_waits_when_there_is_no_room_and_nothing_is_dropped(store: Store, slow: Slow) -> None:
    with Recorder(store, write=slow, within_s=60, room=2) as recorder:
        threads = [started(lambda: recorder.note("identify")) for _ in range(9)]
        assert sum(len(write) for write in slow.writes) == 0
        for _ in range(20):
            slow.leave.release()
        for thread in threads:
            thread.join()
        recorder.flush()
    assert sum(len(write) for write in slow.writes) == 9
    assert max(len(write) for write in slow.writes) <= 2


def test_a_log_that_cannot_be_written_says_so_and_keeps_what_it_has(store: Store, slow: Slow) -> None:
    recorder = Recorder(store, write=slow, within_s=0.001, room=1)
    slow.fails = True
    slow.leave.release(1000)
    recorder.note("first")
    with pytest.raises(StoreUnavailable, match="audit log cannot be written: the disk is full"):
        recorder.flush()
    with pytest.raises(StoreUnavailable, match="the disk is full"):
        recorder.note("no room for this one")
    slow.fails = False
    recorder.flush()
    recorder.note("second")
    recorder.close()
    assert slow.writes == [["first"], ["second"]]


def test_closing_where_the_log_cannot_be_written_says_so_and_ends(store: Store, slow: Slow) -> None:
    before = set(threading.enumerate())  # other tests may have left theirs
    recorder = Recorder(store, write=slow, within_s=0.001)
    slow.fails = True
    slow.leave.release(1000)
    recorder.note("lost")
    with pytest.raises(StoreUnavailable):
        recorder.close()
    assert not any(thread.name == "recorder" for thread in set(threading.enumerate()) - before)


def test_an_entry_of_a_decision_holds_no_names() -> None:
    decision = Decision(
        Outcome.MATCH, "ann", 0.87654, 0.81234, 0.01, 0.2, 12, candidates=(Candidate("ann", 0.87654, 4),)
    )
    found = described(decision, probes=3)
    assert "ann" not in repr(found)
    assert (found["outcome"], found["score"], found["threshold"], found["probes"]) == ("match", 0.877, 0.8123, 3)
