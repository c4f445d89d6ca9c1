from dataclasses import replace

import numpy as np
import pytest

from model.errors import InvalidDataSet
from tests.training.small import small_recipe
from tests.training.trained import data_of, train
from training.pool import Pool
from training.run import read_about


def test_what_is_chosen_on_the_test_split_says_so_loudly(tmp_path):
    recipe = small_recipe(optim={"epochs": 1}, validation={"on": "test"})
    assert "CHOSEN ON THE TEST SPLIT" in train(tmp_path / "run", recipe)
    assert read_about(tmp_path / "run")["selected_on"] == "test"


@pytest.mark.parametrize(("held_out", "selected_on"), [(2, "held-out"), (0, "last epoch")])
def test_a_run_says_what_it_was_chosen_on(held_out, selected_on, tmp_path):
    recipe = small_recipe(data={"validation_subjects": held_out}, optim={"epochs": 1})
    assert "TEST" not in train(tmp_path / "run", recipe)
    assert read_about(tmp_path / "run")["selected_on"] == selected_on


def test_hopeless_data_are_refused_before_there_is_a_run(tmp_path):
    recipe = small_recipe()
    data = data_of(recipe)
    assert isinstance(data.pool, Pool)
    blind = replace(data, pool=replace(data.pool, frames=np.zeros_like(data.pool.frames)))
    with pytest.raises(InvalidDataSet):
        train(tmp_path / "run", recipe, blind)
    assert not (tmp_path / "run").exists()


def test_what_looks_wrong_with_the_data_is_said_before_training(tmp_path):
    recipe = small_recipe(optim={"epochs": 1})
    data = data_of(recipe)
    assert isinstance(data.pool, Pool)
    frames = data.pool.frames.copy()
    frames[..., 1] *= -1  # upside down
    said = train(tmp_path / "run", recipe, replace(data, pool=replace(data.pool, frames=frames)))
    assert "look at the data: " in said.split("small:")[0]
    assert "look at the data: " not in train(tmp_path / "upright", recipe)


@pytest.mark.parametrize(("condition", "people", "said"), [
    (("nm", "bg"), ("005",), "one person is held out"),
    (("bg",), ("005", "006"), "nobody held out has a sequence to be searched for"),
    (("nm", "bg"), ("005", "006"), None),
])  # fmt: skip
def test_held_out_people_by_whom_no_epoch_can_be_chosen_are_told(condition, people, said, tmp_path):
    keep = {"condition": condition, "view": ("000",)}
    recipe = small_recipe(data={"validation_subjects": 0, "keep": keep, "validation": {"subject": people}},
                          optim={"epochs": 1, "steps": 1})  # fmt: skip
    told = train(tmp_path / "run", recipe).split("small:")[0]
    assert (said in told) if said else ("held out" not in told)
