from pathlib import Path

import numpy as np
import pytest

from tests.recordings import recording
from training.data.load import load
from training.protocols import cbkings34
from training.protocols.actions import PROTOCOLS
from training.recipe import load_recipe

RECIPES = Path(__file__).parents[3] / "training" / "recipes"


def test_the_recipe_of_cbkings34_trains_on_the_people_of_its_protocol_and_on_nobody_who_tests():
    recipe = load_recipe(RECIPES / "cbkings34.toml")
    assert recipe.data.label == "subject"
    assert recipe.data.keep == {"subject": cbkings34.TRAIN}


@pytest.mark.parametrize(
    ("name", "file", "counts"), [("utd-mhad", "utd_mhad.npz", (431, 430)), ("hdm05", "hdm05_subset.npz", (188, 99))]
)
def test_a_recipe_trains_on_the_split_of_its_protocol_and_on_nobody_who_tests(tmp_path, name, file, counts):
    recipe, protocol = load_recipe(RECIPES / f"{name}.toml"), PROTOCOLS[name]
    assert recipe.data.label == "action"
    loaded = load(recording(file), cache=tmp_path)
    assert tuple(len(loaded.split(split)) for split in (protocol.train, protocol.test)) == counts
    trains = set(np.unique(loaded.split(protocol.train).subject).tolist())
    assert trains.isdisjoint(loaded.split(protocol.test).subject.tolist())
    if recipe.data.split is not None:
        assert recipe.data.split == protocol.train
    else:
        assert set(recipe.data.keep["subject"]) == trains
