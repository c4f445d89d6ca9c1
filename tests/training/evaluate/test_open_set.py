import numpy as np
import pytest

from gallery.calibration import Calibration, Row
from tests.training.evaluate.test_scoring import casia_b_set, perfect, tables_of
from training.evaluate.open_set import OpenSet

PRIOR = Calibration(
    id="x",
    made_on="nothing",
    subjects=10,
    table=(Row(subjects=1, fpir=0.05, threshold=0.5), Row(subjects=10, fpir=0.05, threshold=0.5)),
)


def test_a_perfect_encoder_makes_neither_error():
    data = casia_b_set(6)
    table = tables_of(data, perfect(data))[0]
    content = table.open_set.to_json(len(table.probes), PRIOR)
    assert content["subjects_enrolled"] == 3
    assert content["fnir_at_fpir"] == {"0.05": 0.0, "0.1": 0.0}
    assert (content["at_the_prior"]["fpir"], content["at_the_prior"]["fnir"]) == (0.0, 0.0)


def test_everybody_is_a_stranger_once_and_enrolled_once_in_every_cell():
    data = casia_b_set(5)
    table = tables_of(data, perfect(data))[0]
    searches = 110 * 5 * 2
    assert len(table.open_set.mated) == len(table.open_set.nonmated) == searches


def test_an_encoder_that_takes_everybody_for_everybody_errs_as_often_as_it_can():
    scores = np.full((4, 4), 0.9)
    names = np.array(["a", "b", "c", "d"])
    open_set = OpenSet.of(scores, names, names, 4)
    content = open_set.to_json(10_000, PRIOR)
    assert content["at_the_prior"]["fpir"] == 1.0
    assert content["fnir_at_fpir"]["0.01"] == 1.0


def test_rates_that_so_few_searches_cannot_show_are_not_given():
    open_set = OpenSet.of(np.eye(2), np.array(["a", "b"]), np.array(["a", "b"]), 2)
    assert list(open_set.to_json(40, None)["fnir_at_fpir"]) == ["0.1"]
    assert "at_the_prior" not in open_set.to_json(40, None)


@pytest.mark.parametrize("names", [["a"], ["a", "b", "c"]])
def test_halves_of_an_odd_number_and_of_one(names):
    names = np.array(names)
    open_set = OpenSet.of(np.eye(len(names)), names, names, len(names))
    assert len(open_set.mated) == len(names)
    assert len(open_set.nonmated) == (len(names) if len(names) > 1 else 0)
    assert (OpenSet.joined([open_set]) is None) == (len(names) == 1)
