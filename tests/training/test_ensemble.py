import pytest

from model.errors import InvalidRecipe, InvalidRequest
from tests.training.random_runs import random_recipe, random_run
from training.ensemble import Ensemble, default_weights

SIX = ("joint", "bone", "k-bone", "motion", "bone-motion", "k-bone-motion")


@pytest.fixture
def runs(tmp_path):
    def make(*streams, **recipe):
        return [
            random_run(tmp_path / str(i), random_recipe(network={"streams": each}, **recipe))
            for i, each in enumerate(streams)
        ]

    return make


def test_a_run_alone_is_an_ensemble_of_one(runs):
    (run,) = runs(["joint"])
    alone = Ensemble.of(run)
    assert (alone.runs, alone.task, alone.dim, alone.labels) == ((run,), "encoder", 8, ("a", "b", "c"))


@pytest.mark.parametrize(
    ("streams", "weights"),
    [
        ([[name] for name in SIX], (2, 2, 2, 1, 1, 1)),
        ([["bone"], ["joint"]], (2, 2)),
        ([["joint"], ["bone"], ["motion"], ["bone-motion"]], (2, 2, 1, 1)),
        ([["joint"], ["joint"]], (1, 1)),
        ([["joint", "bone"], ["motion"]], (1, 1)),
        ([["joint"], ["angle"]], (1, 1)),
    ],
)
def test_the_published_weights_hold_where_the_streams_are_the_published_ones(runs, streams, weights):
    assert default_weights(runs(*streams)) == weights


@pytest.mark.parametrize(
    ("weights", "said"),
    [
        ((1.0,), "2 runs need as many weights, got 1"),
        ((1.0, 1.0, 1.0), "2 runs need as many weights, got 3"),
        ((1.0, 0.0), "above 0, got 1, 0"),
        ((1.0, -1.0), "above 0"),
        ((1.0, float("nan")), "above 0, got 1, nan"),
        ((1.0, float("inf")), "above 0"),
    ],
)
def test_weights_that_are_none_are_refused(runs, weights, said):
    with pytest.raises(InvalidRequest, match=said):
        Ensemble.of(runs(["joint"], ["bone"]), weights)


@pytest.mark.parametrize(
    ("recipe", "labels", "said"),
    [
        ({"clip": {"frames": 24}}, "abc", r"clip\.frames 24, .* 16: they see different clips"),
        ({"clip": {"fps": 30}}, "abc", r"clip\.fps 30"),
        ({"label": "action"}, "abc", "label action"),
        ({"network": {"layout": "openpose-18"}}, "abc", "layout openpose-18, .* coco-17"),
        ({"people": 2}, "abc", r"clip\.people 2"),
        ({}, "abd", "number 2: 'd', not 'c'"),
        ({"classes": 4}, "abcd", "4 and not 3 names"),
    ],
)
def test_runs_that_do_not_fit_are_refused_and_told_apart(tmp_path, recipe, labels, said):
    first = random_run(tmp_path / "first", random_recipe())
    other = random_run(tmp_path / "other", random_recipe(**recipe), labels=tuple(labels))
    with pytest.raises(InvalidRequest, match=said) as refused:
        Ensemble.of([first, other])
    assert str(tmp_path / "other") in str(refused.value)


def test_a_run_counts_once(runs):
    (run,) = runs(["joint"])
    with pytest.raises(InvalidRequest, match="there twice"):
        Ensemble.of([run, run])


def test_nothing_is_no_ensemble():
    with pytest.raises(InvalidRequest, match="at least one run"):
        Ensemble.of([])


def test_a_directory_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(InvalidRecipe, match="is not the directory of a trained run"):
        Ensemble.load([tmp_path])
