import numpy as np
import pytest

from gallery.trials import NEVER, Labelled, Trials
from model.clips import unit_length
from model.errors import InvalidDataSet

ROWS = unit_length(np.random.default_rng(0).standard_normal((12, 6)).astype(np.float32))
SUBJECTS = ["ann"] * 2 + ["bob"] * 4 + ["eve"] * 6
ALL = np.arange(12)


@pytest.mark.parametrize("best", [1, 2, 3, 5])
def test_a_subject_scores_as_the_mean_of_its_best_templates_or_of_as_many_as_it_has(best: int) -> None:
    trials = Trials.of(Labelled.of(ROWS, SUBJECTS), ALL, ALL, best)
    exact = (ROWS @ ROWS.T).astype(np.float64)
    for probe in range(12):
        for column, name in enumerate(("ann", "bob", "eve")):
            theirs = [exact[probe, i] for i in range(12) if SUBJECTS[i] == name and i != probe]
            expected = np.mean(sorted(theirs)[-best:])
            if SUBJECTS[probe] == name:
                assert trials.others[probe, column] == NEVER
                assert trials.own[probe] == pytest.approx(expected, abs=1e-6)
            else:
                assert trials.others[probe, column] == pytest.approx(expected, abs=1e-6)


def test_templates_of_one_session_never_face_each_other() -> None:
    sessions = ["a", "a", *"bbcc", *"ddddde"]
    trials = Trials.of(Labelled.of(ROWS, SUBJECTS, sessions), ALL, ALL)
    assert np.isnan(trials.own[:2]).all()
    assert trials.own[2] == pytest.approx((ROWS[2] @ ROWS[4:6].T).max(), abs=1e-6)
    assert trials.own[6] == pytest.approx(ROWS[6] @ ROWS[11], abs=1e-6)


def test_whoever_scores_as_high_as_the_own_subject_is_ahead() -> None:
    rows = np.eye(4, dtype=np.float32)[[0, 0, 0, 1, 2]]
    trials = Trials.of(Labelled.of(rows, ["ann", "ann", "bob", "eve", "kim"]), np.arange(5), np.arange(5))
    assert trials.ahead[:2].tolist() == [1, 1]


def test_several_cameras_on_one_walk_are_one_search() -> None:
    assert Labelled.of(ROWS, SUBJECTS).searches == 12
    assert Labelled.of(ROWS, SUBJECTS, ["a", "a", *"bbcc", *"ddddde"]).searches == 5


def test_two_people_are_too_few_to_have_strangers() -> None:
    with pytest.raises(InvalidDataSet, match="at least 3"):
        Labelled.of(ROWS, ["ann"] * 6 + ["bob"] * 6)
    with pytest.raises(InvalidDataSet, match="equally many"):
        Labelled.of(ROWS, SUBJECTS[1:])
