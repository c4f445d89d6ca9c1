from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from model.errors import InvalidDataSet
from tests.training.evaluate.given import given, random_result
from training.evaluate.ensemble import ENSEMBLES, WEIGHTS, ensemble, published


def test_the_mean_is_of_probabilities_by_weight():
    joints, motions = given([1], [[0.75, 0.25]]), given([1], [[0.125, 0.875]])
    mean = ensemble([joints, motions], [2, 1])
    assert mean.probabilities[0].tolist() == pytest.approx([(2 * 0.75 + 0.125) / 3, (2 * 0.25 + 0.875) / 3])
    assert mean.accuracy == 0.0
    assert ensemble([joints, motions], [1, 2]).accuracy == 1.0


def test_members_may_have_their_recordings_in_another_order():
    rng = np.random.default_rng(1)
    one, two = random_result(rng), random_result(rng)
    two = replace(two, true=one.true)
    order = rng.permutation(len(one.true))
    shuffled = replace(
        two, names=two.names[order], true=two.true[order], probabilities=two.probabilities[order],
        groups=two.groups[order], subject=two.subject[order],
    )  # fmt: skip
    assert (ensemble([one, shuffled], [1, 3]).probabilities == ensemble([one, two], [1, 3]).probabilities).all()
    assert (ensemble([one, shuffled], [1, 3]).names == one.names).all()


@settings(max_examples=30, deadline=None)
@for_all(st.integers(0, 10_000), st.lists(st.floats(0.1, 10), min_size=1, max_size=5))
def test_only_ratios_of_weights_matter_and_equal_members_change_nothing(seed, weights):
    result = random_result(np.random.default_rng(seed))
    same = ensemble([result] * len(weights), weights)
    assert same.probabilities == pytest.approx(result.probabilities, abs=1e-6)
    doubled = ensemble([result] * len(weights), [2 * weight for weight in weights])
    assert doubled.probabilities == pytest.approx(same.probabilities, abs=1e-6)


def test_members_that_do_not_fit_are_refused():
    one = given([0, 1], np.eye(2))
    with pytest.raises(InvalidDataSet, match="other classes than the first"):
        ensemble([one, given([0, 1], np.eye(2), labels=("c1", "c0"))], [1, 1])
    with pytest.raises(InvalidDataSet, match="other recordings; 2 differ"):
        ensemble([one, given([0, 1], np.eye(2), names=("r0", "r9"))], [1, 1])
    with pytest.raises(InvalidDataSet, match="other recordings; 1 differ"):
        ensemble([one, given([0], np.eye(2)[:1])], [1, 1])
    with pytest.raises(InvalidDataSet, match="other classes for the same recordings"):
        ensemble([one, given([1, 1], np.eye(2))], [1, 1])
    with pytest.raises(InvalidDataSet, match="same name"):
        ensemble([given([0, 1], np.eye(2), names=("r0", "r0"))] * 2, [1, 1])


@pytest.mark.parametrize("weights", [[1], [1, 0], [1, -1], [1, float("nan")]])
def test_weights_are_as_many_and_above_zero(weights):
    with pytest.raises(InvalidDataSet, match="weights"):
        ensemble([given([0], [[1.0, 0.0]])] * 2, weights)


def test_the_published_ensembles_have_the_published_weights():
    assert {name: [WEIGHTS[stream] for stream in members] for name, members in ENSEMBLES.items()} == {
        "2-stream": [2, 2],
        "4-stream": [2, 2, 1, 1],
        "6-stream": [2, 2, 2, 1, 1, 1],
    }


def test_an_ensemble_is_made_where_all_its_streams_are_there():
    rng = np.random.default_rng(5)
    first = random_result(rng)
    streams = {name: replace(random_result(rng), true=first.true) for name in ("j", "b", "jm", "bm")}
    found = published(streams)
    assert set(found) == {"2-stream", "4-stream"}
    by_hand = sum(w * streams[s].probabilities for s, w in zip(("j", "b", "jm", "bm"), (2, 2, 1, 1), strict=True)) / 6
    assert found["4-stream"].probabilities == pytest.approx(by_hand, abs=1e-6)
