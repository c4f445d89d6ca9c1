"""What is drawn, read back from the picture's own objects."""

import numpy as np
import pytest

from model.named_layouts import layout_named
from training.reproduce.page import png
from training.reproduce.pictures_classes import (
    Change,
    Level,
    Occluded,
    confusion_picture,
    differences_picture,
    levels_picture,
    occlusion_picture,
)
from training.reproduce.pictures_families import MOST_MEMBERS, Member, families_picture, family_picture
from training.reproduce.pictures_identity import Views, cmc_picture, views_picture
from training.reproduce.pictures_sweeps import Point, Sweep, sweeps_picture
from training.reproduce.pictures_tsne import Scatter, tsne_picture
from training.reproduce.skeletons import Pose, spread_weights

NTU = layout_named("ntu-25")


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def drawn(figure):
    """Draws it, which is where matplotlib finds what it cannot lay out."""
    assert png(figure).startswith(b"\x89PNG")
    return figure


@pytest.mark.parametrize("classes", [2, 130])
def test_a_confusion_matrix_of_any_size_can_be_drawn(classes):
    figure = drawn(confusion_picture(np.eye(classes), [f"class {i}" for i in range(classes)], "title", "caption"))
    written = [text for text in texts(figure) if text]
    assert len(written) == (classes if classes <= 20 else 0)
    assert len(figure.axes[0].get_yticks()) <= 70


@pytest.mark.parametrize("title", ["short", "a long title " * 12])
def test_a_title_stays_within_the_picture(title):
    figure = drawn(confusion_picture(np.eye(2), ["a", "b"], title, "caption"))
    box = figure._suptitle.get_window_extent()
    assert box.x0 >= 0
    assert box.x1 <= figure.bbox.x1


def test_labels_are_words_even_where_they_look_like_formulas():
    drawn(confusion_picture(np.eye(2), ["$\\nothing$", "a $ b $ c"], "title", "caption"))
    drawn(differences_picture([Change("$\\nothing$", 1.0)], "title", "caption"))
    drawn(family_picture(Member("$\\nothing$", None), [Member("a $_$", None)], "title", "caption"))


def test_the_best_and_the_worst_of_many_classes_are_shown_and_the_others_counted():
    changes = [Change(f"{i:03d}", float(i)) for i in range(-60, 60)]
    figure = drawn(differences_picture(changes, "title", "caption"))
    widths = [bar.get_width() for bar in figure.axes[0].patches]
    assert widths == [*range(59, 29, -1), *range(-31, -61, -1)]
    assert "… 60 classes in between" in texts(figure)


def test_gains_and_losses_have_colours_of_their_own_and_are_counted():
    figure = drawn(differences_picture([Change("a", 2.0, 0.5), Change("b", -1.0, 0.1)], "title", "caption"))
    colours = {tuple(bar.get_facecolor()) for bar in figure.axes[0].patches}
    assert len(colours) == 2
    assert figure.axes[0].get_xlabel().endswith("1 class gains, 1 loses")


def test_levels_show_the_gain_of_each_and_the_papers_where_it_has_them():
    levels = [Level("class 1-5", 68.0, 71.5, paper=(68.9, 72.0)), Level("class 6-9", 90.0, 89.0)]
    figure = drawn(levels_picture(levels, ("baseline", "full"), "title", "caption"))
    assert texts(figure) == ["+3.5", "-1.0"]
    assert [list(line.get_ydata()) for line in figure.axes[0].lines] == [[68.9], [72.0]]


def test_a_part_that_a_model_was_not_tested_without_has_no_bar():
    models = [Occluded("baseline", {"none": 80.0}, {}), Occluded("full", {"none": 81.0, "trunk": 60.0}, {})]
    figure = drawn(occlusion_picture(models, {}, "title", "caption"))
    assert texts(figure) == ["80.0", "81.0", "60.0"]


def test_sweeps_mark_the_papers_choice_and_the_best():
    points = tuple(Point(value, mean, 0.1, 3) for value, mean in ((8, 90.0), (2, 91.5), (4, 91.0)))
    figure = drawn(sweeps_picture([Sweep("$n_a$", "overlap", 4, points), Sweep("e", "margin", 0.1, ())], "t", "c"))
    first, second = figure.axes[:2]
    assert [label.get_text() for label in first.get_xticklabels()] == ["2", "4", "8"]
    assert [text.get_text() for text in first.texts] == ["91.5"]
    dashed = next(line for line in first.lines if line.get_linestyle() == "--")
    assert dashed.get_xdata()[0] == 1
    assert [text.get_text() for text in second.texts] == ["not run"]


def test_sweeps_of_nothing_can_be_drawn():
    drawn(sweeps_picture([Sweep("a", "b", 1, ())], "title", "caption"))


def test_all_views_share_one_scale_and_leave_out_what_is_not_compared():
    some = [Views(name, ("0", "90"), ("0", "90"), np.array([[np.nan, 40.0], [60.0, np.nan]]), 50.0) for name in "ab"]
    figure = drawn(views_picture(some, "title", "caption"))
    assert {image.get_clim() for axes in figure.axes[:2] for image in axes.images} == {(0, 100)}
    assert texts(figure)[:4] == ["40", "60", "40", "60"]


def test_a_curve_names_its_rank_1():
    figure = drawn(cmc_picture({"N-N": [0.825, 0.9], "perfect": [1.0, 1.0]}, "title", "caption", "windows"))
    assert figure.axes[0].get_legend_handles_labels()[1] == ["N-N (82.5)", "perfect (100.0)"]


def pose(seen=None):
    joints = np.random.default_rng(1).normal(size=(25, 2))
    return Pose(NTU, joints, np.ones(25, bool) if seen is None else seen, np.linspace(0, 1, 25))


def test_a_family_is_drawn_by_similarity_and_who_is_left_out_is_counted():
    members = [Member(f"class {i}", pose(), similarity=0.1 + i / 20, direct=i % 2 == 0) for i in range(15)]
    figure = drawn(family_picture(Member("anchor", pose()), members, "title", "caption."))
    named = [text.split("\n")[0] for text in texts(figure)]
    assert named == [*(f"class {i}" for i in range(14, 14 - MOST_MEMBERS, -1)), "anchor"]
    assert "Not drawn: 3 of less similarity" in figure.get_supxlabel().replace("\n", " ")


def test_the_more_alike_the_thicker_the_line():
    members = [Member("near", pose(), 0.9), Member("far", pose(), 0.3)]
    figure = family_picture(Member("anchor", pose()), members, "title", "caption")
    near, far = (line.get_linewidth() for line in figure.axes[0].lines)
    assert near > 1.5 * far


def test_a_family_without_members_or_recordings_can_be_drawn():
    nobody = np.zeros(25, bool)
    drawn(family_picture(Member("alone", None), [], "title", "caption"))
    drawn(family_picture(Member("unseen", pose(nobody)), [Member("other", None)], "title", "caption"))


def test_a_pose_keeps_its_proportions():
    tall = Pose(NTU, np.stack([np.linspace(0, 1, 25), np.linspace(0, 4, 25)], 1), np.ones(25, bool), np.zeros(25))
    at = tall.fitted((1.0, 2.0), side=2.0)
    np.testing.assert_allclose(np.ptp(at, axis=0), [0.5, 2.0])
    np.testing.assert_allclose((at.min(0) + at.max(0)) / 2, [1.0, 2.0])


def test_a_joint_that_was_not_seen_is_neither_drawn_nor_measured():
    seen = np.ones(25, bool)
    seen[7] = False
    joints = np.random.default_rng(2).normal(size=(25, 2))
    joints[7] = 1e6
    at = Pose(NTU, joints, seen, np.zeros(25)).fitted((0, 0), 1.0)
    assert np.abs(at[seen]).max() <= 0.5 + 1e-9


def test_equal_weights_are_all_in_the_middle():
    assert spread_weights(np.full(4, 3.0)).tolist() == [0.5] * 4


@pytest.mark.parametrize("classes", [1, 2, 160])
def test_all_families_can_be_drawn_of_any_number_of_classes(classes):
    similarity = np.triu(np.random.default_rng(0).random((classes, classes)), 1)
    figure = drawn(families_picture([f"c{i}" for i in range(classes)], similarity > 0.98, similarity, "t", "c"))
    assert len(figure.axes[0].texts) == (classes if classes <= 150 else 0)


def test_classes_alike_stand_beside_each_other():
    similarity = np.zeros((6, 6))
    similarity[0, 3] = similarity[3, 0] = similarity[1, 5] = similarity[5, 1] = 1.0
    figure = families_picture(list("abcdef"), similarity > 0, similarity, "title", "caption")
    place = np.asarray(figure.axes[0].collections[0].get_offsets())
    for i, j in ((0, 3), (1, 5)):
        others = [np.hypot(*(place[i] - place[k])) for k in range(6) if k != i]
        assert np.hypot(*(place[i] - place[j])) == pytest.approx(min(others))
    assert len(figure.axes[0].patches) == 2


def test_epochs_have_a_panel_each_and_one_legend():
    classes = np.repeat([0, 1], 5)
    points = np.random.default_rng(0).normal(size=(10, 2))
    scatters = [Scatter(epoch, points, classes, 0.25) for epoch in (10, 50, 150)]
    figure = drawn(tsne_picture(scatters, ["reading", "writing"], "title", "caption"))
    assert [axes.get_title(loc="left") for axes in figure.axes if axes.get_visible()] == [
        "(a) epoch 10, separation 0.25", "(b) epoch 50, separation 0.25", "(c) epoch 150, separation 0.25",
    ]  # fmt: skip
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["reading", "writing"]
