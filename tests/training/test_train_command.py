import json
import re

import pytest
import typer
from typer.testing import CliRunner

from model.errors import InvalidDataSet, InvalidRecipe
from tests.training.small import small_recipe, small_set
from training.cli import train
from training.toml import to_toml

app = typer.Typer()
app.command()(train)


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"TERM": "dumb", "COLUMNS": "200"})


@pytest.fixture
def recipe(tmp_path):
    small_set().save_npz(tmp_path / "set.npz")
    values = small_recipe().model_dump(mode="json")
    values["data"]["paths"] = [str(tmp_path / "set.npz")]
    (tmp_path / "recipe.toml").write_text(to_toml(values))
    return tmp_path / "recipe.toml"


def test_a_recipe_and_a_directory_are_all_it_takes_and_the_answer_is_the_best_epoch(recipe, tmp_path):
    result = run(recipe, "--out", tmp_path / "run", "--set", "optim.epochs=2", "--set", "optim.steps=1", "--json")
    assert result.exit_code == 0, result.output
    best = json.loads(result.stdout)
    assert 0 <= best["held_out"]["score"] <= 1
    assert best["selected_on"] == "held-out"
    assert best["devices"] == 1
    assert best["ended"] == {"epochs": 2, "why": "epochs"}
    assert re.search(r"small: 56 sequences of 4 classes, 28 held out; 2 epochs of 1 steps of 8 clips", result.stderr)
    assert "epoch 2/2" in result.stderr
    again = run(recipe, "--out", tmp_path / "run", "--set", "optim.epochs=2", "--set", "optim.steps=1", "--resume")
    assert again.stdout.startswith("best epoch ")
    assert "is finished: there is nothing to go on with" in again.stderr


def test_a_wrong_setting_is_named_before_anything_is_loaded(recipe, tmp_path):
    result = run(recipe, "--out", tmp_path / "run", "--set", "optim.rate=2")
    assert isinstance(result.exception, InvalidRecipe)
    assert "optim.rate: unknown key" in str(result.exception)
    assert not (tmp_path / "run").exists()


def test_a_missing_data_set_is_named_and_leaves_no_run(recipe, tmp_path):
    result = run(recipe, "--out", tmp_path / "run", "--set", "data.paths=['nowhere.npz']")
    assert isinstance(result.exception, InvalidDataSet)
    assert not (tmp_path / "run").exists()


def test_help_shows_an_example():
    assert "Example: gaitkeeper train" in run("--help").output


def test_chosen_on_the_test_split_the_answer_says_so(recipe, tmp_path):
    short = ["--set", "optim.epochs=1", "--set", "optim.steps=1", "--set", "data.keep.subject=['001-004']"]
    tested = ["--set", "test.keep.subject=['005-006']", "--select-on-test"]
    result = run(recipe, "--out", tmp_path / "run", *short, *tested, "--set", "data.validation_subjects=0")
    assert result.exit_code == 0, result.output
    assert "CHOSEN ON THE TEST SPLIT" in result.stderr
    assert "(chosen on the test split)" in result.stdout
    nowhere = run(recipe, "--out", tmp_path / "other", *short, "--select-on-test")
    assert "nothing to test on" in str(nowhere.exception)


def test_what_the_devices_cannot_share_is_an_error_at_once(recipe, tmp_path):
    result = run(recipe, "--out", tmp_path / "run", "--devices", "3")
    assert isinstance(result.exception, InvalidRecipe)
    assert "a batch of 8 clips cannot be shared evenly by 3 devices" in str(result.exception)
    assert not (tmp_path / "run").exists()


def test_a_run_of_fewer_epochs_than_validation_waits_for_is_validated_at_its_end(recipe, tmp_path):
    short = ["--set", "optim.epochs=2", "--set", "optim.steps=1", "--set", "validation.every=3"]
    result = run(recipe, "--out", tmp_path / "run", *short)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("best epoch 2: rank1_bg")


@pytest.mark.parametrize(("wanted", "said"), [
    ("data.validation.subject=['461-500']", "nothing is held out: [data.validation] wants subject 461-500"),
    ("data.validation.subject=['461']", "has no subject '461', as the recipe says; there are: '001', '002'"),
    ("data.keep.part=['train']", "has no part 'train', as the recipe says; there are: ''"),
])  # fmt: skip
def test_people_and_parts_that_the_data_have_not_are_named(wanted, said, recipe, tmp_path):
    result = run(recipe, "--out", tmp_path / "run", "--set", wanted)
    assert isinstance(result.exception, InvalidDataSet)
    assert said in str(result.exception)
    assert not (tmp_path / "run").exists()


def test_a_loss_that_is_lost_is_told(recipe, tmp_path):
    wild = ["--set", "optim.lr=1e30", "--set", "optim.clip_norm=1e30", "--set", "optim.epochs=2"]
    result = run(recipe, "--out", tmp_path / "run", *wild)
    assert result.exit_code == 0, result.output
    assert "the loss is no number any more" in result.stderr
