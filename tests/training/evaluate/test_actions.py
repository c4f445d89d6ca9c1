import numpy as np
import pytest

from model.errors import InvalidDataSet
from tests.fakes import FakeClassifier
from tests.recordings import recording
from tests.training.evaluate.planted import PerfectClassifier, actions
from training.evaluate.actions import ActionProtocol, evaluate_actions, open_actions


def test_a_perfect_classifier_scores_exactly_one():
    result = evaluate_actions(PerfectClassifier(), actions())
    assert result.accuracy == result.mean_by_class == 1.0
    assert result.by_class() == {"walk": (1.0, 6, 3), "run": (1.0, 6, 3)}
    assert result.confusion.tolist() == [[6, 0], [0, 6]]


def test_one_that_always_says_the_same_is_right_as_often_as_that_is_true():
    result = evaluate_actions(FakeClassifier(), actions())
    assert result.accuracy == 0.5
    assert result.confusion.tolist() == [[6, 0], [6, 0]]


def test_labels_that_the_classifier_does_not_know_are_left_out_and_counted():
    result = evaluate_actions(PerfectClassifier(), actions(("walk", "run", "swim")))
    assert result.unknown == {"swim": 6}
    assert len(result.true) == 12
    with pytest.raises(InvalidDataSet, match="knows none of its labels"):
        evaluate_actions(PerfectClassifier(("dance", "sing")), actions())


def test_the_results_say_how_many_people_each_class_rests_on():
    content = evaluate_actions(PerfectClassifier(), actions()).to_json()
    assert content["classes"]["run"] == {"accuracy": 1.0, "sequences": 6, "people": 3}
    assert content["interval_95"] == [1.0, 1.0]
    assert content["people"] == 3


def test_a_set_may_name_its_test_part(tmp_path):
    actions().save_npz(tmp_path / "a.npz")
    assert len(open_actions(tmp_path / "a.npz", ActionProtocol.ALL)) == 12
    assert np.unique(open_actions(tmp_path / "a.npz", ActionProtocol.TEST_PART).subject).tolist() == ["000"]


def test_people_of_a_published_split_are_tested():
    data = open_actions(recording("utd_mhad.npz"), ActionProtocol.UTD_MHAD)
    assert np.unique(data.subject).tolist() == ["002", "004", "006", "008"]


def test_a_set_without_actions_is_refused(tmp_path):
    data = actions()
    data.action[:] = ""
    data.save_npz(tmp_path / "a.npz")
    with pytest.raises(InvalidDataSet, match="no labelled actions"):
        open_actions(tmp_path / "a.npz", ActionProtocol.ALL)
