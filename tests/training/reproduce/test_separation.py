import numpy as np
import pytest

from training.reproduce.separation import PAPER_CLASSES, chosen_classes, embedded, scatters_of, separation


def clouds(apart, each=12, seed=0):
    """Three classes whose centres are that far apart, in eight dimensions."""
    rng = np.random.default_rng(seed)
    classes = np.repeat([0, 1, 2], each)
    return (apart * np.eye(8)[classes] + rng.normal(size=(3 * each, 8))).astype(np.float32), classes


def test_classes_that_lie_apart_are_drawn_apart():
    features, classes = clouds(40)
    points = embedded(features, None, seed=0)
    centre = np.stack([points[classes == number].mean(axis=0) for number in range(3)])
    nearest = np.linalg.norm(points[:, None] - centre, axis=2).argmin(axis=1)
    assert (nearest == classes).all()


def test_epochs_come_in_order_and_separation_rises_with_the_distance():
    near, classes = clouds(1)
    far, _ = clouds(20)
    scatters = scatters_of({10: far, 2: near}, classes)
    assert [scatter.epoch for scatter in scatters] == [2, 10]
    assert scatters[0].separation < 0.3 < 0.7 < scatters[1].separation


def test_the_same_features_give_the_same_picture():
    features, classes = clouds(5)
    first, second = (scatters_of({1: features, 2: features}, classes) for _ in range(2))
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.points, other.points)


def test_a_panel_begins_where_the_one_before_ended():
    features, _ = clouds(40)
    first = embedded(features, None, seed=0)
    followed = embedded(features, first, seed=0)
    turned = embedded(features, -first, seed=0)
    # The same features from mirrored places end on mirrored sides.
    assert np.sign(followed[:, 0] - followed[:, 0].mean()) @ np.sign(turned[:, 0] - turned[:, 0].mean()) < 0


@pytest.mark.parametrize("count", [3, 5])
def test_equal_features_and_few_of_them_can_be_drawn(count):
    points = embedded(np.ones((count, 4), np.float32), None, seed=0)
    assert np.isfinite(points).all()


def test_one_class_alone_is_not_separated():
    features, _ = clouds(1)
    assert separation(features, np.zeros(len(features), int)) == 0
    assert separation(features[:3], np.arange(3)) == 0


def test_the_papers_classes_are_taken_where_all_are_there():
    labels = [f"A{i:03d} {label}" for i, label in enumerate((*PAPER_CLASSES, "running"))]
    assert chosen_classes(labels, np.zeros((6, 6))) == tuple(labels[:5])


def test_a_class_that_was_not_tested_is_not_chosen_before_others():
    counts = np.diag([9.0, 9, 9, 0, 9, 9])
    counts[0, 3] = 9
    counts[1, 2] = 2
    assert chosen_classes(list("abcdef"), counts)[:2] == ("b", "c")
    assert "d" not in chosen_classes(list("abcdef"), counts)
