import logging
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gallery.index import CoarseIndex, FlatIndex, IndexPolicy, build_index, training
from gallery.index.coarse import Upkeep
from gallery.index.effort import Effort
from gallery.index.parts import Parts
from gallery.index.rows import Stored
from gallery.index.training import LEAST_ROWS
from gallery.index.view import MOST_ANSWERS, Base
from model.clips import unit_length
from model.sequence import Floats

Vectors = Callable[..., Floats]
DIM = 24


def people(count: int, seed: int = 0) -> Floats:
    """Embeddings of fewer directions than numbers, four around each of many points, as encoders make them."""
    rng = np.random.default_rng(seed)
    turn = np.random.default_rng(99).standard_normal((12, DIM))
    points = np.repeat(rng.standard_normal((-(-count // 4), 12)), 4, axis=0)[:count]
    return unit_length(((points + 0.4 * rng.standard_normal((count, 12))) @ turn).astype(np.float32))


def coarse(rows: Floats, *, compact: bool = False, **upkeep: Any) -> CoarseIndex:
    kept: Stored = rows.astype(np.float16) if compact else rows
    base = Base(Parts((kept,) if len(rows) else (), rows.shape[1]), np.arange(len(rows)))
    index = CoarseIndex(base, Upkeep(**{"train": 0, **upkeep}), compact=compact)
    index.settle()
    return index


def exact(rows: dict[int, Floats], probe: Floats, k: int) -> list[int]:
    ids = np.array(sorted(rows), np.int64)
    scores = np.array([rows[i] for i in ids], np.float64).reshape(-1, DIM) @ probe.astype(np.float64)
    best: list[int] = ids[np.lexsort((ids, -scores.round(6)))][:k].tolist()
    return best


def test_chosen_rows_are_the_right_ones() -> None:
    rows, probes = people(20_000), people(200, seed=1)
    index, flat = coarse(rows), FlatIndex.of(rows, np.arange(20_000))
    assert index.kind == "coarse"
    for batch in (1, 200):
        scores, found = index.search(probes[:batch], 10)
        right, wanted = flat.search(probes[:batch], 10)
        assert (found[:, 0] == wanted[:, 0]).all()
        assert (scores >= right[:, -1:] - 1e-6).mean() >= 0.99
        assert (np.diff(scores, axis=1) <= 0).all()


def test_rows_in_half_the_memory_are_found_as_well() -> None:
    rows, probes = people(20_000), people(200, seed=1)
    index, whole = coarse(rows, compact=True), coarse(rows)
    assert index.kind == "compact"
    # Of rows this short, codes and ids are a large part.
    assert index.memory_bytes <= whole.memory_bytes - 0.49 * rows.nbytes
    wanted = FlatIndex.of(rows, np.arange(20_000)).search(probes, 1)[1]
    assert (index.search(probes, 1)[1] == wanted).mean() >= 0.99
    assert np.allclose(index.vectors_of(np.arange(100)), rows[:100], atol=1e-3)


@pytest.mark.parametrize("compact", [False, True])
def test_removing_one_id_changes_no_other_answer(compact: bool) -> None:
    rows, probes = people(6000), people(300, seed=1)
    index = coarse(rows, compact=compact)
    before = index.search(probes, 10)[1]
    gone = int(before[0, 0])
    index.remove(np.array([gone]))
    after = index.search(probes, 10)[1]
    assert gone not in after
    for old, new in zip(before.tolist(), after.tolist(), strict=True):
        assert new[: 10 - old.count(gone)] == [i for i in old if i != gone]


def test_every_row_answers_with_its_own_id_after_removals_and_after_they_are_left_out() -> None:
    rows = people(4000)
    index = coarse(rows)
    index.remove(np.arange(0, 2000, 2))
    kept = np.setdiff1d(np.arange(4000), np.arange(0, 2000, 2))
    for _ in range(2):
        assert index.search(rows[kept], 1)[1][:, 0].tolist() == kept.tolist()
        assert np.isnan(index.vectors_of(np.array([0, 1998]))).all()
        index.remove(np.array([1]))
        kept = kept[kept != 1]
        index.settle()
    index.remove(np.arange(3000))
    index.settle()
    assert len(index.frozen().alive) == index.count == 1000
    assert index.search(rows[3000:], 1)[1][:, 0].tolist() == list(range(3000, 4000))


def test_where_everything_near_was_removed_what_is_left_is_found() -> None:
    rows = people(2000)
    index = coarse(rows, removed=1.0)
    probe = rows[:1]
    order = FlatIndex.of(rows, np.arange(2000)).search(probe, 2000)[1][0]
    index.remove(order[:1900])
    assert index.search(probe, 20)[1][0].tolist() == order[1900:1920].tolist()


def test_rows_that_come_are_found_at_once_and_stay_when_the_tail_is_taken_in() -> None:
    rows = people(5000)
    index = coarse(rows[:4000], tail=500)
    for start in range(4000, 5000, 100):
        index.add(rows[start : start + 100], np.arange(start, start + 100))
        assert index.search(rows[start : start + 100], 1)[1][:, 0].tolist() == list(range(start, start + 100))
    index.settle()
    assert index.frozen().tail.count < 500
    assert index.count == 5000
    assert index.search(rows, 1)[1][:, 0].tolist() == list(range(5000))


def test_a_growing_gallery_is_compared_whole_and_chosen_from_once_it_is_large() -> None:
    rows = people(3000)
    index = build_index(rows[:0], np.arange(0), IndexPolicy(flat_limit=1000))
    assert isinstance(index, CoarseIndex)
    for start in range(0, 3000, 500):
        index.add(rows[start : start + 500], np.arange(start, start + 500))
        index.settle()
        assert index.kind == ("coarse" if start >= 1000 else "flat")
        assert index.search(rows[: start + 500], 1)[1][:, 0].tolist() == list(range(start + 500))


@pytest.mark.parametrize(("kind", "count", "found"), [
    ("auto", LEAST_ROWS, "flat"), ("flat", 5000, "flat"), ("coarse", 5000, "coarse"), ("compact", 5000, "compact"),
    ("coarse", LEAST_ROWS - 1, "flat"),
])  # fmt: skip
def test_the_policy_decides_what_kind_it_is(kind: str, count: int, found: str) -> None:
    index = build_index(people(count), np.arange(count), IndexPolicy(kind))  # type: ignore[arg-type]
    if isinstance(index, CoarseIndex):
        index.settle()
    assert index.kind == found
    assert index.count == count


def test_equal_scores_come_by_id_among_chosen_rows_and_new_ones() -> None:
    rows = people(1000)
    rows[[100, 700, 300]] = rows[500]
    index = coarse(rows)
    index.add(rows[[500, 500]], np.array([4000, 2000]))
    assert index.search(rows[[500]], 6)[1][0].tolist() == [100, 300, 500, 700, 2000, 4000]
    assert index.search(np.repeat(rows[[500]], 40, 0), 6)[1][39].tolist() == [100, 300, 500, 700, 2000, 4000]


def test_so_many_answers_that_choosing_does_not_pay_are_exact() -> None:
    rows = people(3000)
    index = coarse(rows)
    wanted = FlatIndex.of(rows, np.arange(3000)).search(rows[:2], MOST_ANSWERS + 1)[0]
    assert np.allclose(index.search(rows[:2], MOST_ANSWERS + 1)[0], wanted, atol=1e-6)
    assert index.search(rows[:2], 9999)[1].shape == (2, 3000)


def test_a_search_within_some_ids_is_exact_whether_they_are_old_new_or_gone() -> None:
    rows, probe = people(3000), people(1, seed=1)
    index = coarse(rows[:2900])
    index.add(rows[2900:], np.arange(2900, 3000))
    index.remove(np.array([5, 2950]))
    asked = np.array([2950, 2960, 5, 6, 1000, 7777])
    there = {i: rows[i] for i in (2960, 6, 1000)}
    assert index.search_within(probe, asked, 9)[1][0].tolist() == exact(there, probe[0], 9)
    assert index.search_within(probe, np.arange(3000), 5)[1][0].tolist() == index.frozen().scan(probe, 5)[1][0].tolist()


def test_an_index_without_rows_finds_nothing() -> None:
    index = coarse(people(0))
    assert index.search(people(2), 5)[1].shape == (2, 0)
    index.add(people(2), np.arange(2))
    index.remove(np.arange(2))
    assert index.search(people(1), 5)[0].shape == (1, 0)
    assert index.search_within(people(1), np.arange(2), 5)[0].shape == (1, 0)


def test_rows_that_lists_cannot_tell_apart_are_all_compared(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "EFFORTS", (Effort(12, 1e-9),))
    monkeypatch.setattr(training, "LEAST_CODES", 1)
    with caplog.at_level(logging.WARNING):
        index = coarse(unit_length(np.random.default_rng(0).standard_normal((4000, DIM)).astype(np.float32)))
    assert index.kind == "flat"
    assert "compares all" in caplog.text


class Model:
    """A dictionary beside an index, which says what the right answer is."""

    def __init__(self, count: int, **upkeep: Any) -> None:
        self.pool = people(600, seed=3)
        self.rows = {i: self.pool[i] for i in range(count)}
        self.index = coarse(self.pool[:count], **upkeep)

    def add(self, numbers: list[int]) -> None:
        new = [n for n in dict.fromkeys(numbers) if n not in self.rows]
        self.rows |= {n: self.pool[n] for n in new}
        self.index.add(self.pool[new].reshape(-1, DIM), np.array(new, np.int64))

    def remove(self, numbers: list[int]) -> None:
        for n in numbers:
            self.rows.pop(n, None)
        self.index.remove(np.array(numbers, np.int64))

    def check(self, probe: Floats) -> None:
        assert self.index.count == len(self.rows)
        scores, found = self.index.search(probe[None], 5)
        wanted = exact(self.rows, probe, 5)
        assert len(found[0]) == len(wanted)
        assert set(found[0].tolist()) <= set(self.rows)
        # All rows are within the effort at this size, so the chosen ones are right but for ties in rounding.
        right = sorted((float(self.rows[i] @ probe) for i in wanted), reverse=True)
        assert np.allclose(scores[0], right, atol=1e-5)


NUMBERS = st.lists(st.integers(0, 599), min_size=1, max_size=60)
STEP: st.SearchStrategy[Any] = st.one_of(
    st.tuples(st.just("add"), NUMBERS), st.tuples(st.just("remove"), NUMBERS), st.just(("settle", []))
)


@settings(deadline=None, max_examples=12)
@given(start=st.sampled_from([0, 300, 500]), steps=st.lists(STEP, max_size=15))
def test_whatever_comes_and_goes_it_answers_as_a_dictionary_would(start: int, steps: list[Any]) -> None:
    model = Model(start, tail=40, removed=0.1, growth=1.6)
    for what, numbers in steps:
        if what == "settle":
            model.index.settle()
        else:
            getattr(model, what)(numbers)
        model.check(model.pool[numbers[0] if numbers else 7])
    model.index.settle()
    for n in list(model.rows)[:20]:
        model.check(model.pool[n])


def test_searches_see_whole_states_while_rows_come_and_go_and_it_is_trained_again() -> None:
    rows = people(9000)
    index = coarse(rows[:3000], tail=300, removed=0.05, growth=1.4)
    stop, wrong = threading.Event(), []

    def search() -> None:
        rng = np.random.default_rng()
        while not stop.is_set():
            place = int(rng.integers(0, 3000))
            _, found = index.search(rows[place : place + 1], 3)
            if found[0, 0] != place or len(set(found[0].tolist())) != 3:
                wrong.append((place, found))

    threads = [threading.Thread(target=search) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(2):
        for start in range(3000, 9000, 500):
            index.add(rows[start : start + 500], np.arange(start, start + 500))
        index.remove(np.arange(3000, 9000))
    stop.set()
    for thread in threads:
        thread.join()
    index.settle()
    assert not wrong
    assert index.search(rows[:3000], 1)[1][:, 0].tolist() == list(range(3000))


def test_a_failure_beside_leaves_it_as_it_was(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(base: Base) -> Base:
        raise MemoryError("no room")

    monkeypatch.setattr("gallery.index.coarse.trained", broken)
    rows = people(1000)
    index = coarse(rows)
    assert "goes on as it is" in caplog.text
    assert index.kind == "flat"
    assert index.search(rows, 1)[1][:, 0].tolist() == list(range(1000))


def test_thousands_of_random_operations_change_no_other_answer() -> None:
    rng = np.random.default_rng(0)
    pool, there = people(2000, seed=3), np.zeros(2000, np.bool_)
    index = coarse(pool[:1000], tail=100, removed=0.1, growth=1.5)
    there[:1000] = True
    for _ in range(2000):
        number, probe = rng.integers(0, 2000), pool[rng.integers(0, 2000)]
        if there[number] and rng.random() < 0.5:
            # Of one state, so that what is done beside has no part in it.
            state = index.frozen()
            before, after = (view.search(probe[None], 10)[1][0] for view in (state, state.without(np.array([number]))))
            kept = before[before != number]
            assert after[: len(kept)].tolist() == kept.tolist()
            index.remove(np.array([number]))
            there[number] = False
        elif not there[number]:
            index.add(pool[[number]], np.array([number]))
            there[number] = True
        assert index.count == there.sum()
        scores, found = index.search(probe[None], 5)
        assert there[found[0]].all()
        assert np.allclose(scores[0], np.sort(pool[there] @ probe)[::-1][:5], atol=1e-5)
