import numpy as np
import pytest

from gallery.calibrate import calibrate
from gallery.metrics import fpir
from model.clips import unit_length
from model.errors import InvalidDataSet, InvalidRequest
from model.sequence import Floats


def people(subjects: int, each: int, seed: int, dim: int = 24) -> tuple[Floats, np.ndarray]:
    """Embeddings of random people who walk a little differently each time."""
    rng = np.random.default_rng(seed)
    centres = np.repeat(rng.standard_normal((subjects, dim)), each, axis=0)
    rows = unit_length((centres + 0.5 * rng.standard_normal(centres.shape)).astype(np.float32))
    return rows, np.repeat([f"s{seed}-{i}" for i in range(subjects)], each)


def test_the_rate_it_promises_holds_for_people_it_has_never_seen() -> None:
    rows, subjects = people(120, 8, seed=1)
    calibration = calibrate(rows, subjects, sizes=(5, 20, 50), target_fpir=0.05)
    enrolled, _ = people(50, 1, seed=2)
    strangers, _ = people(2000, 1, seed=3)
    for size in (5, 20, 50):
        best = [
            (strangers @ np.random.default_rng(draw).permutation(enrolled)[:size].T).max(axis=1) for draw in range(20)
        ]
        for rate in (0.02, 0.05, 0.1):
            got = fpir(np.concatenate(best), calibration.threshold(size, rate).value)
            assert rate / 2 < got < rate * 1.6


def test_beyond_the_sizes_measured_the_rate_is_overstated_rather_than_understated() -> None:
    rows, subjects = people(100, 8, seed=1)
    calibration = calibrate(rows, subjects, sizes=(5, 10))
    enrolled, _ = people(400, 1, seed=2)
    strangers, _ = people(3000, 1, seed=3)
    for size in (20, 100, 400):
        threshold = calibration.threshold(size, 0.05)
        assert threshold.extrapolated
        assert fpir((strangers @ enrolled[:size].T).max(axis=1), threshold.value) < 0.07


def test_it_says_how_many_of_the_enrolled_are_missed() -> None:
    rows, subjects = people(60, 6, seed=4)
    calibration = calibrate(rows, subjects, sizes=(10,), rates=(0.01, 0.1))
    table = {(row.subjects, row.fpir): row.fnir for row in calibration.table}
    strict, loose = table[10, 0.01], table[10, 0.1]
    assert strict is not None
    assert loose is not None
    assert 0 <= loose <= strict < 0.5


def test_perfectly_separated_people_are_never_missed() -> None:
    rows = np.repeat(np.eye(30, dtype=np.float32), 10, axis=0)
    calibration = calibrate(rows, np.repeat([f"s{i}" for i in range(30)], 10), sizes=(1, 10), target_fpir=0.05)
    assert {row.fnir for row in calibration.table} == {0.0}


def test_a_rate_that_the_searches_cannot_support_is_refused_with_what_is_missing() -> None:
    rows, subjects = people(10, 10, seed=5)
    with pytest.raises(InvalidRequest, match="200 more are needed"):
        calibrate(rows, subjects, rates=(0.01,))
    calibration = calibrate(rows, subjects)
    assert calibration.searches == 100
    assert calibration.supported == pytest.approx(0.03)
    assert min(row.fpir for row in calibration.table) >= 0.03


def test_views_of_one_walk_are_one_search() -> None:
    rows, subjects = people(20, 10, seed=5)
    walks = np.tile(np.repeat(["one", "two"], 5), 20)
    with pytest.raises(InvalidRequest, match="40 independent searches"):
        calibrate(rows, subjects, sessions=walks, target_fpir=0.05)
    assert calibrate(rows, subjects, sessions=walks, target_fpir=0.1).searches == 40


def test_views_of_one_walk_never_face_each_other() -> None:
    rng = np.random.default_rng(0)
    walk = unit_length(rng.standard_normal((40, 24)).astype(np.float32))
    rows, subjects = np.repeat(walk, 5, axis=0), np.repeat([f"s{i}" for i in range(20)], 10)
    apart = calibrate(rows, subjects, sessions=np.repeat(np.arange(40).astype(str), 5), target_fpir=0.1, sizes=(10,))
    mixed = calibrate(rows, subjects, target_fpir=0.1, sizes=(10,))
    assert min(row.fnir or 0 for row in apart.table if row.subjects == 10) > 0.7
    assert max(row.fnir or 0 for row in mixed.table if row.subjects == 10) < 0.7


def test_galleries_are_made_up_as_the_ones_to_come() -> None:
    rows, subjects = people(60, 8, seed=6)
    one = calibrate(rows, subjects, sizes=(20,), templates_per_subject=1)
    four = calibrate(rows, subjects, sizes=(20,), templates_per_subject=4)
    mean = calibrate(rows, subjects, sizes=(20,), templates_per_subject=4, best=4)
    thresholds = [found.threshold(20, 0.05).value for found in (one, four, mean)]
    assert thresholds[1] > thresholds[0]
    assert thresholds[2] < thresholds[1]
    assert (four.templates_per_subject, mean.best) == (4, 4)


def test_sizes_leave_strangers_over() -> None:
    rows, subjects = people(20, 10, seed=7)
    sizes = {row.subjects for row in calibrate(rows, subjects).table}
    assert sizes == {1, 2, 5, 10, 16}


def test_the_same_data_and_seed_give_the_same_calibration() -> None:
    rows, subjects = people(20, 10, seed=7)
    assert calibrate(rows, subjects, seed=3) == calibrate(rows, subjects, seed=3)
    assert calibrate(rows, subjects, seed=3).id != calibrate(rows, subjects, seed=4).id


def test_too_few_people_are_refused() -> None:
    rows, _ = people(2, 50, seed=8)
    with pytest.raises(InvalidDataSet, match="at least 3"):
        calibrate(rows, np.repeat(["ann", "bob"], 50))
    with pytest.raises(InvalidDataSet, match="equally many"):
        calibrate(rows, np.repeat(["ann", "bob"], 49))
