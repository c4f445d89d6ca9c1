from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.errors import InvalidRecipe
from tests.training.small import small_recipe
from training.recipe import Recipe, load_recipe
from training.toml import to_toml

SHIPPED = sorted((Path(__file__).resolve().parents[2] / "training" / "recipes").glob("*.toml"))


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "recipe.toml"
    path.write_text(to_toml(small_recipe().model_dump(mode="json")))
    return path


def test_a_recipe_written_is_the_recipe_read(path):
    assert load_recipe(path) == small_recipe()


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_shipped_recipes_are_valid(path):
    assert load_recipe(path).name == path.stem


def test_settings_change_any_depth(path):
    recipe = load_recipe(path, ["optim.lr=0.5", "loss.inter.mode=official", "data.keep.subject=['001-003']", "seed=9"])
    assert (recipe.optim.lr, recipe.loss.inter.mode, recipe.seed) == (0.5, "official", 9)
    assert recipe.data.keep == {"subject": ("001-003",)}


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("optim.learning_rate=1", "optim.learning_rate: unknown key"),
        ("optimm.lr=1", "optimm: unknown key"),
        ("optim.lr=-1", "optim.lr: Input should be greater than 0"),
        ("optim.lr=fast", "optim.lr: Input should be a valid number"),
        ("optim.lr", "section.key=value"),
        ("seed.deep=1", "seed is not a section"),
        ("network.layout=cocoa", "network.layout: unknown layout"),
        ("network.streams=['bones']", "network.streams.0: Input should be 'joint', 'bone', 'k-bone', 'motion'"),
        ("clip.dims=3", "clip.dims is 3, network.dims is 2"),
        ("loss.intra.bank=4", "must hold a batch"),
        ("loss.inter.decay=0", "loss.inter.decay"),
    ],
)
def test_what_is_wrong_is_named(path, setting, message):
    with pytest.raises(InvalidRecipe, match=message.replace(".", r"\.")):
        load_recipe(path, [setting])


def test_a_margin_needs_the_cosine_head(path):
    with pytest.raises(InvalidRecipe, match="cosine"):
        load_recipe(path, ["loss.ce.margin=0.2", "network.head=linear"])


@pytest.mark.parametrize("content", [b"name = ", b"\xff\xfe", b"[data]\npaths = 3"])
def test_a_file_that_is_no_recipe_is_refused(tmp_path, content):
    path = tmp_path / "broken.toml"
    path.write_bytes(content)
    with pytest.raises(InvalidRecipe, match=r"broken\.toml"):
        load_recipe(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InvalidRecipe, match="No such file"):
        load_recipe(tmp_path / "nowhere.toml")


@given(st.text(max_size=30))
def test_any_name_survives_being_written(name):
    import tomllib

    recipe = small_recipe().model_copy(update={"name": name})
    assert Recipe.model_validate(tomllib.loads(to_toml(recipe.model_dump(mode="json")))) == recipe
