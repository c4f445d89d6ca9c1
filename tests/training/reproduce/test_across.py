import pytest
from rich.console import Console

from model.errors import InvalidDataSet
from tests.training.reproduce.made_up import actions
from training.reproduce.across import across
from training.reproduce.choices import Choices
from training.reproduce.report import digest, write_report

QUIET = Console(quiet=True)


def _leave(runs, recipe, variant, seed, accuracy, train_accuracy=0.95):
    run = runs / recipe / variant / f"seed-{seed}"
    run.mkdir(parents=True)
    (run / "weights.pt").write_bytes(f"{recipe} {variant} {seed}".encode())
    figures = {"accuracy": accuracy}
    report = actions().model_copy(
        update={
            "recipe": recipe, "variant": variant, "seed": seed, "train_accuracy": train_accuracy, "figures": figures,
            "weights": digest(run / "weights.pt"),
        }
    )  # fmt: skip
    write_report(run, report)
    return run


@pytest.fixture
def runs(tmp_path):
    """Three sets with two seeds: full is 2, 4 and 6 points above the baseline, inter 1 below."""
    for number, recipe in enumerate(("a", "b", "c"), 1):
        for seed in (1, 2):
            _leave(tmp_path, recipe, "baseline", seed, 0.5)
            _leave(tmp_path, recipe, "full", seed, 0.5 + 0.02 * number)
            _leave(tmp_path, recipe, "inter", seed, 0.49)
    return tmp_path


def _told(runs):
    (table,) = across(Choices(runs=runs), QUIET).tables
    return table


def test_every_data_set_counts_once_however_many_seeds_it_has(runs):
    _leave(runs, "c", "baseline", 3, 0.5)
    _leave(runs, "c", "full", 3, 0.56)
    overall = _told(runs).rows[-1].ours
    assert overall[-1].mean == pytest.approx(4.0)
    assert list(overall[-1].values.values()) == pytest.approx([2.0, 4.0, 6.0])


def test_the_verdict_is_in_words_and_from_the_interval_over_sets(runs):
    # Means 2, 4, 6: mean 4, standard deviation 2, t(0.975, 2) = 4.3027; half width 4.97: 0 is inside.
    inter, full = _told(runs).conclusion
    assert full == (
        "full: +4.0 points over the baseline, mean of 3 data sets (95 %: -1.0 to +9.0), above it on 3: "
        "no difference is shown"
    )
    assert inter.endswith("above it on 0: worse")


def test_a_variant_that_was_not_measured_has_no_figure_and_no_sentence(runs):
    table = _told(runs)
    assert table.columns == ("inter", "dynamic", "intra", "full")
    assert table.rows[-1].ours[1] is None
    assert not any(line.startswith("dynamic") for line in table.conclusion)


def test_a_report_of_other_weights_counts_for_nothing(runs):
    (runs / "a" / "full" / "seed-1" / "weights.pt").write_bytes(b"trained again")
    (row,) = (row for row in _told(runs).rows if row.name == "a")
    assert set(row.ours[-1].values) == {2}


def test_a_set_whose_baseline_does_not_fit_is_left_out(runs):
    _leave(runs, "d", "baseline", 1, 0.2, train_accuracy=0.3)
    _leave(runs, "d", "full", 1, 0.9)
    assert [row.name for row in _told(runs).rows[1:-1]] == ["a", "b", "c"]


def test_one_data_set_is_refused(tmp_path):
    _leave(tmp_path, "a", "baseline", 1, 0.5)
    with pytest.raises(InvalidDataSet, match="two are needed"):
        across(Choices(runs=tmp_path), QUIET)
