"""What charts are drawn by: scales, ticks, shades and what two looks at a counter say."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page
from scipy.stats import norm

Run = Callable[[str], Any]

MODULES = ("scale", "heat", "rates", "keep/threshold", "keep/operations/measured", "keep/operations/now")


@pytest.fixture
def run(page: Page) -> Run:
    """The value of an expression over what the modules export."""
    page.goto("/console/")
    page.get_by_role("heading", level=1).wait_for()
    imports = ", ".join(f"import('/console/js/{name}.js')" for name in MODULES)

    def _run(expression: str) -> Any:
        return page.evaluate(
            f"async () => {{ const all = Object.assign({{}}, ...await Promise.all([{imports}]));"
            f" return (({{ {', '.join(NAMES)} }}) => {expression})(all); }}"
        )

    return _run


NAMES = (
    *("deviate", "probability", "deviates", "logarithmic", "roundTicks", "endsOfRates", "stepOf"),
    *("between", "number", "daily", "measured", "lasted"),
)


def test_deviates_are_those_of_the_normal_distribution(run: Run) -> None:
    rates = [1e-6, 1e-4, 0.01, 0.024, 0.03, 0.2, 0.5, 0.8, 0.97, 0.98, 0.9999]
    assert np.allclose(run(f"{rates}.map(deviate)"), norm.ppf(rates), atol=1e-8)
    assert run("probability(-1.6448536)") == pytest.approx(0.05, abs=1e-6)


def test_places_on_a_scale_lead_back_to_their_values(run: Run) -> None:
    found = run("[deviates(0.001, 0.9), logarithmic(1, 50)].map((s) => [0, 0.25, 1].map((p) => s.place(s.value(p))))")
    assert np.allclose(found, [[0, 0.25, 1]] * 2, atol=1e-6)


def test_an_axis_of_rates_holds_them_all_and_is_no_scratch(run: Run) -> None:
    low, high = run("endsOfRates([0, 0.01, 0.011, 1])")
    assert 0 < low < 0.01
    assert high > 0.1
    assert run("endsOfRates([])") == [0.001, 0.5]


def test_ticks_are_round_and_between_the_ends(run: Run) -> None:
    assert run("roundTicks(0, 1)") == [0, 0.2, 0.4, 0.6, 0.8, 1]
    assert run("roundTicks(0.31, 0.64, 4)") == [0.4, 0.5, 0.6]
    assert run("roundTicks(2, 2)") == [2]


def test_shades_go_from_the_palest_to_the_deepest(run: Run) -> None:
    assert run("[-1, 0.4, 0.7, 1, 2].map((share) => stepOf(share, 0.4, 1))") == [0, 0, 5, 10, 10]


def test_rates_are_said_with_what_they_lie_between(run: Run) -> None:
    assert run("between(0.048, [0.039, 0.0591])") == "4.8 % (3.9 to 5.9)"
    assert run("between(null, null)") == "–"
    assert run("[0.0012345, 12.345, 12345.6, 7].map((each) => number(each))") == ["0.00123", "12.3", "12,346", "7"]


def test_a_day_is_the_probes_by_both_errors(run: Run) -> None:
    day = run("daily({fpir: 0.02, fnir: 0.1, fpir_between: [0.01, 0.03]}, 1000, 0.75)")
    assert [day["alarms"], *day["alarmsBetween"], day["missed"]] == pytest.approx([15, 7.5, 22.5, 25])
    assert day["right"] == pytest.approx(225 / 240)
    assert run("daily({fpir: 0, fnir: null}, 1000, 1)")["right"] is None


def test_counters_are_told_by_what_came_between_two_looks(run: Run) -> None:
    look = (
        "(at, answered, failed, batches, items) => ({at, routes: [{method: 'POST', route: '/identify',"
        " answered: {200: answered}, failed, times: {p50: 1, p95: 2, p99: 3}}],"
        " queues: [{stage: 'encode', waiting: 4, batches, items}]})"
    )
    found = run(f"((look) => measured(look(10, 100, 1, 10, 2), look(12, 110, 2, 15, 4), 'POST /identify'))({look})")
    assert found == {"answered": 5, "failed": 0.5, "p50": 1, "p95": 2, "p99": 3, "encode": 4, "encode_items": 8}
    first = run(f"((look) => measured(null, look(10, 100, 1, 0, null), 'GET /else'))({look})")
    assert first == {"answered": None, "failed": None, "encode": 4, "encode_items": None}


def test_time_is_said_in_its_two_largest_units(run: Run) -> None:
    assert run("[0.25, 59, 61, 3600, 93784].map(lasted)") == ["0.3 s", "59 s", "1 min 1 s", "1 h", "1 d 2 h"]
