import numpy as np
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from model.errors import InvalidDataSet
from tests.training.evaluate.given import given, random_result
from training.evaluate.action_result import ActionResult


def test_top_counts_the_classes_that_are_at_least_as_likely():
    result = given([2, 0], [[0.5, 0.3, 0.2], [0.6, 0.3, 0.1]])
    assert [result.top(count) for count in (1, 2, 3)] == [0.5, 0.5, 1.0]


def test_a_tie_counts_against_the_classifier():
    same_for_all = given([0, 1, 2], np.full((3, 3), 1 / 3))
    assert same_for_all.top(1) == same_for_all.top(2) == 0.0
    assert same_for_all.top(3) == 1.0


@settings(max_examples=50, deadline=None)
@for_all(st.integers(0, 10_000))
def test_top_rises_from_the_accuracy_to_one(seed):
    result = random_result(np.random.default_rng(seed))
    shares = [result.top(count) for count in range(1, 8)]
    assert shares[0] == result.accuracy
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


@settings(max_examples=30, deadline=None)
@for_all(st.integers(0, 10_000))
def test_confusion_classes_and_accuracy_tell_the_same(seed):
    result = random_result(np.random.default_rng(seed))
    assert result.confusion.sum() == len(result.true)
    assert np.trace(result.confusion) / len(result.true) == pytest.approx(result.accuracy)
    shares = [share for share, _, _ in result.by_class().values()]
    assert result.mean_by_class == pytest.approx(np.mean(shares))
    weighted = sum(share * count for share, count, _ in result.by_class().values())
    assert weighted / len(result.true) == pytest.approx(result.accuracy)


def test_a_class_that_is_not_in_the_data_has_no_part_in_the_mean():
    result = given([0, 0, 0, 2], [[1, 0, 0], [1, 0, 0], [1, 0, 0], [1, 0, 0]])
    assert result.accuracy == 0.75
    assert result.mean_by_class == 0.5
    assert set(result.by_class()) == {"c0", "c2"}


def test_people_who_are_not_known_are_not_counted():
    result = given([0, 1], np.eye(2), subject=["", ""])
    assert result.people == 0
    assert result.by_class()["c0"] == (1.0, 1, 0)


def test_what_is_kept_comes_back(tmp_path):
    result = random_result(np.random.default_rng(3))
    result.save(tmp_path / "deep" / "probabilities.npz")
    again = ActionResult.load(tmp_path / "deep" / "probabilities.npz")
    assert again.labels == result.labels
    for name in ("names", "true", "probabilities", "groups", "subject"):
        assert (getattr(again, name) == getattr(result, name)).all(), name
    assert {path.name for path in (tmp_path / "deep").iterdir()} == {"probabilities.npz"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"format": "another"}, "holds no probabilities"),
        ({"true": np.array([0, 9])}, "classes that are none"),
        ({"probabilities": np.full((2, 2), np.nan)}, "probabilities or classes"),
        ({"names": np.array(["r0"])}, "do not fit together"),
        ({"labels": np.array(["c0"])}, "do not fit together"),
    ],
)
def test_other_files_are_refused(tmp_path, change, reason):
    result = given([0, 1], np.eye(2))
    result.save(tmp_path / "p.npz")
    with np.load(tmp_path / "p.npz") as kept:
        arrays = {**kept, **change}
    np.savez(tmp_path / "p.npz", **arrays)
    with pytest.raises(InvalidDataSet, match=reason):
        ActionResult.load(tmp_path / "p.npz")
