import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gallery.calibrate import calibrate
from gallery.calibration import Calibration
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
    rows, subjects = people(80, 8, seed=1)
    calibration = calibrate(rows, subjects)
    enrolled, _ = people(600, 1, seed=2)
    strangers, _ = people(3000, 1, seed=3)
    for size in (100, 200, 600):
        threshold = calibration.threshold(size, 0.05)
        assert threshold.extrapolated
        assert fpir((strangers @ enrolled[:size].T).max(axis=1), threshold.value) < 0.07


def test_it_says_how_many_of_the_enrolled_are_missed() -> None:
    rows, subjects = people(60, 6, seed=4)
    calibration = calibrate(rows, subjects, sizes=(10,), rates=(0.03, 0.1))
    table = {(row.subjects, row.fpir): row.fnir for row in calibration.table}
    strict, loose = table[10, 0.03], table[10, 0.1]
    assert strict is not None
    assert loose is not None
    assert 0 <= loose <= strict < 0.5


def test_perfectly_separated_people_are_never_missed() -> None:
    rows = np.repeat(np.eye(30, dtype=np.float32), 10, axis=0)
    calibration = calibrate(rows, np.repeat([f"s{i}" for i in range(30)], 10), sizes=(1, 10), target_fpir=0.05)
    assert {row.fnir for row in calibration.table} == {0.0}


def test_a_rate_that_the_people_cannot_support_is_refused_with_how_many_are_missing() -> None:
    rows, subjects = people(40, 5, seed=5)
    with pytest.raises(InvalidRequest, match=r"for 0\.001, about [0-9]+ more people") as refused:
        calibrate(rows, subjects, rates=(0.001,), target_fpir=0.1)
    calibration = calibrate(rows, subjects, target_fpir=0.1)
    assert calibration.searches == 200
    assert calibration.worth is not None
    assert calibration.worth < 200
    assert calibration.supported == pytest.approx(3 / calibration.worth, rel=0.01)
    largest = [row for row in calibration.table if row.subjects == 39]
    assert min(row.fpir for row in largest) >= calibration.supported
    assert f"worth {calibration.worth:.0f} independent" in str(refused.value)


def test_with_the_people_who_are_said_to_be_missing_the_rate_is_supported() -> None:
    rows, subjects = people(40, 5, seed=5)
    with pytest.raises(InvalidRequest) as refused:
        calibrate(rows, subjects, target_fpir=0.02)
    missing = int(str(refused.value).split("about ")[1].split()[0])
    # What people are worth is itself an estimate: half as many again leave room for that.
    more, names = people(40 + missing + missing // 2, 5, seed=5)
    assert calibrate(more, names, target_fpir=0.02).supported <= 0.02


def test_smaller_galleries_support_smaller_rates() -> None:
    rows, subjects = people(60, 6, seed=4)
    table = calibrate(rows, subjects).table
    least = {size: min(row.fpir for row in table if row.subjects == size) for size in (1, 10, 59)}
    assert least[1] < least[10] < least[59]


def test_few_errors_are_marked_and_the_tail_stands_in_for_them() -> None:
    rows, subjects = people(150, 6, seed=4)
    calibration = calibrate(rows, subjects)
    assert calibration.worth is not None
    for row in calibration.table:
        assert row.few == (row.errors is not None and row.errors < 30 - 1e-9)
        assert row.few or not row.tail
        assert row.fpir_between is not None
        assert row.fpir_between[0] <= row.fpir * 1.3
        assert row.fpir_between[1] >= row.fpir * 0.7
    assert any(row.tail for row in calibration.table)
    assert calibration.tail is not None


def test_several_views_of_one_walk_are_one_search() -> None:
    rows, subjects = people(20, 10, seed=5)
    walks = np.tile(np.repeat(["one", "two"], 5), 20)
    assert calibrate(rows, subjects, sessions=walks, target_fpir=0.3).searches == 40
    assert calibrate(rows, subjects, target_fpir=0.3).searches == 200


def test_views_of_one_walk_never_face_each_other() -> None:
    rng = np.random.default_rng(0)
    walk = unit_length(rng.standard_normal((40, 24)).astype(np.float32))
    rows, subjects = np.repeat(walk, 5, axis=0), np.repeat([f"s{i}" for i in range(20)], 10)
    apart = calibrate(rows, subjects, sessions=np.repeat(np.arange(40).astype(str), 5), target_fpir=0.3, sizes=(10,))
    mixed = calibrate(rows, subjects, target_fpir=0.3, sizes=(10,))
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


def test_sizes_leave_a_stranger_over() -> None:
    rows, subjects = people(20, 10, seed=7)
    assert calibrate(rows, subjects, target_fpir=0.3).sizes == [1, 2, 5, 10, 19]


def test_the_same_data_and_seed_give_the_same_calibration() -> None:
    rows, subjects = people(20, 10, seed=7)
    first, again, other = (calibrate(rows, subjects, seed=seed, target_fpir=0.3) for seed in (3, 3, 4))
    assert first == again
    assert first.id != other.id


def test_every_template_that_is_there_is_used_where_a_number_is_not_given() -> None:
    rows, subjects = people(60, 8, seed=6)
    all_of_them = calibrate(rows, subjects, templates_per_subject=None)
    assert all_of_them.templates_per_subject == 8
    assert all_of_them.threshold(60, templates=480) == all_of_them.threshold(60)
    assert all_of_them.threshold(50).value > calibrate(rows, subjects, templates_per_subject=1).threshold(50).value


def test_every_condition_has_a_curve_of_its_own() -> None:
    rows, subjects = people(80, 8, seed=8)
    hard = np.tile([False] * 6 + [True] * 2, 80)
    noise = np.random.default_rng(0).standard_normal(rows.shape).astype(np.float32)
    mixed = unit_length(rows + 0.25 * hard[:, None] * noise)
    labels = {"condition": np.where(hard, "coat", "normal"), "view": np.repeat("", len(rows))}
    calibration = calibrate(mixed, subjects, labels=labels)
    coat, normal = calibration.conditions
    assert (coat.value, normal.value) == ("coat", "normal")
    assert (coat.searches, coat.subjects) == (160, 80)
    assert coat.fnir is not None
    assert normal.fnir is not None
    assert coat.fnir > normal.fnir + 0.1
    for row in (*coat.rows, *normal.rows):
        assert row.fnir_between is not None
        assert row.fnir_between[0] <= (row.fnir or 0) <= row.fnir_between[1]


def test_what_is_to_be_looked_at_agrees_with_the_table() -> None:
    rows, subjects = people(60, 6, seed=4)
    calibration = calibrate(rows, subjects)
    points = calibration.curve
    assert [point.threshold for point in points] == sorted(point.threshold for point in points)
    assert all(a.fpir >= b.fpir and (a.fnir or 0) <= (b.fnir or 0) for a, b in pairwise(points))
    assert calibration.histogram is not None
    assert sum(calibration.histogram.mated) == pytest.approx(1, abs=1e-3)
    assert sum(calibration.histogram.nonmated) == pytest.approx(1, abs=1e-3)
    assert (calibration.likelihood(0.2) or 0) < 0 < (calibration.likelihood(0.9) or 0)


def test_too_few_people_are_refused() -> None:
    rows, _ = people(2, 50, seed=8)
    with pytest.raises(InvalidDataSet, match="at least 3"):
        calibrate(rows, np.repeat(["ann", "bob"], 50))
    with pytest.raises(InvalidDataSet, match="equally many"):
        calibrate(rows, np.repeat(["ann", "bob"], 49))


def small(seed: int) -> tuple[Floats, np.ndarray, np.ndarray]:
    """A set of any shape: few people or some, one recording each or several, noisy or the same again and again."""
    rng = np.random.default_rng(seed)
    count, dim = int(rng.integers(3, 30)), int(rng.integers(1, 12))
    each = rng.integers(1, 6, count)
    centres = np.repeat(rng.standard_normal((count, dim)), each, axis=0)
    rows = centres + rng.choice([0.0, 0.1, 1.0]) * rng.standard_normal(centres.shape)
    return (
        unit_length(rows.astype(np.float32)),
        np.repeat(np.arange(count).astype(str), each),
        rng.integers(0, 3, len(rows)),
    )


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([None, 1, 2]), st.sampled_from([1, 2]), st.sampled_from([0.05, 0.3, 0.6]))
def test_whatever_the_data_are_it_is_a_calibration_or_a_clear_refusal(
    seed: int, templates: int | None, best: int, rate: float
) -> None:
    rows, subjects, sessions = small(seed)
    labels = {"day": sessions.astype(str)}
    try:
        calibration = calibrate(
            rows,
            subjects,
            sessions=sessions,
            labels=labels,
            templates_per_subject=templates,
            best=best,
            target_fpir=rate,
        )
    except InvalidRequest as refused:
        assert "more people are needed" in str(refused)  # noqa: PT017
        return
    assert Calibration.from_json(json.loads(json.dumps(calibration.to_json()))) == calibration
    for size in (1, 3, 30, 3000):
        thresholds = [calibration.threshold(size, one).value for one in (rate, (1 + rate) / 2)]
        assert thresholds[0] >= thresholds[1] - 1e-9
        assert calibration.threshold(size * 2, rate).value >= thresholds[0] - 1e-9
    scores = [calibration.likelihood(score) for score in (-1.0, 0.0, 0.5, 0.9, 1.0)]
    assert None in scores or scores == sorted(scores, key=lambda one: one or 0)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 200), st.floats(0.001, 0.5))
def test_a_request_is_refused_exactly_where_the_rule_of_3_says_so(seed: int, size: int, rate: float) -> None:
    rows, subjects = people(30, 4, seed=seed % 50)
    calibration = calibrate(rows, subjects, target_fpir=0.4)
    measured = next((n for n in calibration.sizes if n >= size), calibration.sizes[-1])
    there = [row for row in calibration.table if row.subjects == measured]
    assert there[0].errors is not None
    worth = there[0].errors / there[0].fpir
    assert all(row.fpir >= 3 / worth * (1 - 1e-9) for row in there)
    if rate < 3 / worth:
        with pytest.raises(InvalidRequest, match="further people"):
            calibration.threshold(size, rate)
    else:
        assert calibration.threshold(size, rate).fpir == rate
