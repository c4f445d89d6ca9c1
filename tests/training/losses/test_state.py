import json

import numpy as np
import pytest
import torch

from model.errors import InvalidRecipe
from tests.training.losses import formulas
from tests.training.small import small_recipe
from training.losses.config import epoch_of
from training.losses.inter import InterClassLoss
from training.losses.state import affinity_of
from training.run import LABELS, LAST, RECIPE
from training.toml import to_toml

NAMES = tuple(f"class {i}" for i in range(12))


def run_in(folder, epoch=3, **inter):
    """A run's directory as it is left after some epochs, and the loss that it was left with."""
    recipe = small_recipe(loss={"inter": {"start_epoch": 2, "neighbours": 4, "overlap": 1, **inter}})
    torch.manual_seed(0)
    loss = InterClassLoss(len(NAMES), 8, recipe.loss.inter, recipe.optim.epochs)
    loss.set_epoch(epoch)
    for _ in range(5):
        labels = torch.randint(0, len(NAMES), (16,))
        loss(torch.randn(16, 8), labels, torch.randint(0, len(NAMES), (16,)))
    loss.confusion.mul_(torch.rand(loss.confusion.shape) + 0.5)  # no ties, which may be broken either way
    tensors = {f"objective.inter.{name}": tensor for name, tensor in loss.state_dict().items()}
    (folder / LAST).parent.mkdir(parents=True)
    torch.save({"state_dict": {"network.head.weight": torch.zeros(2), **tensors}}, folder / LAST)
    (folder / RECIPE).write_text(to_toml(recipe.model_dump(mode="json")))
    (folder / LABELS).write_text(json.dumps(NAMES))
    return loss


def test_confusions_families_and_temperatures_of_a_run_belong_together(tmp_path):
    loss = run_in(tmp_path)
    found = affinity_of(tmp_path)
    assert found.labels == NAMES
    assert (found.confusion == loss.confusion.numpy()).all()
    assert (found.prototypes == loss.prototypes.numpy()).all()
    assert (found.families == formulas.family(found.confusion, 4, 1)).all()
    assert (found.families == ((found.similarity > 1 / 4) & ~np.eye(12, dtype=bool))).all()
    assert found.temperatures.tolist() == pytest.approx(
        [formulas.temperature(size, 4) for size in found.families.sum(axis=1)]
    )
    assert (found.epoch, found.started) == (3, True)


def test_before_the_start_a_run_says_that_its_families_are_not_in_use(tmp_path):
    run_in(tmp_path, epoch=1)
    assert not affinity_of(tmp_path).started


def test_a_run_without_the_inter_class_loss_has_no_families(tmp_path):
    run_in(tmp_path)
    text = (tmp_path / RECIPE).read_text()
    (tmp_path / RECIPE).write_text(text.replace("[loss.inter]\nenabled = true", "[loss.inter]\nenabled = false"))
    with pytest.raises(InvalidRecipe, match="no Motion Families"):
        affinity_of(tmp_path)


def test_what_is_no_run_or_a_damaged_one_is_said_clearly(tmp_path):
    with pytest.raises(InvalidRecipe):
        affinity_of(tmp_path)
    run_in(tmp_path)
    saved = torch.load(tmp_path / LAST, weights_only=True)
    del saved["state_dict"]["objective.inter.families"]
    torch.save(saved, tmp_path / LAST)
    with pytest.raises(InvalidRecipe, match="does not fit its recipe"):
        affinity_of(tmp_path)
    torch.save({"state_dict": {}}, tmp_path / LAST)
    with pytest.raises(InvalidRecipe, match="no state of the inter-class loss"):
        affinity_of(tmp_path)
    (tmp_path / LAST).unlink()
    with pytest.raises(InvalidRecipe, match="is missing"):
        affinity_of(tmp_path)


def test_a_checkpoint_that_is_cut_off_is_said_to_be_damaged(tmp_path):
    run_in(tmp_path)
    whole = (tmp_path / LAST).read_bytes()
    (tmp_path / LAST).write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InvalidRecipe, match="cannot be read"):
        affinity_of(tmp_path)


def test_the_epoch_of_a_share_is_that_share_of_all():
    assert epoch_of(0.5, 4) == 2
