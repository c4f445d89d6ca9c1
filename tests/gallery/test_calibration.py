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
        ({"format": 3}, "format"),
        ({"table": [*content()["table"], content()["table"][0]]}, "twice"),
        ({"table": content()["table"][1:]}, "every rate"),
        ({"table": [{"subjects": 1, "fpir": 0.1, "threshold": float("nan")}]}, "threshold"),
        ({"subjects": 1}, "subjects"),
        ({"target_fpir": 0}, "target_fpir"),
        ({"surprise": 1}, "surprise"),
        ({"evidence": [[0.5, 1.0], [0.4, 2.0]]}, "evidence"),
        ({"evidence": [[0.4, 2.0], [0.5, 1.0]]}, "evidence"),
        ({"tail": {"start": 0.5, "share": 0.1, "shape": 0, "scale": 0, "beyond": 9, "fit": 1}}, "tail.scale"),
        ({"min_margin": -0.1}, "min_margin"),
    ],
)
def test_what_is_no_calibration_is_refused_and_named(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidRequest, match=field):
        Calibration.from_json(content(**wrong))


def test_larger_galleries_may_support_fewer_rates() -> None:
    table = [row for row in content()["table"] if (row["subjects"], row["fpir"]) != (100, 0.01)]
    for row in table:
        row["errors"] = {1: 3000, 10: 300, 100: 60}[row["subjects"]] * row["fpir"]
    calibration = Calibration.from_json(content(format=2, table=table))
    assert calibration.threshold(10, 0.01).value == pytest.approx(0.75)
    # Supported and not in the table: as the measured slope goes on.
    assert calibration.threshold(1, 0.001).value == pytest.approx(0.8)
    with pytest.raises(InvalidRequest, match=r"no rate below 0\.05 \(13\.0 dB\).*about 500 further people"):
        calibration.threshold(11, 0.01)
    with pytest.raises(InvalidRequest, match="worth 60 independent ones, 300 are needed"):
        calibration.threshold(1000, 0.01)


def test_a_tail_that_fits_says_how_high_the_threshold_must_be_among_more_people() -> None:
    tail = {"start": 0.7, "share": 0.1, "shape": -0.3, "scale": 0.05, "beyond": 400, "fit": 0.5}
    plain = Calibration.from_json(content())
    bent = Calibration.from_json(content(format=2, tail=tail))
    wrong = Calibration.from_json(content(format=2, tail={**tail, "fit": 0.01}))
    few = Calibration.from_json(content(format=2, tail={**tail, "beyond": 20}))
    assert bent.threshold(10_000, 0.05).value < plain.threshold(10_000, 0.05).value
    assert wrong.threshold(10_000, 0.05) == few.threshold(10_000, 0.05) == plain.threshold(10_000, 0.05)


@given(st.integers(1, 10**7), st.integers(1, 10**7), st.floats(0.01, 0.5), st.floats(0.01, 0.5), st.floats(-0.6, 0.2))
def test_a_tail_leaves_larger_galleries_and_smaller_rates_the_higher_threshold(
    n: int, m: int, f: float, g: float, shape: float
) -> None:
    tail = {"start": 0.6, "share": 0.1, "shape": shape, "scale": 0.2, "beyond": 400, "fit": 0.5}
    calibration = Calibration.from_json(content(format=2, tail=tail))
    small, large = sorted((n, m))
    strict, loose = sorted((f, g))
    assert calibration.threshold(large, f).value >= calibration.threshold(small, f).value - 1e-9
    assert calibration.threshold(n, strict).value >= calibration.threshold(n, loose).value - 1e-9


def test_a_rate_with_fewer_than_thirty_errors_behind_it_is_marked() -> None:
    rows = [{**row, "errors": row["fpir"] * 600} for row in content()["table"]]
    calibration = Calibration.from_json(content(format=2, table=rows))
    assert {row.fpir for row in calibration.table if row.few} == {0.01}


def test_a_calibration_without_likelihoods_has_none() -> None:
    assert Calibration.from_json(content()).likelihood(0.5) is None
    assert Calibration.from_json(content(evidence=[[0.4, -1], [0.6, 1]])).likelihood(0.5) == pytest.approx(0)
