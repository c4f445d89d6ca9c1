from pathlib import Path

import pytest

from model.errors import InvalidDataSet
from tests.training import shapes
from training.recipe import load_recipe
from training.reproduce import places
from training.reproduce.experiment import PUBLISHED, recipe_file
from training.reproduce.places import WANTED, Wanted, with_data


def wanted_for(name) -> Wanted:
    found = places.wanted_for(name)
    assert found is not None
    return found


NAMES = sorted(file.stem for file in PUBLISHED.glob("*.toml"))


def test_every_published_recipe_knows_whom_to_ask_for_its_data():
    assert len(NAMES) == 10
    for name in NAMES:
        recipe, wanted = load_recipe(recipe_file(name)), wanted_for(name)
        assert recipe.name == name
        assert recipe.data.kind in wanted.kinds
        assert "DIR/" in wanted.ask


@pytest.fixture(scope="module")
def everything(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    shapes.write_ntu60(folder / "ntu60", per_class=2, frames=8)
    shapes.write_ntu120(folder / "ntu120", per_class=2, frames=8)
    shapes.write_ntu_raw(folder / "raw", per_class=2, frames=4)
    shapes.write_kinetics(folder / "kinetics", per_class=4, frames=8)
    shapes.write_pku_mmd(folder / "pku", per_class=2, frames=8)
    shapes.write_finegym(folder / "finegym", per_class=4, frames=8)
    shapes.write_transg(folder / "transg", train=1, test=1, windows=1)
    shapes.write_casia_b(folder / "casia", subjects=(1, 75), views=(90,))
    return folder


@pytest.mark.parametrize(
    ("name", "kind", "where"),
    [
        ("ntu60-xsub", "ntu60-pickle", "ntu60"),
        ("ntu60-xview", "ntu60-pickle", "ntu60"),
        ("ntu120-xset", "ntu120-pickle", "ntu120"),
        ("kinetics", "kinetics-pickle", "kinetics"),
        ("pku-mmd-xsub", "pku-mmd-pickle", "pku"),
        ("finegym", "finegym-pickle", "finegym"),
        ("casia-b-reid", "casia-b-transg", "transg"),
        ("casia-b", "casia-b-gaitgraph", "casia"),
    ],
)
def test_each_data_set_is_found_by_its_content_among_all_the_others(everything, name, kind, where):
    found = with_data(load_recipe(recipe_file(name)), everything)
    assert (found.data.kind, found.data.paths) == (kind, (everything / where,))
    assert found.test.paths == ()


def test_raw_skeletons_will_do_where_there_is_no_pickle(everything):
    found = with_data(load_recipe(recipe_file("ntu60-xsub")), everything / "raw")
    assert (found.data.kind, found.data.paths) == ("ntu60-raw", (everything / "raw",))


def test_no_data_at_all_says_which_file_to_ask_whom_for_and_where_to_put_it(tmp_path):
    with pytest.raises(InvalidDataSet) as error:
        with_data(load_recipe(recipe_file("ntu60-xsub")), tmp_path / "nowhere")
    said = str(error.value)
    assert said.startswith(f"data set {tmp_path / 'nowhere'}: is not there. Ask the ROSE Lab")
    assert f"into {tmp_path / 'nowhere' / 'ntu60'}" in said
    assert said.endswith(f"Then: gaitkeeper data check {tmp_path / 'nowhere' / 'ntu60'}")
    assert "DIR" not in said.replace(str(tmp_path), "")


@pytest.mark.parametrize("name", NAMES)
def test_a_directory_without_the_set_says_what_it_holds_instead(tmp_path, name):
    with pytest.raises(InvalidDataSet, match=r"holds no data set that is known, and .* is wanted"):
        with_data(load_recipe(recipe_file(name)), tmp_path)


def test_another_set_than_the_wanted_one_is_called_by_its_name(everything):
    with pytest.raises(InvalidDataSet, match=r"holds finegym-pickle, and NTU RGB\+D 120 is wanted"):
        with_data(load_recipe(recipe_file("ntu120-xsub")), everything / "finegym")


def test_without_a_place_the_recipes_own_directory_is_searched(everything, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidDataSet, match=r"data set data: is not there. Get pyskl's gym_hrnet.pkl"):
        with_data(load_recipe(recipe_file("finegym")), None)
    Path("data").symlink_to(everything)
    assert with_data(load_recipe(recipe_file("finegym")), None).data.paths == (Path("data/finegym"),)


def test_raw_skeletons_in_the_place_of_the_recipes_pickle_are_taken_for_what_they_are(
    everything, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    Path("data").mkdir()
    Path("data/ntu60").symlink_to(everything / "raw")
    found = with_data(load_recipe(recipe_file("ntu60-xsub")), None)
    assert (found.data.kind, found.data.paths) == ("ntu60-raw", (Path("data/ntu60"),))


def test_a_recipe_of_another_set_is_looked_for_by_its_files_names(tmp_path):
    recipe = load_recipe(recipe_file("finegym"), ["name=mine", f"data.paths=['{tmp_path}/a/mine.npz']", "data.kind=x"])
    with pytest.raises(InvalidDataSet, match=r"mine.npz: is not there; say with --data"):
        with_data(recipe, None)
    (tmp_path / "mine.npz").touch()
    assert with_data(recipe, tmp_path).data.paths == (tmp_path / "mine.npz",)
    assert with_data(recipe, tmp_path / "mine.npz").data.paths == (tmp_path / "mine.npz",)


def test_no_two_sets_are_taken_for_each_other():
    for name in NAMES:
        assert wanted_for(name) in WANTED
    assert wanted_for("ntu60").title == "NTU RGB+D 60"
    assert places.wanted_for("ablation-utd-mhad") is None
