"""What a recipe may ask of the trainer beyond the usual: each exact when resumed, each refused where it cannot be."""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
import torch

from model.errors import InvalidRecipe
from model.named_layouts import COCO_17
from tests.training.small import small_recipe
from tests.training.trained import data_of, differing, states, train
from training.batches import Batches
from training.loop import Training
from training.run import finished, load_run, read_about, write_about
from training.trainer import make_trainer, run
from training.validation import HeldOut

OPTIONS: dict[str, dict[str, Any]] = {
    "accumulate": {"optim": {"accumulate": 2}},
    "one cycle": {"optim": {"accumulate": 2, "schedule": "onecycle", "kind": "sgd"}},
    "several clips": {"validation": {"clips": 3, "batch": 7}},
    "seldom validated": {"validation": {"every": 2}, "optim": {"patience": 3}},
}


@pytest.mark.parametrize("option", OPTIONS)
def test_two_epochs_and_two_more_are_four_with(option, tmp_path):
    recipe = small_recipe(**OPTIONS[option])
    train(tmp_path / "whole", recipe)
    train(tmp_path / "stopped", recipe, until=2)
    train(tmp_path / "stopped", recipe, resume=True)
    assert differing(states(tmp_path / "stopped"), states(tmp_path / "whole")) == []
    ours, theirs = (read_about(tmp_path / name) for name in ("stopped", "whole"))
    for key in ("epochs", "best", "ended"):
        assert ours[key] == theirs[key]


@dataclass
class Cut:
    """Stands for `Batches`: batches of the given sizes, one after the other, of the same clips."""

    recipe: object
    sizes: list[int]

    def __post_init__(self):
        rng = np.random.default_rng(1)
        self.clips = rng.normal(size=(sum(self.sizes), 16, 17, 3)).astype(np.float32)
        self.labels = rng.integers(4, size=sum(self.sizes))
        self.size, self.steps = max(self.sizes), len(self.sizes)

    def make(self, epoch, step):
        rows = slice(sum(self.sizes[:step]), sum(self.sizes[: step + 1]))
        return self.clips[rows], self.labels[rows]


def after_an_epoch(out, sizes, accumulate):
    """Weights after an epoch of cross-entropy on batches of these sizes."""
    recipe = small_recipe(
        network={"dropout": 0.0},
        loss={"inter": {"enabled": False}, "intra": {"enabled": False}},
        optim={
            "epochs": 1,
            "ema": 0.0,
            "accumulate": accumulate,
            "kind": "sgd",
            "warmup": 0,
            "lr": 0.1,
            "clip_norm": None,
        },
    ).with_classes(4)
    torch.manual_seed(5)
    module = Training(recipe, Cut(recipe, sizes), None)  # type: ignore[arg-type]
    module.network.eval()  # a batch's own statistics would tell it from its halves
    before = {name: tensor.clone() for name, tensor in module.network.state_dict().items()}
    run(make_trainer(recipe, out, None, module.ranks, []), module, None)
    after = module.network.state_dict()
    assert not torch.allclose(after["head.weight"], before["head.weight"], atol=1e-3)
    return after


@pytest.mark.parametrize(("sizes", "halves"), [([8, 8], [4, 4, 4, 4]), ([8, 4], [4, 4, 4])])
def test_accumulated_batches_move_the_weights_as_their_sum_would_the_last_of_an_epoch_too(sizes, halves, tmp_path):
    ours = after_an_epoch(tmp_path / "halves", halves, accumulate=2)
    theirs = after_an_epoch(tmp_path / "whole", sizes, accumulate=1)
    for name, tensor in theirs.items():
        torch.testing.assert_close(ours[name], tensor, atol=2e-6, rtol=1e-5, msg=name)


def test_the_average_moves_once_a_step_of_the_optimiser_not_once_a_batch(tmp_path):
    recipe = small_recipe(optim={"epochs": 2, "steps": 2, "accumulate": 2, "ema": 0.9})
    train(tmp_path / "run", recipe, until=1)
    first = states(tmp_path / "run")
    train(tmp_path / "run", recipe, resume=True)
    second = states(tmp_path / "run")
    torch.manual_seed(recipe.seed)
    start = Training(recipe.with_classes(4), Batches(data_of(recipe).pool, COCO_17, recipe), None).network.state_dict()
    for name in ("head.weight", "project_pooled.weight"):
        after_one = start[name].lerp(first[f"network.{name}"], 1 - 2 / 11)
        after_two = after_one.lerp(second[f"network.{name}"], 1 - 3 / 12)
        torch.testing.assert_close(first[f"averaged.{name}"], after_one, atol=1e-6, rtol=1e-5)
        torch.testing.assert_close(second[f"averaged.{name}"], after_two, atol=1e-6, rtol=1e-5)


def test_the_rate_is_that_of_the_clips_of_a_step(tmp_path):
    recipe = small_recipe(optim={"epochs": 1, "steps": 2, "lr": 0.1, "lr_batch": 64, "accumulate": 2})
    assert "learning rate 0.025: 0.1 for 64 clips" in train(tmp_path / "run", recipe)
    assert read_about(tmp_path / "run")["lr"] == pytest.approx(0.1 * 8 * 2 / 64)
    optimizer = torch.load(tmp_path / "run/checkpoints/last.ckpt", weights_only=True)["optimizer_states"][0]
    assert optimizer["param_groups"][0]["initial_lr"] == pytest.approx(0.025)


@dataclass(frozen=True, eq=False)
class Told(HeldOut):
    """Scores are told beforehand, one after the other."""

    scores: tuple[float, ...] = ()
    asked: list[int] = field(default_factory=list)

    def score(self, values):
        self.asked.append(1)
        return {"score": self.scores[len(self.asked) - 1]}


def told(recipe, scores):
    data = data_of(recipe)
    assert data.held_out is not None
    return replace(data, held_out=Told(**vars(data.held_out), scores=scores))


IMPATIENT = small_recipe(optim={"epochs": 9, "patience": 2, "ema": 0.0})


def test_patience_ends_a_run_and_the_run_says_so(tmp_path):
    train(tmp_path / "run", IMPATIENT, told(IMPATIENT, (0.1, 0.3, 0.3, 0.2)))
    about = load_run(tmp_path / "run").about
    assert about["ended"] == {"epochs": 4, "why": "patience"}
    assert len(about["epochs"]) == 4
    assert about["best"]["epoch"] == 1
    assert finished(tmp_path / "run")


def test_a_better_score_makes_it_patient_again(tmp_path):
    train(tmp_path / "run", IMPATIENT, told(IMPATIENT, (0.1, 0.0, 0.2, 0.1, 0.3, 0.3, 0.1)))
    assert read_about(tmp_path / "run")["ended"] == {"epochs": 7, "why": "patience"}


def test_patience_is_kept_through_a_stop(tmp_path):
    train(tmp_path / "run", IMPATIENT, told(IMPATIENT, (0.1, 0.3, 0.3)), until=3)
    assert not finished(tmp_path / "run")
    train(tmp_path / "run", IMPATIENT, told(IMPATIENT, (0.2, 0.9)), resume=True)
    assert read_about(tmp_path / "run")["ended"] == {"epochs": 4, "why": "patience"}


def test_a_run_that_ended_is_left_as_it_is(tmp_path):
    train(tmp_path / "run", IMPATIENT, told(IMPATIENT, (0.3, 0.3, 0.3)))
    before = (tmp_path / "run/run.json").read_bytes(), (tmp_path / "run/checkpoints/last.ckpt").read_bytes()
    assert "is finished" in train(tmp_path / "run", IMPATIENT, resume=True)
    assert before == ((tmp_path / "run/run.json").read_bytes(), (tmp_path / "run/checkpoints/last.ckpt").read_bytes())


def test_a_run_that_died_before_it_could_say_that_it_ended_says_so_when_it_is_resumed(tmp_path):
    train(tmp_path / "run", IMPATIENT, told(IMPATIENT, (0.3, 0.3, 0.3)))
    about = read_about(tmp_path / "run")
    write_about(tmp_path / "run", about | {"ended": None})
    train(tmp_path / "run", IMPATIENT, told(IMPATIENT, ()), resume=True)
    again = read_about(tmp_path / "run")
    assert {key: again[key] for key in about} == about


def test_patience_needs_something_to_wait_for(tmp_path):
    recipe = small_recipe(data={"validation_subjects": 0}, optim={"patience": 1})
    with pytest.raises(InvalidRecipe, match="nothing is held out"):
        train(tmp_path / "run", recipe)
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_fp16_without_a_gpu_is_refused_in_words(tmp_path):
    with pytest.raises(InvalidRecipe, match=r"fp16 needs a CUDA GPU.*bf16"):
        train(tmp_path / "run", small_recipe(optim={"precision": "fp16"}))


@pytest.mark.parametrize("epoch", [0, 5])
def test_an_epoch_that_will_not_be_cannot_be_kept(epoch, tmp_path):
    with pytest.raises(InvalidRecipe, match=f"keep_epochs: {epoch} is not one of 4 epochs"):
        train(tmp_path / "run", small_recipe(optim={"keep_epochs": [epoch]}))


def test_a_run_is_not_resumed_on_data_of_other_classes(tmp_path):
    recipe = small_recipe(optim={"epochs": 2})
    train(tmp_path / "run", recipe, until=1)
    data = data_of(recipe)
    with pytest.raises(InvalidRecipe, match="other classes"):
        train(tmp_path / "run", recipe, replace(data, labels=("x", *data.labels[1:])), resume=True)


def test_a_checkpoint_that_is_damaged_is_one_clear_error(tmp_path):
    recipe = small_recipe(optim={"epochs": 2})
    train(tmp_path / "run", recipe, until=1)
    (tmp_path / "run/checkpoints/last.ckpt").write_bytes(b"PK cut off")
    with pytest.raises(InvalidRecipe, match=r"last\.ckpt.*damaged"):
        train(tmp_path / "run", recipe, resume=True)


def test_a_checkpoint_of_another_network_is_one_clear_error(tmp_path):
    recipe = small_recipe(optim={"epochs": 2})
    train(tmp_path / "run", recipe, until=1)
    checkpoint = torch.load(tmp_path / "run/checkpoints/last.ckpt", weights_only=True)
    checkpoint["state_dict"].pop("objective.intra.bank_features")
    torch.save(checkpoint, tmp_path / "run/checkpoints/last.ckpt")
    with pytest.raises(InvalidRecipe, match=r"1 missing \(objective\.intra\.bank_features\)"):
        train(tmp_path / "run", recipe, resume=True)


class TooLarge(Cut):
    def make(self, epoch, step):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")


def test_a_batch_that_does_not_fit_into_memory_says_what_to_do(tmp_path):
    recipe = small_recipe().with_classes(4)
    module = Training(recipe, TooLarge(recipe, [8]), None)  # type: ignore[arg-type]
    with pytest.raises(InvalidRecipe, match=r"a batch of 8 clips does not fit.*optim\.accumulate"):
        run(make_trainer(recipe, tmp_path, None, module.ranks, []), module, None)
