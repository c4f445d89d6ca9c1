import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.reproduce.show import write_table
from training.reproduce.table import SIMULATED, Ours, Row, Table


def table(*rows, **more):
    return Table("table-0", "a title", ("X-Sub", "X-View"), rows, **more)


OTHERS = Row("other", (80.0, None), publication="CVPR 2020")


def test_ours_stands_below_the_papers_row_with_its_spread_and_the_difference():
    row = Row("own", (90.0, 95.0), (Ours({1: 91.0, 2: 93.0}), Ours({1: 94.0})))
    assert list(table(OTHERS, row).lines()) == [
        ("other, CVPR 2020", "80.0", "-"),
        ("own", "90.0", "95.0"),
        ("  here", "92.0 ± 1.4", "94.0"),
        ("  difference", "+2.0", "-1.0"),
    ]


def test_what_was_not_measured_is_a_dash_and_an_empty_cell_of_the_csv_file(tmp_path):
    made = table(Row("own", (90.0, 95.0), (None, Ours({3: 94.5}))))
    assert list(made.lines())[1:] == [("  here", "-", "94.5"), ("  difference", "-", "-0.5")]
    (row,) = csv.DictReader(write_table(made, tmp_path).read_text().splitlines())
    assert row["X-Sub paper"] == "90"
    assert [row[f"X-Sub {name}"] for name in ("ours", "sd", "seeds", "difference", "marks")] == [""] * 5
    assert (row["X-View ours"], row["X-View seeds"], row["X-View difference"]) == ("94.5", "3", "-0.5")


def test_no_difference_is_given_to_other_data_or_to_simulated_ones():
    row = Row("own", (90.0, 95.0), (Ours({1: 91.0}), Ours({1: 94.0}, (SIMULATED,))))
    assert [table(row).difference(row, i) for i in (0, 1)] == [1.0, None]
    assert [table(row, comparable=False).difference(row, i) for i in (0, 1)] == [None, None]
    assert len(list(table(row, comparable=False).lines())) == 2


def test_each_mark_is_one_footnote_however_many_cells_carry_it():
    rows = [
        Row("own", (90.0, 95.0), (Ours({1: 91.0}, ("small", "odd")), Ours({1: 94.0}, ("odd",)))),
        Row("other", (90.0, 95.0), (Ours({1: 92.0}), None)),
    ]
    assert table(*rows).notes() == (("a", "small"), ("b", "odd"))
    assert list(table(*rows).lines())[1] == ("  here", "91.0 (a,b)", "94.0 (b)")


def test_a_mark_that_all_figures_carry_is_said_once_and_beside_none():
    row = Row("own", (90.0, 95.0), (Ours({1: 91.0}, ("small", "odd")), Ours({1: 94.0}, ("odd",))))
    assert table(row).notes() == (("all", "odd"), ("a", "small"))
    assert list(table(row).lines())[1] == ("  here", "91.0 (a)", "94.0")


def test_a_row_with_too_few_figures_is_our_own_mistake():
    with pytest.raises(AssertionError, match="a figure for each column"):
        table(Row("own", (90.0,)))


@given(st.dictionaries(st.integers(1, 99), st.floats(0, 100), min_size=2, max_size=6), st.floats(-5, 5))
def test_shifting_every_seed_shifts_the_mean_and_leaves_the_spread(values, shift):
    one, other = Ours(values), Ours({seed: value + shift for seed, value in values.items()})
    assert other.mean == pytest.approx(one.mean + shift, abs=1e-9)
    assert other.sd == pytest.approx(one.sd, abs=1e-9)


def test_json_keeps_every_seeds_value():
    made = table(Row("own", (90.0, 95.0), (Ours({2: 93.0, 1: 91.0}, ("small",)), None))).to_json()
    (row,) = made["rows"]
    assert row["ours"] == [{"mean": 92.0, "sd": 2**0.5, "values": {"1": 91.0, "2": 93.0}, "marks": ["small"]}, None]
    assert row["difference"] == [2.0, None]
