"""Small runs, and what came of them."""

import io

import torch
from rich.console import Console

from tests.training.small import small_set
from training.fit import fit
from training.split import split


def data_of(recipe):
    return split(small_set(), recipe)


def train(out, recipe, data=None, **options):
    said = io.StringIO()
    fit(recipe, out, data=data or data_of(recipe), console=Console(file=said, width=200), **options)
    return said.getvalue()


def states(out):
    return torch.load(out / "checkpoints/last.ckpt", weights_only=True)["state_dict"]


def differing(ours, theirs):
    assert ours.keys() == theirs.keys()
    return [name for name in ours if not torch.equal(ours[name], theirs[name])]
