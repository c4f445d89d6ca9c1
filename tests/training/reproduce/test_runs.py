import fcntl
import threading

import pytest
from rich.console import Console

from model.errors import InvalidRecipe
from tests.training.small import small_recipe, small_set
from training.recipe import load_recipe
from training.reproduce.catalogue import What, maker_of
from training.reproduce.choices import Choices
from training.reproduce.experiment import experiment
from training.reproduce.runs import LOCK, finished_run, trained
from training.run import begin_run
from training.toml import to_toml


@pytest.fixture
def mine(tmp_path):
    """An experiment on a small set of ours; nothing is trained yet."""
    small_set().save_npz(tmp_path / "set.npz")
    recipe = small_recipe(
        data={"paths": [str(tmp_path / "set.npz")], "validation_subjects": 0},
        optim={"epochs": 1, "steps": 1},
        test={"keep": {"subject": ["006"]}},
    )
    (tmp_path / "mine.toml").write_text(to_toml(recipe.model_dump(mode="json")))

    def make(variant="full", **choices):
        return experiment(Choices(runs=tmp_path / "runs", **choices), tmp_path / "mine.toml", variant, 1)

    return make


def quiet():
    return Console(stderr=True, quiet=True)


def test_a_run_is_trained_once_and_taken_by_whoever_asks_for_the_same(mine):
    path = trained(mine(), quiet())
    assert path == mine().path
    before = (path / "weights.pt").stat().st_mtime_ns
    assert trained(mine(), quiet()) == path
    assert (path / "weights.pt").stat().st_mtime_ns == before


def test_the_joints_stream_and_the_whole_method_share_one_run(mine):
    path = trained(mine("full"), quiet())
    assert finished_run(mine("j")) == path
    assert finished_run(mine("b")) is None


def test_another_recipe_in_its_place_is_refused_with_the_difference(mine):
    trained(mine(), quiet())
    with pytest.raises(InvalidRecipe, match=r"full/seed-1 holds a run of another recipe \(optim.lr is 0.01, not 0.5\)"):
        trained(mine(settings=("optim.lr=0.5",)), quiet())


def test_a_run_that_was_stopped_before_its_first_epoch_is_begun_again(mine):
    one = mine()
    begin_run(one.path, one.recipe.with_classes(2), ("run", "walk"))
    assert finished_run(one) is None
    assert trained(one, quiet()) == one.path
    assert finished_run(one) == one.path


def test_while_another_process_trains_it_is_waited_for_and_its_run_taken(mine):
    one = mine()
    said: list[object] = []
    one.path.mkdir(parents=True)

    class Told(Console):
        def print(self, *objects, **_):
            said.extend(objects)

    console = Told()
    with (one.path / LOCK).open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        waiting = threading.Thread(target=trained, args=(one, console))
        waiting.start()
        while not said:
            waiting.join(0.01)
        assert "another process trains" in str(said[0])
        trained(mine("j"), quiet())  # an equal run is made meanwhile, in its twin's place
    waiting.join()
    assert said == [said[0]]
    assert not (one.path / "weights.pt").exists()


def test_every_table_and_figure_has_somebody_who_makes_it():
    assert all(callable(maker_of(what)) for what in What)
    assert [what.value for what in What] == [f"table-{i}" for i in range(1, 11)] + [
        f"figure-{i}" for i in range(3, 7)
    ] + ["across"]


def test_a_run_keeps_the_recipe_that_was_asked_for(mine):
    path = trained(mine("baseline"), quiet())
    assert not load_recipe(path / "recipe.toml").loss.inter.enabled
