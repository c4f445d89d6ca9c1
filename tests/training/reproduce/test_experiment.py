from pathlib import Path

import pytest

from model.errors import InvalidRecipe
from tests.training.small import small_recipe
from training.recipe import load_recipe
from training.reproduce.choices import STREAMS, Choices
from training.reproduce.experiment import ABLATION, VARIANTS, differences, experiment, recipe_file
from training.reproduce.report import Dose
from training.toml import to_toml

XSUB = recipe_file("ntu60-xsub")


def made(variant="full", seed=1, file=XSUB, **choices):
    return experiment(Choices(runs=Path("runs"), only_report=True, **choices), file, variant, seed)


def test_a_run_lives_below_its_recipe_variant_and_seed():
    one = made("dynamic", 3)
    assert one.path == Path("runs/ntu60-xsub/dynamic/seed-3")
    assert (one.seed, one.recipe.seed, one.dose) == (3, 3, None)


def test_the_rows_of_the_ablation_switch_on_one_part_after_the_other():
    switched = {}
    for variant in VARIANTS:
        inter, intra = made(variant).recipe.loss.inter, made(variant).recipe.loss.intra
        switched[variant] = inter.enabled, inter.temperature, inter.affinity, intra.enabled
    assert switched == {
        "baseline": (False, "dynamic", "both", False),
        "inter": (True, "fixed", "both", False),
        "dynamic": (True, "dynamic", "both", False),
        "intra": (False, "dynamic", "both", True),
        "full": (True, "dynamic", "both", True),
        "pairwise": (True, "dynamic", "pairwise", False),
    }
    assert list(ABLATION) == ["baseline", "inter", "dynamic", "intra", "full"]


def test_every_stream_is_another_recipe_and_the_joints_are_the_whole_method():
    streams = [made(stream).recipe.network.streams for stream in STREAMS]
    assert len(set(streams)) == len(STREAMS)
    assert differences(made("j").recipe, made("full").recipe) == []
    assert made("j").path in made("full").twins


def test_an_unknown_variant_is_named_with_those_there_are():
    with pytest.raises(InvalidRecipe, match=r"no variant 'ful'; there are: baseline, .*km"):
        made("ful")


def test_a_sweep_gives_its_own_settings():
    one = experiment(Choices(only_report=True), XSUB, "n_a=2", 1, ("loss.inter.overlap=2",))
    assert (one.recipe.loss.inter.overlap, one.path.parts[-2]) == (2, "n_a=2")


def test_a_smaller_dose_is_told_and_affinity_begins_at_the_same_share_of_it():
    one = made(epochs=15, limit=100)
    assert one.dose == Dose(epochs=(15, 150), limit=100)
    assert (one.recipe.optim.epochs, one.recipe.data.limit) == (15, 100)
    assert made(epochs=150).dose is None
    settings = ("loss.inter.start_epoch=30",)
    assert made(epochs=15, settings=settings).recipe.loss.inter.start_epoch == 3
    assert made(settings=settings).recipe.loss.inter.start_epoch == 30


def test_selecting_on_the_test_makes_another_run():
    chosen_by_test = made(select_on_test=True).recipe
    assert differences(made().recipe, chosen_by_test) == ["validation.on is held-out, not test"]
    other = chosen_by_test.model_copy(update={"test": chosen_by_test.test.model_copy(update={"split": "xview_val"})})
    assert differences(other, chosen_by_test) == ["test.split is xview_val, not xsub_val"]


def test_where_the_data_lie_how_many_threads_work_and_what_is_tested_change_no_weights():
    one = small_recipe()
    other = small_recipe(data={"paths": ["elsewhere.npz"]}, test={"protocol": "casia-b"})
    assert differences(one.model_copy(update={"threads": 2}), other) == []
    assert differences(one, small_recipe(optim={"lr": 0.5})) == ["optim.lr is 0.01, not 0.5"]
    assert differences(one.with_classes(7), other) == []


def test_a_run_may_keep_more_epochs_than_are_wanted_but_not_fewer():
    some, more = small_recipe(optim={"keep_epochs": [1, 4]}), small_recipe(optim={"keep_epochs": [1, 2, 4]})
    assert differences(more, some) == []
    assert differences(some, more) == ["optim.keep_epochs lacks 2"]


def test_settings_reach_every_variant_and_are_told(tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(to_toml(small_recipe().model_dump(mode="json")))
    for variant in ABLATION:
        one = made(variant, file=file, settings=("optim.lr=0.5",))
        assert (one.recipe.optim.lr, one.changes) == (0.5, ("optim.lr=0.5",))
    assert load_recipe(file).optim.lr == 0.01
