import numpy as np
import pytest

from tests.training.reproduce import made_up
from training.reproduce.about import about
from training.reproduce.gain import gain
from training.reproduce.identity_pictures import mean_views
from training.reproduce.pictures_classes import Change
from training.reproduce.report_pictures import by_variant, class_changes, pictures_of


def names(*reports):
    return [picture.name for picture in pictures_of(reports)]


def axes_of(picture, number=0):
    return picture.figure.axes[number]


def test_the_full_models_confusion_is_drawn_where_there_are_several():
    reports = (made_up.actions({"reading": 0.1}, variant="baseline"), made_up.actions({"reading": 0.7}))
    picture = next(p for p in pictures_of(reports) if p.name.startswith("confusion"))
    assert "reading for writing (30 %)" in picture.caption


def test_confusions_of_all_seeds_are_added():
    picture = pictures_of((made_up.actions({"reading": 1.0}), made_up.actions({"reading": 0.6}, seed=2)))[0]
    shares = axes_of(picture).images[0].get_array()
    assert shares[0, 0] == pytest.approx(80)
    assert shares[0, 1] == pytest.approx(20)


def test_a_class_that_was_not_tested_is_left_blank():
    report = made_up.actions()
    report.figures["confusion"]["counts"][2] = [0, 0, 0, 0]
    shares = axes_of(pictures_of((report,))[0]).images[0].get_array()
    assert np.ma.getmaskarray(shares)[2].all()
    assert not np.ma.getmaskarray(shares)[[0, 1, 3]].any()


def test_differences_are_of_seeds_that_both_have():
    before = [made_up.actions({"reading": r}, seed=s, variant="baseline") for s, r in ((1, 0.5), (2, 0.6), (9, 0.0))]
    after = [made_up.actions({"reading": r}, seed=s) for s, r in ((2, 0.7), (1, 0.9))]
    changes = {change.label: change for change in class_changes(before, after)}
    assert changes["reading"].mean == pytest.approx((40 + 10) / 2)
    assert changes["reading"].sd == pytest.approx(np.std([40, 10], ddof=1))
    assert changes["writing"].mean == 0


def test_without_a_common_seed_there_is_no_difference():
    assert class_changes([made_up.actions(seed=1)], [made_up.actions(seed=2)]) == []
    assert names(made_up.actions(variant="baseline"), made_up.actions(seed=2))[1:] == ["confusion-ntu60-xsub"]


def test_levels_of_difficulty_are_those_of_the_baseline():
    before = made_up.actions({"reading": 0.5, "writing": 0.6, "clapping": 0.8, "jump up": 1.0}, variant="baseline")
    after = made_up.actions({"reading": 0.6, "writing": 0.6, "clapping": 0.7, "jump up": 1.0})
    picture = next(p for p in pictures_of((before, after)) if p.name.startswith("levels"))
    assert [text.get_text() for text in axes_of(picture).texts] == ["+10.0", "+0.0", "-5.0"]
    assert [label.get_text() for label in axes_of(picture).get_xticklabels()] == ["class 1", "class 2", "class 3-4"]
    assert not axes_of(picture).lines  # the paper's levels are of 60 classes


def test_differences_are_drawn_where_both_models_were_tested():
    drawn = pictures_of((made_up.actions(variant="baseline"), made_up.actions({"reading": 1.0, "jump up": 0.5})))
    bars = axes_of(next(p for p in drawn if p.name.startswith("differences"))).patches
    assert [bar.get_width() for bar in bars] == pytest.approx([10, 0, 0, -40])


def test_occlusion_is_drawn_with_the_papers_marks_on_the_papers_data_only():
    lost = {"left-arm": {"accuracy": 0.8}, "trunk": {"accuracy": 0.7}}
    for report, marked in (
        (made_up.actions(occlusion=lost), True),
        (made_up.actions(occlusion=lost, simulated=True), False),
        (made_up.actions(occlusion=lost, recipe="utd-mhad"), False),
    ):
        picture = pictures_of((report,))[-1]
        assert picture.name.startswith("occlusion-")
        said = axes_of(picture).get_legend_handles_labels()[1]
        assert ("the paper's ACLNet" in said) is marked
        assert [bar.get_width() for bar in axes_of(picture).patches] == pytest.approx([90, 80, 70])
        assert [label.get_text() for label in axes_of(picture).get_yticklabels()] == ["none", "left arm", "trunk"]


def test_views_are_the_mean_over_seeds_and_leave_out_what_is_not_compared():
    cells = [made_up.gait(nm=share).figures["cells"][0] for share in (0.8, 1.0)]
    views = mean_views(cells)
    assert views.rank1 == pytest.approx(90)
    np.testing.assert_allclose(views.per_cent, [[np.nan, 90], [90, np.nan]])


def test_gait_without_views_has_no_heat_map():
    report = made_up.gait()
    for cell in report.figures["cells"]:
        cell.update(gallery_views=["000"], probe_views=["000"], rank1=[[0.5]])
    assert names(report) == ["cmc-casia-b"]


def test_a_setting_where_nobody_can_be_found_has_no_curve():
    report = made_up.reid()
    report.figures["settings"][0]["cmc"] = [None, None]
    picture = pictures_of((report,))[0]
    said = axes_of(picture).get_legend_handles_labels()[1]
    assert len(said) == 4
    assert not any(name.startswith("N-N") for name in said)


def test_strict_figures_have_a_picture_of_their_own_where_there_are_any():
    assert names(made_up.reid(strict=False)) == ["cmc-published-casia-b-reid"]
    strict = pictures_of((made_up.reid(),))[1]
    first = axes_of(strict).lines[0].get_ydata()[0]
    assert first == pytest.approx(41)


def test_recipes_are_drawn_apart():
    assert names(made_up.actions(), made_up.actions(recipe="utd-mhad")) == [
        "confusion-ntu60-xsub",
        "confusion-utd-mhad",
    ]


def test_variants_stand_in_the_order_of_the_papers_table():
    reports = [made_up.actions(variant=name) for name in ("n_a=2", "full", "baseline", "dynamic", "inter")]
    assert list(by_variant(reports)) == ["baseline", "inter", "dynamic", "full", "n_a=2"]


def test_what_stands_below_says_data_seeds_and_marks():
    text = about([made_up.actions(simulated=True), made_up.actions(seed=2, selected_on="test")])
    assert text == "ntu60-xsub on ntu60_3danno.pkl, 2 seeds. Simulated data. Checkpoint chosen by the test set."


def test_differences_that_are_equal_stand_by_name():
    drawn = pictures_of((made_up.actions(variant="baseline"), made_up.actions()))
    labels = [text.get_text() for text in axes_of(drawn[2]).get_yticklabels()]
    assert labels == sorted(made_up.LABELS)
    assert Change("a", 1.0).sd == 0


def test_the_ablation_shows_every_seed_and_what_is_certain_of_the_difference():
    reports = [made_up.actions({"reading": 0.5}, variant="baseline", seed=seed) for seed in (1, 2, 3)]
    for seed, share in ((1, 0.9), (2, 0.7), (3, 1.0)):
        reports.append(made_up.actions({"reading": share}, seed=seed))
    picture = pictures_of(reports)[0]
    assert picture.name == "variants-ntu60-xsub"
    axes = axes_of(picture)
    assert [label.get_text() for label in axes.get_yticklabels()] == ["baseline", "full"]
    assert [text.get_text() for text in axes.texts] == ["80.0", "89.2"]
    assert [len(dots.get_offsets()) for dots in axes.collections] == [3, 3]
    found = gain({1: 90, 2: 85, 3: 92.5}, dict.fromkeys((1, 2, 3), 80))
    line = next(line for line in axes.lines if len(line.get_xdata()) == 2 and line.get_ydata()[0] == 1.28)
    assert list(line.get_xdata()) == pytest.approx([80 + found.low, 80 + found.high])


def test_without_a_baseline_parts_are_not_compared():
    reports = (made_up.actions(), made_up.actions(variant="inter"))
    assert not any(name.startswith("variants") for name in names(*reports))
