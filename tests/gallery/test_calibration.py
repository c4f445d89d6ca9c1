from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.calibration import Calibration
from model.errors import InvalidRequest

RATES = (0.01, 0.05, 0.1)
SIZES = (1, 10, 100)


def content(**more: Any) -> dict[str, Any]:
    table = [
        {"subjects": n, "fpir": f, "threshold": round(0.5 + 0.05 * np.log10(n) - 0.1 * np.log10(f), 6), "fnir": 0.1}
        for n in SIZES
        for f in RATES
    ]
    return {"format": 1, "id": "c1", "made_on": "made up", "subjects": 125, "searches": 1000, "table": table, **more}


def test_a_measured_size_and_rate_give_the_measured_threshold() -> None:
    calibration = Calibration.from_json(content())
    for row in calibration.table:
        found = calibration.threshold(row.subjects, row.fpir)
        assert found.value == pytest.approx(row.threshold)
        assert not found.extrapolated


def test_between_sizes_the_threshold_is_linear_in_log_n() -> None:
    calibration = Calibration.from_json(content())
    middle = calibration.threshold(32, 0.05).value
    low, high = calibration.threshold(10, 0.05).value, calibration.threshold(100, 0.05).value
    assert middle == pytest.approx(low + (high - low) * np.log10(3.2))


@given(st.integers(1, 10**7), st.integers(1, 10**7), st.floats(0.01, 0.5), st.floats(0.01, 0.5))
def test_a_larger_gallery_or_a_smaller_rate_never_lowers_the_threshold(n: int, m: int, f: float, g: float) -> None:
    calibration = Calibration.from_json(content())
    small, large = sorted((n, m))
    strict, loose = sorted((f, g))
    assert calibration.threshold(large, f).value >= calibration.threshold(small, f).value - 1e-9
    assert calibration.threshold(n, strict).value >= calibration.threshold(n, loose).value - 1e-9


def test_noise_that_lets_a_threshold_fall_with_the_size_is_smoothed_upwards() -> None:
    noisy = content()
    for row in noisy["table"]:
        row["threshold"] = {1: 0.6, 10: 0.7, 100: 0.65}[row["subjects"]]
    assert Calibration.from_json(noisy).threshold(100, 0.05).value == 0.7


def test_beyond_the_largest_size_every_subject_is_one_more_chance() -> None:
    calibration = Calibration.from_json(content())
    found = calibration.threshold(200, 0.1)
    assert found.extrapolated
    # 1 - (1 - f)^(200 / 100) = 0.1 for f = 0.0513, whose threshold lies between those of 0.05 and 0.1
    assert found.value == pytest.approx(calibration.threshold(100, 1 - 0.9**0.5).value)


def test_far_beyond_the_data_no_cosine_is_high_enough() -> None:
    assert Calibration.from_json(content()).threshold(10**9, 0.01).value > 1


def test_further_templates_of_the_subjects_count_as_further_subjects() -> None:
    calibration = Calibration.from_json(content(templates_per_subject=2))
    assert calibration.threshold(10, 0.05, templates=20) == calibration.threshold(10, 0.05)
    assert calibration.threshold(10, 0.05, templates=200) == calibration.threshold(100, 0.05)


def test_a_rate_below_those_measured_is_refused_and_one_above_is_held_too_well() -> None:
    calibration = Calibration.from_json(content())
    with pytest.raises(InvalidRequest, match=r"down to 0\.01"):
        calibration.threshold(10, 0.005)
    assert calibration.threshold(10, 0.5).value == calibration.threshold(10, 0.1).value
    for rate in (0.0, 1.0, -1.0, float("nan")):
        with pytest.raises(InvalidRequest, match="between 0 and 1"):
            calibration.threshold(10, rate)


def test_the_target_is_used_where_no_rate_is_asked_for() -> None:
    calibration = Calibration.from_json(content(target_fpir=0.1))
    assert calibration.threshold(10) == calibration.threshold(10, 0.1)


def test_a_calibration_survives_its_json() -> None:
    calibration = Calibration.from_json(content())
    assert Calibration.from_json(calibration.to_json()) == calibration


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"table": []}, "table"),
        ({"format": 2}, "format"),
        ({"table": [*content()["table"], content()["table"][0]]}, "twice"),
        ({"table": content()["table"][1:]}, "every rate"),
        ({"table": [{"subjects": 1, "fpir": 0.1, "threshold": float("nan")}]}, "threshold"),
        ({"subjects": 1}, "subjects"),
        ({"target_fpir": 0}, "target_fpir"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_what_is_no_calibration_is_refused_and_named(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest, match=field):
        Calibration.from_json(content(**wrong))
