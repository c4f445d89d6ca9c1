import io
import json
import signal
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
import torch
from rich.console import Console

from model.errors import InvalidRecipe
from tests.training.small import small_recipe, small_set
from training.fit import fit
from training.pool import Pool
from training.run import begin_run, finished, load_run
from training.split import split

QUIET = Console(file=io.StringIO())


def train(out, recipe=None, **options):
    recipe = recipe or small_recipe()
    fit(recipe, out, data=split(small_set(), recipe), console=QUIET, **options)
    return out


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run of four epochs without a stop."""
    return train(tmp_path_factory.mktemp("runs") / "whole")


def states(out):
    return torch.load(out / "checkpoints/last.ckpt", weights_only=True)["state_dict"]


def test_two_epochs_and_two_more_give_the_weights_and_loss_state_of_four(whole, tmp_path):
    stopped = train(tmp_path / "stopped", until=2)
    assert not torch.equal(states(stopped)["network.head.weight"], states(whole)["network.head.weight"])
    train(stopped, resume=True)
    ours, theirs = states(stopped), states(whole)
    assert ours.keys() == theirs.keys()
    assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []


@dataclass(frozen=True, eq=False)
class InterruptedPool(Pool):
    """Somebody presses Ctrl-C at the eighth batch, in the third epoch."""

    batches: list[int] = field(default_factory=list)

    def draw(self, *arguments):
        self.batches.append(1)
        if len(self.batches) == 8:
            raise KeyboardInterrupt
        return super().draw(*arguments)


def test_ctrl_c_keeps_the_last_whole_epoch_and_resuming_from_it_changes_nothing(whole, tmp_path):
    recipe = small_recipe(data={"validation_subjects": 0}, optim={"epochs": 3})
    data = split(small_set(), recipe)
    handler = signal.getsignal(signal.SIGINT)
    interrupted = replace(data, pool=InterruptedPool(**vars(data.pool)))
    with pytest.raises(KeyboardInterrupt):
        fit(recipe, tmp_path / "run", data=interrupted, console=QUIET)
    assert signal.getsignal(signal.SIGINT) is handler
    assert len(load_run(tmp_path / "run").about["epochs"]) == 2
    fit(recipe, tmp_path / "run", data=data, console=QUIET, resume=True)
    fit(recipe, tmp_path / "never stopped", data=data, console=QUIET)
    ours, theirs = states(tmp_path / "run"), states(tmp_path / "never stopped")
    assert [name for name in ours if not torch.equal(ours[name], theirs[name])] == []


def test_stopped_before_the_first_epoch_a_run_begins_again(tmp_path):
    recipe = small_recipe(optim={"epochs": 1})
    begin_run(tmp_path / "run", recipe, ("001",))
    assert load_run(train(tmp_path / "run", recipe)).labels == ("001", "002", "003", "004")


def test_figures_of_a_resumed_run_are_those_of_one_without_a_stop(whole, tmp_path):
    stopped = train(tmp_path / "stopped", until=3)
    train(stopped, resume=True)
    ours, theirs = (json.loads((out / "run.json").read_text()) for out in (stopped, whole))
    assert ours["epochs"] == theirs["epochs"]
    assert ours["best"] == theirs["best"]
    assert [(again["after"], again["devices"]) for again in ours["resumed"]] == [(3, 1)]
    assert "resumed" not in theirs


def test_a_run_holds_its_recipe_its_figures_and_the_best_weights(whole):
    run = load_run(whole)
    assert run.labels == ("001", "002", "003", "004")
    assert run.recipe == small_recipe().with_classes(4)
    assert not run.network.training
    assert [epoch["epoch"] for epoch in run.about["epochs"]] == [0, 1, 2, 3]
    assert run.about["best"]["held_out"]["score"] == max(e["held_out"]["score"] for e in run.about["epochs"])
    assert set(run.about["epochs"][0]["train"]) == {"loss", "ce", "inter", "intra", "accuracy"}
    names = {path.name.split(".out.")[0] for path in whole.iterdir()}
    assert names == {"recipe.toml", "run.json", "labels.json", "weights.pt", "checkpoints", "events"}


def test_the_weights_kept_are_the_averaged_ones_of_the_best_epoch(whole):
    best = torch.load(whole / "checkpoints/best.ckpt", weights_only=True)["state_dict"]
    kept = torch.load(whole / "weights.pt", weights_only=True)
    assert all(torch.equal(tensor, best[f"averaged.{name}"]) for name, tensor in kept.items())


def test_nothing_unfinished_is_left_behind(whole):
    assert not [path for path in whole.rglob("*") if path.name.endswith(".part")]


def test_a_classifier_is_chosen_by_held_out_people(tmp_path):
    recipe = small_recipe(data={"label": "action"}, sampler={"classes": 2}, optim={"epochs": 1})
    run = load_run(train(tmp_path / "run", recipe))
    assert run.labels == ("run", "walk")
    assert set(run.about["best"]["held_out"]) == {"accuracy", "class_accuracy", "score"}


def test_without_anything_held_out_the_last_epoch_is_kept(tmp_path):
    recipe = small_recipe(data={"validation_subjects": 0}, optim={"epochs": 2, "ema": 0.0})
    out = train(tmp_path / "run", recipe)
    last = states(out)
    assert all(torch.equal(t, last[f"network.{name}"]) for name, t in load_run(out).network.state_dict().items())


def test_bf16_trains(tmp_path):
    recipe = small_recipe(optim={"epochs": 1, "steps": 2, "precision": "bf16"})
    assert load_run(train(tmp_path / "run", recipe)).about["best"] is not None


def test_a_directory_with_a_run_is_not_written_over(whole):
    with pytest.raises(InvalidRecipe, match="--resume"):
        train(whole)


def test_a_run_is_resumed_with_its_own_recipe_only(whole):
    with pytest.raises(InvalidRecipe, match="differs"):
        train(whole, small_recipe(optim={"lr": 0.5}), resume=True)


def test_there_must_be_something_to_resume(tmp_path):
    with pytest.raises(InvalidRecipe, match="no checkpoint"):
        train(tmp_path / "nothing", resume=True)


def test_a_directory_that_is_no_run_is_named(tmp_path):
    with pytest.raises(InvalidRecipe, match="missing"):
        load_run(Path(tmp_path))


def test_epochs_are_kept_where_the_recipe_says_so(whole, tmp_path):
    out = train(tmp_path / "run", small_recipe(optim={"keep_epochs": [1, 4]}))
    assert sorted(path.name for path in (out / "epochs").iterdir()) == ["epoch-001.pt", "epoch-004.pt"]
    last = states(out)
    kept = load_run(out, epoch=4).network.state_dict()
    assert all(torch.equal(tensor, last[f"averaged.{name}"]) for name, tensor in kept.items())
    first = train(tmp_path / "first", until=1)
    assert all(
        torch.equal(tensor, states(first)[f"averaged.{name}"])
        for name, tensor in load_run(out, epoch=1).network.state_dict().items()
    )


def test_a_run_is_finished_after_its_last_epoch_only(whole, tmp_path):
    assert finished(whole)
    assert load_run(whole).about["ended"] == {"epochs": 4, "why": "epochs"}
    assert not finished(train(tmp_path / "stopped", until=3))
