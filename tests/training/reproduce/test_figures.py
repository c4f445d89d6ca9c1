"""Figures 3 to 6 from what runs have left behind."""

import pytest
import torch
from rich.console import Console

from model.errors import InvalidRecipe
from tests.training.reproduce import left_runs, made_up
from training.recipe import load_recipe
from training.reproduce.figure_3 import figure_3
from training.reproduce.figure_4 import SETTINGS, figure_4, sweeps_of, variant_of, variants_of
from training.reproduce.figure_5 import KEPT, figure_5, kept_epochs, spaced
from training.reproduce.figure_6 import figure_6
from training.reproduce.gather import gather
from training.reproduce.page import png
from training.run import WEIGHTS

QUIET = Console(quiet=True)
# "phone call" is taken for "action 2" and "action 1", "action 3" for nobody.
COUNTS = torch.tensor([[0.0, 2, 5, 0], [1, 0, 0, 0], [4, 1, 0, 0], [0, 0, 0, 0]])


def test_families_are_drawn_with_an_anchor_in_the_middle_and_all_at_once(tmp_path):
    recipe = left_runs.recipe_of(tmp_path)
    path = left_runs.leave_run(tmp_path, recipe, left_runs.actions_report())
    left_runs.leave_confusions(path, recipe, COUNTS)
    made = figure_3(left_runs.choices_of(tmp_path, recipe), QUIET)
    assert [picture.name for picture in made.pictures] == ["family-1", "family-2", "families"]
    first = made.pictures[0]
    assert first.caption.startswith("With action 2 (")
    members = [row.name for row in made.tables[0].rows]
    assert members[0] == "phone call: action 2"
    assert all(row.ours[0].mean > 1 / 2 for row in made.tables[0].rows)  # n_a / K of this recipe
    assert "no recording" not in [text.get_text() for text in first.figure.axes[0].texts]
    assert len(first.figure.axes[0].collections) >= 4  # bones and joints of the anchor and of a member at least
    assert [report.variant for report in made.reports] == ["full"]
    assert all(png(picture.figure) for picture in made.pictures)


def test_without_a_run_there_are_no_families_and_nothing_of_ours(tmp_path):
    made = figure_3(left_runs.choices_of(tmp_path, left_runs.recipe_of(tmp_path)), QUIET)
    assert (made.pictures, made.reports) == ((), ())


def test_a_run_without_the_inter_class_loss_is_told_apart_from_one_without_families(tmp_path):
    recipe = left_runs.recipe_of(tmp_path, loss={"inter": {"enabled": False}})
    left_runs.leave_run(tmp_path, recipe, left_runs.actions_report())
    with pytest.raises(InvalidRecipe, match="no Motion Families"):
        figure_3(left_runs.choices_of(tmp_path, recipe), QUIET)


def test_kept_epochs_are_drawn_in_order_with_the_same_recordings(tmp_path):
    recipe = left_runs.recipe_of(tmp_path, optim={"epochs": 12, "keep_epochs": [2, 5, 12]})
    path = left_runs.leave_run(tmp_path, recipe, left_runs.actions_report())
    left_runs.keep_epochs(path, recipe, (12, 2, 5))
    made = figure_5(left_runs.choices_of(tmp_path, recipe), QUIET)
    (picture,) = made.pictures
    panels = [axes for axes in picture.figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left").split(",")[0] for axes in panels] == [
        "(a) epoch 2",
        "(b) epoch 5",
        "(c) epoch 12",
    ]
    assert [row.name for row in made.tables[0].rows] == ["epoch 2", "epoch 5", "epoch 12"]
    drawn = {tuple(len(points.get_offsets()) for points in axes.collections) for axes in panels}
    assert drawn == {(6, 6, 6, 6)}


def test_the_classes_taken_for_each_other_most_come_first(tmp_path):
    recipe = left_runs.recipe_of(tmp_path, optim={"epochs": 2, "keep_epochs": [1, 2]})
    path = left_runs.leave_run(tmp_path, recipe, left_runs.actions_report())
    left_runs.keep_epochs(path, recipe, (1, 2))
    (picture,) = figure_5(left_runs.choices_of(tmp_path, recipe), QUIET).pictures
    named = [text.get_text() for text in picture.figure.legends[0].get_texts()]
    assert named[:2] == ["phone call", "action 2"]


def test_a_run_that_kept_no_epochs_is_left_alone(tmp_path):
    recipe = left_runs.recipe_of(tmp_path)
    left_runs.leave_run(tmp_path, recipe, left_runs.actions_report())
    choices = left_runs.choices_of(tmp_path, recipe)
    assert figure_5(choices, QUIET).pictures == ()
    kept = left_runs.actions_report(variant=KEPT)
    path = left_runs.leave_run(tmp_path, recipe, kept)
    left_runs.keep_epochs(path, recipe, (1, 2))
    assert [report.variant for report in figure_5(choices, QUIET).reports] == [KEPT]


def test_a_run_that_should_have_kept_epochs_and_has_none_is_an_error(tmp_path):
    recipe = left_runs.recipe_of(tmp_path, optim={"epochs": 2, "keep_epochs": [1, 2]})
    left_runs.leave_run(tmp_path, recipe, left_runs.actions_report())
    with pytest.raises(InvalidRecipe, match="kept no epochs"):
        figure_5(left_runs.choices_of(tmp_path, recipe), QUIET)


def test_other_files_beside_kept_epochs_are_no_epochs(tmp_path):
    (tmp_path / "epochs").mkdir()
    for name in ("epoch-010.pt", "epoch-002.pt", ".epoch-003.pt.part", "epoch-x.pt", "notes.txt"):
        (tmp_path / "epochs" / name).touch()
    assert kept_epochs(tmp_path) == (2, 10)
    assert kept_epochs(tmp_path / "nowhere") == ()


def test_a_short_training_is_looked_at_in_each_of_its_epochs():
    assert spaced(1) == (1,)
    assert spaced(2) == (1, 2)


def test_every_value_of_a_setting_is_a_run_and_the_recipes_own_is_one_for_all(tmp_path):
    recipe = left_runs.recipe_of(tmp_path, loss={})
    variants = variants_of(recipe)
    assert len(variants) == 1 + sum(len(setting.values) - 1 for setting in SETTINGS.values())
    assert variants["full"] == ()
    assert variants["n_a=2"] == ("loss.inter.overlap=2",)
    assert variants["epsilon=0"] == ("loss.intra.epsilon=0",)


def test_every_variants_settings_are_a_recipe_of_their_own(tmp_path):
    recipe = left_runs.recipe_of(tmp_path)
    file = left_runs.choices_of(tmp_path, recipe).recipe
    made = [load_recipe(file, settings).loss for settings in variants_of(recipe).values()]
    assert len({loss.model_dump_json() for loss in made}) == len(made)


def test_sweeps_hold_what_was_measured_and_nothing_else(tmp_path):
    recipe = left_runs.recipe_of(tmp_path, loss={})
    choices = left_runs.choices_of(tmp_path, recipe, seeds=(1, 2))
    for seed, share in ((1, 0.8), (2, 0.6)):
        shares = dict.fromkeys(made_up.LABELS, share)
        left_runs.leave_report(tmp_path, recipe, made_up.actions(shares, variant="n_a=2", seed=seed))
    left_runs.leave_report(tmp_path, recipe, made_up.actions())
    made = figure_4(choices, QUIET)
    changes = variants_of(recipe)
    first = sweeps_of(gather(choices, QUIET, choices.recipe, tuple(changes), (1, 2), settings=changes), recipe)[0]
    assert [(point.value, round(point.mean, 6), point.seeds) for point in first.points] == [(2, 70, 2), (4, 90, 1)]
    rows = {row.name: row for row in made.tables[0].rows}
    assert rows["n_a = 2"].ours[0].values == pytest.approx({1: 80, 2: 60})
    assert rows["n_a = 3"].ours == (None,)
    assert {row.paper for row in rows.values()} == {(None,), (91.4,)}
    assert [picture.name for picture in made.pictures] == ["sweeps"]


def test_a_value_that_the_recipe_has_by_itself_is_the_whole_method(tmp_path):
    recipe = left_runs.recipe_of(tmp_path, loss={"intra": {"weight": 0.5}})
    assert variant_of("lambda2", 0.5, recipe) == "full"
    assert variant_of("lambda2", 0.1, recipe) == "lambda2=0.1"


def test_without_a_run_there_is_no_sweep(tmp_path):
    made = figure_4(left_runs.choices_of(tmp_path, left_runs.recipe_of(tmp_path)), QUIET)
    assert made.pictures == ()
    assert all(row.ours == (None,) for row in made.tables[0].rows)


@pytest.mark.parametrize("make", [figure_5, figure_6])
def test_a_figure_of_actions_refuses_people_before_it_trains(tmp_path, make):
    recipe = left_runs.recipe_of(tmp_path, test={"protocol": "casia-b"})
    with pytest.raises(InvalidRecipe, match=r"has protocol 'casia-b' in .test., and Fig. [56] needs none"):
        make(left_runs.choices_of(tmp_path, recipe, only_report=False), QUIET)
    assert not (tmp_path / "runs").exists()


def test_classes_stand_by_their_gain_with_both_accuracies(tmp_path):
    recipe = left_runs.recipe_of(tmp_path)
    left_runs.leave_report(tmp_path, recipe, made_up.actions({"reading": 0.5, "writing": 0.8}, variant="baseline"))
    left_runs.leave_report(tmp_path, recipe, made_up.actions({"reading": 0.75, "writing": 0.7}))
    made = figure_6(left_runs.choices_of(tmp_path, recipe), QUIET)
    rows = [(row.name, *(round(cell.mean, 6) for cell in row.ours)) for row in made.tables[0].rows]
    assert rows == [("reading", 50, 75, 25), ("clapping", 90, 90, 0), ("jump up", 90, 90, 0), ("writing", 80, 70, -10)]
    assert [picture.name for picture in made.pictures] == ["differences-kard-small"]


def test_our_figures_come_from_the_report_and_from_nothing_else(tmp_path):
    recipe = left_runs.recipe_of(tmp_path)
    for variant in ("baseline", "full"):
        path = left_runs.leave_run(tmp_path, recipe, left_runs.actions_report(variant=variant))
    choices = left_runs.choices_of(tmp_path, recipe)
    assert figure_6(choices, QUIET).tables[0].rows
    (path / "report.json").unlink()
    assert (path / WEIGHTS).is_file()
    made = figure_6(choices, QUIET)
    assert made.tables[0].rows == ()
    assert made.pictures == ()
