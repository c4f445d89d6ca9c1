import threading
from collections.abc import Callable

import numpy as np
import pytest

from gallery.index import FlatIndex
from gallery.index.table import PRODUCT_PROBES, SCAN_CELLS
from model.sequence import Floats

Vectors = Callable[..., Floats]


def brute(vectors: Floats, ids: np.ndarray, probe: Floats, k: int) -> list[int]:
    scores = vectors.astype(np.float64) @ probe.astype(np.float64)
    return [int(found) for found in ids[np.lexsort((ids, -scores))][:k]]


@pytest.mark.parametrize("probes", [1, PRODUCT_PROBES, 40])
@pytest.mark.parametrize("count", [1, 31, 1000, 3000])
def test_the_best_are_found_exactly_whatever_the_number_of_probes(vectors: Vectors, probes: int, count: int) -> None:
    rows, asked = vectors(count, 16), vectors(probes, 16, seed=1)
    ids = np.arange(count) * 3 + 7
    index = FlatIndex(16)
    index.add(rows, ids)
    scores, found = index.search(asked, 10)
    assert found.shape == (probes, min(10, count))
    assert (np.diff(scores, axis=1) <= 0).all()
    for probe, row in zip(asked, found, strict=True):
        assert row.tolist() == brute(rows, ids, probe, 10)


def test_a_table_larger_than_caches_is_searched_as_exactly(vectors: Vectors) -> None:
    rows, asked = vectors(70_000, 128), vectors(5, 128, seed=1)
    assert rows.size > SCAN_CELLS
    index = FlatIndex(128)
    index.add(rows, np.arange(len(rows)))
    _, together = index.search(asked, 10)
    for probe, row in zip(asked, together, strict=True):
        assert row.tolist() == brute(rows, np.arange(len(rows)), probe, 10)
        assert index.search(probe[None], 10)[1][0].tolist() == row.tolist()


def test_after_removing_one_id_every_other_is_still_answered_with_its_own(vectors: Vectors) -> None:
    rows = vectors(500, 32)
    index = FlatIndex(32)
    index.add(rows, np.arange(500))
    index.remove(np.array([123]))
    kept = [i for i in range(500) if i != 123]
    for batch in (rows[kept], rows[kept][:1]):
        _, found = index.search(batch, 1)
        assert found[:, 0].tolist() == kept[: len(batch)]
    assert 123 not in index.search(rows[123:124], 499)[1]


def test_removing_what_is_not_there_changes_nothing(vectors: Vectors) -> None:
    index = FlatIndex(8)
    index.add(vectors(3), np.arange(3))
    index.remove(np.array([99]))
    assert index.count == 3


def test_equal_scores_come_by_id(vectors: Vectors) -> None:
    index = FlatIndex(8)
    index.add(np.repeat(vectors(1), 5, axis=0), np.array([50, 10, 40, 20, 30]))
    assert index.search(vectors(1), 5)[1].tolist() == [[10, 20, 30, 40, 50]]
    assert index.search(np.repeat(vectors(1), 8, axis=0), 5)[1][7].tolist() == [10, 20, 30, 40, 50]


def test_an_empty_index_and_an_empty_search_find_nothing(vectors: Vectors) -> None:
    index = FlatIndex(8)
    assert index.search(vectors(2), 5)[1].shape == (2, 0)
    index.add(vectors(4), np.arange(4))
    assert index.search(vectors(0), 5)[1].shape[0] == 0
    index.remove(np.arange(4))
    assert index.count == 0
    assert index.search(vectors(1), 1)[1].shape == (1, 0)


def test_rows_may_be_added_again_after_they_were_removed(vectors: Vectors) -> None:
    index, rows = FlatIndex(8), vectors(10)
    for start in range(10):
        index.add(rows[start : start + 1], np.array([start]))
    index.remove(np.array([0, 5]))
    index.add(rows[[5]], np.array([5]))
    assert index.search(rows[5:6], 1)[1].item() == 5
    assert index.count == 9


def test_searches_see_whole_states_only_while_another_thread_writes(vectors: Vectors) -> None:
    rows = vectors(4000, 16)
    index = FlatIndex(16)
    index.add(rows[:1000], np.arange(1000))
    stop, wrong = threading.Event(), []

    def search() -> None:
        rng = np.random.default_rng()
        while not stop.is_set():
            place = int(rng.integers(0, 1000))
            count = 1 if place % 2 else 5
            _, found = index.search(np.repeat(rows[place : place + 1], count, axis=0), 3)
            if not (found[:, 0] == place).all() or len(set(found[0].tolist())) != 3:
                wrong.append((place, found))

    threads = [threading.Thread(target=search) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        for start in range(1000, 4000, 100):
            index.add(rows[start : start + 100], np.arange(start, start + 100))
        index.remove(np.arange(1000, 4000))
    stop.set()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("order", [1, -1])
def test_rows_are_found_again_by_id_whatever_order_they_came_in(vectors: Vectors, order: int) -> None:
    rows, ids = vectors(50), (np.arange(50) * 7)[::order]
    index = FlatIndex(8)
    for start in range(0, 50, 20):
        index.add(rows[start : start + 20], ids[start : start + 20])
    index.remove(ids[[3]])
    found = index.vectors_of(np.array([ids[10], ids[3], 999, ids[49]]))
    assert np.array_equal(found[[0, 3]], rows[[10, 49]])
    assert np.isnan(found[[1, 2]]).all()
    assert np.isnan(FlatIndex(8).vectors_of(ids[:2])).all()


@pytest.mark.parametrize("probes", [1, 6])
def test_a_search_within_some_ids_is_exact_among_these(vectors: Vectors, probes: int) -> None:
    rows, asked, ids = vectors(300), vectors(probes, seed=1), np.arange(300) * 2
    index = FlatIndex.of(rows, ids)
    within = np.array([40, 13, 300, 12, 598, 4])
    there = np.array([40, 300, 12, 598, 4])
    _, found = index.search_within(asked, within, 3)
    for probe, row in zip(asked, found, strict=True):
        assert row.tolist() == brute(rows[there // 2], there, probe, 3)
    assert index.search_within(asked, within, 99)[1].shape == (probes, 5)
    assert index.search_within(asked, np.array([1]), 3)[0].shape == (probes, 0)


def test_equal_scores_within_some_ids_come_by_id(vectors: Vectors) -> None:
    index = FlatIndex.of(np.repeat(vectors(1), 5, axis=0), np.array([50, 10, 40, 20, 30]))
    assert index.search_within(vectors(1), np.array([50, 20, 40, 30]), 2)[1].tolist() == [[20, 30]]


def test_an_index_on_given_arrays_leaves_them_as_they_are(vectors: Vectors) -> None:
    rows, ids = vectors(20), np.arange(20)
    before = rows.copy()
    index = FlatIndex.of(rows, ids)
    index.add(vectors(5, seed=1), np.arange(20, 25))
    index.remove(np.array([0]))
    assert np.array_equal(rows, before)
    assert index.count == 24
    assert index.memory_bytes >= 24 * (8 * 4 + 8)
