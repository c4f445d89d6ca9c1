"""`gaitkeeper reproduce` on networks that are small enough to be trained by the dozen."""

import csv

import pytest

import gaitkeeper

SMALL = {
    "network.widths": "[8,16]",
    "network.strides": "[2,2]",
    "network.subsets": "4",
    "network.dim": "8",
    "clip.frames": "8",
    "clip.clips": "2",
    "sampler.classes": "4",
    "loss.intra.bank": "16",
    "optim.steps": "1",
    "threads": "1",
}
OWN = """
name = "mine"
[data]
paths = ["kard.npz"]
kind = "kard"
split = "xsub_train"
label = "action"
[test]
split = "xsub_test"
[network]
layout = "kard-15"
dims = 3
[clip]
fps = 30.0
minimum = 4
stride = 4
dims = 3
[augment]
mirror = 0.0
[sampler]
kind = "plain"
per_class = 4
[loss.inter]
neighbours = 2
overlap = 1
[optim]
epochs = 6
lr = 0.02
"""


def reproduce_by(capsys):
    """Runs `gaitkeeper reproduce ...`: (status, standard output, standard error)."""

    def run(*arguments):
        with pytest.raises(SystemExit) as end:
            gaitkeeper.main(["reproduce", *map(str, arguments)])
        return end.value.code or 0, *capsys.readouterr()

    return run


def small(**more):
    pairs = {**SMALL, **{key.replace("_", ".", 1): str(value) for key, value in more.items()}}
    return [part for key, value in pairs.items() for part in ("--set", f"{key}={value}")]


def cells(out, name):
    with (out / f"{name}.csv").open() as file:
        return {row["method"]: row for row in csv.DictReader(file)}
