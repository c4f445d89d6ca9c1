import numpy as np
import pytest

from model.named_layouts import layout_named
from tests.fakes import walking
from tests.training.random_runs import random_recipe, random_run
from training.data.arrays import SequenceSet
from training.data.open import open_set
from training.reproduce.fitted import as_recordings, at_most, parameters, train_accuracy
from training.run import load_run


def counted(tmp_path, **sections):
    recipe = random_recipe("action", **sections)
    return parameters(random_run(tmp_path, recipe))


def test_a_projection_that_no_loss_sees_is_not_counted(tmp_path):
    """As Table VIII has it: the baseline is smaller by the projection."""
    off = {"inter": {"enabled": False}, "intra": {"enabled": False}}
    baseline = counted(tmp_path / "baseline", loss=off)
    full = counted(tmp_path / "full")
    graph = counted(tmp_path / "graph", loss={"feature": "graph"})
    both = counted(tmp_path / "both", loss={"feature": "both"})
    network = load_run(tmp_path / "full").network
    parts = (network.project_pooled, network.project_graph)
    pooled, relations = (sum(weight.numel() for weight in part.parameters()) for part in parts)
    assert full - baseline == pooled
    assert graph - baseline == relations
    assert both - baseline == pooled + relations
    assert both == sum(weight.numel() for weight in network.parameters())


def test_one_of_the_two_losses_is_enough_to_train_it(tmp_path):
    full = counted(tmp_path / "full")
    assert counted(tmp_path / "intra", loss={"inter": {"enabled": False}}) == full
    assert counted(tmp_path / "inter", loss={"intra": {"enabled": False}}) == full


@pytest.fixture
def recordings(tmp_path):
    """Twelve walks: of 001 and 002 called a, of 003 and 004 called b."""
    walks = [walking(i % 4, 30, seed=i) for i in range(12)]
    data = SequenceSet.of_sequences(
        walks, subject=[f"{i % 4 + 1:03d}" for i in range(12)], action=["ab"[i % 4 // 2] for i in range(12)]
    )
    data.save_npz(tmp_path / "set.npz")
    return tmp_path / "set.npz"


class Counting:
    """Says "a" of everything, and counts what it is asked."""

    fingerprint = "counting"

    def __init__(self, recipe, layout, labels=("a", "b")):
        self.clip, self.layout, self.labels, self.asked = recipe.clip, layout, labels, 0

    def probabilities(self, clips):
        self.asked += len(clips)
        return np.tile(np.eye(len(self.labels), dtype=np.float32)[0], (len(clips), 1))


def told(recipe, **more):
    classifier = Counting(recipe, layout_named(recipe.network.layout), **more)
    seen = []

    def progress(count):
        seen.append(count)
        return lambda _: None

    return train_accuracy(classifier, recipe, progress=progress), seen[0]


def test_what_was_held_out_is_no_part_of_what_was_trained(recordings):
    recipe = random_recipe("action", data={"paths": [str(recordings)]})
    assert told(recipe) == (0.5, 12)
    held_out = random_recipe("action", data={"paths": [str(recordings)], "validation": {"subject": ["004"]}})
    assert told(held_out) == (pytest.approx(6 / 9), 9)
    chosen_by_test = random_recipe(
        "action", data={"paths": [str(recordings)], "validation": {"subject": ["004"]}}, validation={"on": "test"}
    )
    assert told(chosen_by_test) == (0.5, 12)


def test_a_smaller_dose_is_asked_of_what_it_trained(recordings):
    assert told(random_recipe("action", data={"paths": [str(recordings)], "limit": 4}))[1] == 4


def test_people_are_classes_where_people_are_learned(recordings):
    recipe = random_recipe("subject", data={"paths": [str(recordings)]})
    assert told(recipe, labels=("001", "002", "003", "004")) == (0.25, 12)


def test_at_most_so_many_recordings_are_spread_over_all(recordings):
    data = as_recordings(open_set(recordings))
    assert at_most(data, 99) is data
    assert at_most(data, 3).subject.tolist() == [data.subject[i] for i in (0, 6, 11)]
