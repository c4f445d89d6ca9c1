from pathlib import Path

from tests.training.reproduce import made_up
from training.reproduce import paper
from training.reproduce.ablation import ablation_table
from training.reproduce.difficulty_table import difficulty_table
from training.reproduce.experiment import ABLATION
from training.reproduce.gather import Found, Reports
from training.reproduce.occlusion_table import occlusion_table

SEEDS = (1, 2, 3)


def reports_of(*reports):
    found = {(report.variant, report.seed): Found(report, Path("nowhere")) for report in reports}
    return Reports(found, tuple(sorted({report.seed for report in reports})))


def ablation(scores, **changed):
    """Scores in % by variant, one a seed."""
    each = [
        made_up.actions(variant=variant, seed=seed, **changed).model_copy(update={"figures": {"accuracy": score / 100}})
        for variant, given in scores.items()
        for seed, score in zip(SEEDS, given, strict=False)
        if score is not None
    ]
    return ablation_table(reports_of(*each), tuple(ABLATION), "mine", comparable=False)


def test_a_gain_with_every_seed_is_there():
    said = ablation({"baseline": (80, 81, 82), "full": (82.0, 83.1, 83.9)}).conclusion
    assert said == (
        "full: +2.0 points over the baseline, 3 seeds (95 %: +1.8 to +2.2; seed by seed +2.0, +2.1, +1.9): better",
        "The gain is there: the whole method is better than the baseline over 3 seeds.",
    )


def test_a_gain_that_hangs_on_one_seed_is_not_shown():
    said = ablation({"baseline": (80, 81, 82), "full": (86, 81, 82)}).conclusion
    assert said[-1] == (
        "The gain is not shown: over 3 seeds the interval of the whole method's difference to the baseline holds 0."
    )


def test_a_loss_is_called_one():
    said = ablation({"baseline": (80, 81, 82), "full": (78, 79.1, 79.9)}).conclusion
    assert said[-1].startswith("The gain is not there: the whole method is worse")


def test_a_baseline_that_does_not_fit_its_training_set_proves_nothing():
    made = ablation({"baseline": (10, 11, 12), "full": (82, 83, 84)}, train_accuracy=0.42)
    assert made.conclusion == (
        "No conclusion: the baseline names 42.0 % (mean 42.0 %) of its own training recordings, and 80 % are asked "
        "for. Train it longer.",
    )


def test_one_baseline_of_three_that_does_not_fit_is_enough_to_say_nothing():
    reports = [made_up.actions(variant="baseline", seed=i, train_accuracy=share) for i, share in ((1, 0.99), (2, 0.79))]
    made = ablation_table(reports_of(*reports), tuple(ABLATION), "mine", comparable=False)
    assert made.conclusion[0].startswith("No conclusion: the baseline names 79.0 % (mean 89.0 %)")


def test_without_a_baseline_nothing_is_concluded_and_no_gain_is_given():
    made = ablation({"full": (82, 83, 84)})
    assert made.conclusion == ("No conclusion: the baseline has not been measured.",)
    assert [row.ours for row in made.rows if row.name == "baseline"] == [(None, None, None)]
    (full,) = (row for row in made.rows if row.name == "full")
    assert full.ours[1].mean == 83
    assert full.ours[2] is None


def test_only_seeds_with_both_make_the_gain_and_every_seed_its_own_mean():
    made = ablation({"baseline": (80, None, 82), "full": (81, 99, 83)})
    (full,) = (row for row in made.rows if row.name == "full")
    assert full.ours[1].values == {1: 81, 2: 99, 3: 83}
    assert full.ours[2].values == {1: 1.0, 3: 1.0}


def test_one_seed_asks_for_more():
    said = ablation({"baseline": (80,), "full": (85,)}).conclusion
    assert said[-1] == "Whether the method gains cannot be told from one seed: give at least --seeds 1,2,3."


def test_the_papers_rows_stand_there_whatever_was_measured():
    made = ablation({})
    assert [row.paper for row in made.rows] == [row.paper for row in paper.TABLES["table-8"].rows]
    assert all(cell is None for row in made.rows for cell in row.ours)


def test_occlusion_is_the_whole_methods_row_and_others_are_added_below():
    parts = ("left-arm", "right-arm", "two-hands", "two-legs", "trunk")
    hidden = {part: {"accuracy": 0.1 * i} for i, part in enumerate(parts, 1)}
    reports = reports_of(
        made_up.actions(variant="full", occlusion=hidden), made_up.actions(variant="baseline", occlusion=None)
    )
    made = occlusion_table(reports, ("baseline", "full"), "mine", comparable=True)
    own = next(row for row in made.rows if row.name == paper.OURS)
    assert [round(cell.mean) for cell in own.ours if cell] == [10, 20, 30, 40, 50]
    assert made.signed(own, 0) == "-77.1"
    assert made.rows[-1].name == "baseline"
    assert made.rows[-1].ours == (None,) * 5


def sixty(shift, **changed):
    """Sixty classes, the i-th of accuracy i / 100, the hardest five better by `shift`."""
    report = made_up.actions(**changed)
    shares = {f"A{i:03d}": i / 100 + (shift if i <= 5 else 0) for i in range(1, 61)}
    classes = {label: {"accuracy": share, "sequences": 10, "people": 2} for label, share in shares.items()}
    return report.model_copy(update={"figures": report.figures | {"classes": classes}})


def test_difficulty_is_ranked_by_each_seeds_own_baseline():
    reports = reports_of(*(sixty(0.1 * (v == "full"), variant=v, seed=s) for s in SEEDS for v in ("baseline", "full")))
    made = difficulty_table(reports, "mine", comparable=True)
    assert [row.name for row in made.rows] == ["class 1-5", "class 6-15", "class 16-30", "class 31-60"]
    assert [[round(cell.mean, 6) for cell in row.ours if cell] for row in made.rows] == [
        [3, 13, 10], [10.5, 10.5, 0], [23, 23, 0], [45.5, 45.5, 0],
    ]  # fmt: skip


def test_another_number_of_classes_has_rows_of_its_own_and_no_difference():
    reports = reports_of(made_up.actions(variant="baseline"), made_up.actions({"reading": 1.0}, variant="full"))
    made = difficulty_table(reports, "mine", comparable=True)
    assert not made.comparable
    assert [row.name for row in made.rows[4:]] == ["here, class 1", "here, class 2", "here, class 3-4"]
    assert all(not row.ours for row in made.rows[:4])
