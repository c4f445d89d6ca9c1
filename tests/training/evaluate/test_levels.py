import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import InvalidDataSet
from training.evaluate.levels import bounds, differences, difficulty, mean_over_seeds

shares = st.lists(st.floats(0, 1), min_size=4, max_size=130)


def test_the_levels_of_sixty_classes_are_those_of_table_x_and_average_to_the_whole():
    rng = np.random.default_rng(0)
    baseline, ours = ({f"A{i:03d}": float(share) for i, share in enumerate(rng.random(60))} for _ in range(2))
    found = difficulty(baseline, ours)
    assert [level.name for level in found] == ["1-5", "6-15", "16-30", "31-60"]
    assert sum(level.baseline * len(level.classes) for level in found) / 60 == pytest.approx(
        np.mean([*baseline.values()])
    )
    assert sum(level.ours * len(level.classes) for level in found) / 60 == pytest.approx(np.mean([*ours.values()]))


def test_the_baseline_alone_decides_which_classes_are_hard():
    found = difficulty({"a": 0.1, "b": 0.5, "c": 0.9}, {"a": 1.0, "b": 0.0, "c": 0.5}, ends=(1, 2, 3))
    assert [level.classes for level in found] == [("a",), ("b",), ("c",)]
    assert [round(level.gain, 6) for level in found] == [0.9, -0.5, -0.4]


@given(shares)
def test_every_class_is_in_one_level_and_levels_rise(values):
    baseline = {f"{i:03d}": value for i, value in enumerate(values)}
    found = difficulty(baseline, baseline)
    assert sorted(label for level in found for label in level.classes) == sorted(baseline)
    assert [level.baseline for level in found] == sorted(level.baseline for level in found)
    assert all(level.gain == 0 for level in found)
    assert [level.last for level in found] == list(bounds(len(values)))


@given(shares, st.randoms())
def test_differences_are_those_of_each_class_from_the_largest_gain(values, random):
    baseline = {f"{i:03d}": value for i, value in enumerate(values)}
    ours = {label: random.random() for label in baseline}
    found = differences(baseline, ours)
    assert [each.gain for each in found] == sorted((ours[label] - baseline[label] for label in baseline), reverse=True)
    assert {each.label: each.ours for each in found} == ours


def test_other_classes_are_refused():
    with pytest.raises(InvalidDataSet, match="same classes of both; b, c are of one"):
        differences({"a": 1.0, "b": 0.5}, {"a": 1.0, "c": 0.5})
    with pytest.raises(InvalidDataSet, match="same classes"):
        mean_over_seeds([{"a": 1.0}, {"b": 1.0}])
