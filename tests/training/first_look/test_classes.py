import numpy as np
import pytest

from tests.training.first_look.bodies import CLASSES, LABELS, in_image, seen_in
from tests.training.first_look.test_values import only
from training.first_look import classes


def named(names, label):
    return seen_in(in_image(), names=names, data={"label": label})


@pytest.mark.parametrize(
    ("names", "label", "looks_like"),
    [
        (("S01", "S02", "S03", "S04"), "action", "people"),
        (("subject1", "subject2", "subject3", "subject4"), "action", "people"),
        (("A001", "A002", "A003", "A004"), "subject", "actions"),
        (("bg-01", "cl-01", "nm-01", "nm-02"), "subject", "conditions"),
        (("000", "018", "036", "054"), "subject", "views"),
    ],
)
def test_class_names_that_are_another_label_are_told(names, label, looks_like):
    told = only(named(names, label))
    assert f'data.label is "{label}", but the 4 classes look like {looks_like}' in told
    assert names[0] in told


@pytest.mark.parametrize(
    ("names", "label"),
    [
        (("001", "002", "003", "004"), "subject"),
        (("000", "001", "002", "003"), "action"),
        (("S01", "S02", "S03", "S04"), "subject"),
        (("walk", "run", "sit", "stand"), "action"),
        (("A001", "A002", "A003", "A004"), "action"),
        (("front kick", "left", "side step", "back"), "action"),
    ],
)
def test_class_names_that_may_be_what_they_are_said_to_be_are_not(names, label):
    assert named(names, label).notices == ()


def test_classes_without_recordings_or_with_one_are_told():
    assert "1 of 4 classes have no recording to train on (003)" in only(
        seen_in(in_image(), counts=np.array([4, 4, 0, 4]))
    )
    assert "1 of 4 classes have a single recording (002)" in only(seen_in(in_image(), counts=np.array([4, 1, 4, 4])))
    assert "every class has one recording" in only(seen_in(in_image(), counts=np.ones(CLASSES, np.int64)))


def test_uneven_classes_are_told_where_the_sampler_does_not_even_them():
    counts = np.array([4, 100, 50, 50])
    assert "from 4 to 100 recordings" in only(seen_in(in_image(), counts=counts, sampler={"kind": "plain"}))
    assert seen_in(in_image(), counts=counts).notices == ()


def test_a_batch_of_one_class_is_told_as_the_sampler_to_blame():
    told = only(seen_in(in_image(), np.zeros_like(LABELS)))
    assert "holds the class '001' only" in told


def test_a_batch_without_positives_is_told_where_the_memory_is_hardly_larger():
    names = tuple(f"{i:03d}" for i in range(12))
    assert "no class comes twice" in only(seen_in(in_image(), np.arange(12), names))


def test_families_that_hold_every_class_are_told():
    recipe_names = ("001", "002")
    told = only(seen_in(in_image(), LABELS % 2, recipe_names))
    assert "2 classes with loss.inter.neighbours = 2" in told


def test_views_are_numbers_far_apart():
    assert classes._are_views(("000", "090"))
    assert not classes._are_views(("001", "002"))
