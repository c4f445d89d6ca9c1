from pathlib import Path

import pytest

from tests.training import shapes
from training.data.load import load
from training.evaluate.seen import seen_in_training
from training.protocols.actions import ActionProtocol, chosen


@pytest.fixture(scope="module")
def kard(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kard")
    path = shapes.write_recording(folder, "kard")
    return path, load(path, cache=folder / "cache")


def seen(kard, about, protocol=ActionProtocol.ALL, path=None):
    place, loaded = kard
    return seen_in_training({"recipe": {"data": about}}, loaded, chosen(loaded, protocol), path or place)


def test_a_split_of_the_same_kind_counts_wherever_the_files_lie(kard):
    about = {"kind": "kard", "split": "xsub_train", "paths": ["/elsewhere/other.npz"]}
    assert seen(kard, about) == 16
    assert seen(kard, about, ActionProtocol.KARD) == 0
    assert seen(kard, {**about, "split": "xsub_test"}, ActionProtocol.KARD) == 16


def test_labels_that_were_kept_count_in_a_file_of_the_same_name(kard):
    about = {"paths": ["recordings/kard.npz"], "keep": {"subject": ["001-002"]}}
    assert seen(kard, about) == 16
    assert seen(kard, about, ActionProtocol.KARD) == 8
    assert seen(kard, about, path=Path("another.npz")) == 0


def test_a_recipe_that_keeps_everything_had_everything(kard):
    assert seen(kard, {"paths": ["kard.npz"]}) == 32


def test_what_any_network_of_an_ensemble_was_made_from_counts(kard):
    path, loaded = kard
    each = [{"recipe": {"data": {"kind": "kard", "split": split}}} for split in ("xsub_train", "xsub_test")]
    whole = chosen(loaded, ActionProtocol.ALL)
    assert seen_in_training({"members": each}, loaded, whole, path) == 32
    assert seen_in_training({"members": each[:1]}, loaded, whole, path) == 16


@pytest.mark.parametrize(
    "trained",
    [
        {},
        {"members": None},
        {"members": [None]},
        {"recipe": None},
        {"recipe": {"data": {}}},
        {"recipe": {"data": {"kind": "kard", "split": "none of its"}}},
    ],
)
def test_a_manifest_that_does_not_say_counts_nothing(kard, trained):
    path, loaded = kard
    assert seen_in_training(trained, loaded, chosen(loaded, ActionProtocol.ALL), path) == 0
