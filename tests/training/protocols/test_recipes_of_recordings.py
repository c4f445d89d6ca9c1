from pathlib import Path

import pytest

from training.protocols import cbkings34
from training.protocols.actions import SPLITS
from training.recipe import load_recipe

RECIPES = Path(__file__).parents[3] / "training" / "recipes"


@pytest.mark.parametrize(
    ("name", "people", "label"),
    [
        ("utd-mhad", SPLITS["utd-mhad"].train, "action"),
        ("hdm05", SPLITS["hdm05"].train, "action"),
        ("cbkings34", cbkings34.TRAIN, "subject"),
    ],
)
def test_a_recipe_trains_on_the_people_of_its_protocol_and_on_nobody_who_tests(name, people, label):
    recipe = load_recipe(RECIPES / f"{name}.toml")
    assert recipe.data.label == label
    assert recipe.data.keep == {"subject": people}
