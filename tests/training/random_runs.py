"""Directories of runs that nobody trained: small random networks in which every branch is at work."""

from pathlib import Path

import torch

from model.network.aclnet import AclNet
from training.recipe import Recipe
from training.run import Run, begin_run, load_run, read_about, save_weights, write_about


def random_recipe(label: str = "subject", *, classes: int = 3, people: int = 1, **sections: object) -> Recipe:
    """sections: keys over those of the small recipe that this is, as `network={"streams": ["bone"]}`."""
    values: dict[str, object] = {
        "name": "tiny",
        "data": {"paths": ["walkers.npz"], "label": label},
        "network": {"widths": [16, 16], "strides": [1, 2], "dim": 8, "classes": classes, "people": people},
        "clip": {"frames": 16, "minimum": 8, "stride": 8, "people": people},
    }
    for name, section in sections.items():
        before = values.get(name)
        values[name] = {**before, **section} if isinstance(before, dict) and isinstance(section, dict) else section
    return Recipe.model_validate(values)


def random_network(recipe: Recipe, seed: int = 3) -> AclNet:
    """The gates that start at 0 are open, and the statistics are not 0 and 1."""
    torch.manual_seed(seed)
    network = AclNet(recipe.network).eval()
    for name, tensor in (*network.named_parameters(), *network.named_buffers()):
        if name.endswith(("alpha", "beta", "coefficient", "running_mean")):
            torch.nn.init.normal_(tensor, 0, 0.5)
        elif name.endswith("running_var"):
            torch.nn.init.uniform_(tensor, 0.5, 2)
    assert isinstance(network.head, torch.nn.Linear)
    network.head.weight.data.mul_(100)  # or all probabilities would be about the same
    return network


def random_run(path: Path, recipe: Recipe, *, labels: tuple[str, ...] = ("a", "b", "c"), seed: int = 3) -> Run:
    """A run's directory, as if it had been trained for five epochs."""
    begin_run(path, recipe, labels)
    save_weights(path, random_network(recipe, seed))
    write_about(path, read_about(path) | {"best": {"epoch": 4, "held_out": {"rank1_nm": 0.5}}})
    return load_run(path)
