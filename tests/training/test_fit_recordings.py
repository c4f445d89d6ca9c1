import io
from pathlib import Path

import pytest
import torch
from rich.console import Console

from tests.training.shapes import write_ntu60
from training.data.cache import VARIABLE
from training.fit import fit
from training.recipe import load_recipe
from training.run import LAST, load_run

PUBLISHED = Path(__file__).resolve().parents[2] / "training" / "recipes" / "published"
SMALL = (
    *("network.widths=[8, 16]", "network.strides=[2, 2]", "network.dim=16", "clip.frames=16", "sampler.classes=6"),
    *("optim.epochs=4", "optim.steps=3", "loss.inter.start_epoch=1", "validation.clips=2"),
    *("augment.mirror=0.5", "augment.part_drop=0.2"),
)


def train(recipe, out, **options):
    fit(recipe, out, console=Console(file=io.StringIO()), **options)


def test_a_published_recipe_learns_pairs_of_people_and_goes_on_as_if_it_had_never_stopped(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cache"))
    path = write_ntu60(tmp_path / "ntu60", per_class=6, classes=3)
    recipe = load_recipe(PUBLISHED / "ntu60-xsub.toml", [f'data.paths=["{path}"]', *SMALL])
    train(recipe, tmp_path / "whole")
    train(recipe, tmp_path / "stopped", until=2)
    train(recipe, tmp_path / "stopped", resume=True)
    ours, theirs = (torch.load(tmp_path / run / LAST, weights_only=True)["state_dict"] for run in ("stopped", "whole"))
    assert [name for name in theirs if not torch.equal(ours[name], theirs[name])] == []
    run = load_run(tmp_path / "whole")
    assert len(run.labels) == 3
    assert set(run.about["best"]["held_out"]) == {"accuracy", "class_accuracy", "score"}
    with pytest.raises(AssertionError):  # pairs are what the network was made for, and it takes nothing else
        run.network(torch.zeros(1, 16, 25, 4))
