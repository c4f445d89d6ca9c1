"""Figures of planted people: what they must be, and what must be refused."""

import numpy as np
import pytest

from gallery.calibration import Calibration, Row
from gallery.intervals import people_needed
from gallery.metrics import by_subject, fnir_at_fpir, ranks
from model.errors import InvalidDataSet, InvalidRequest
from tests.training.evaluate.planted_people import people_walking
from training.evaluate.openset import Plan, evaluate_open_set
from training.evaluate.openset_data import chosen_columns, mask_of
from training.evaluate.openset_figures import RATES
from training.evaluate.openset_search import search_all
from training.evaluate.openset_splits import Divider, enrolled_people

QUICK = Plan(divisions=4, draws=200)


def prior(threshold):
    table = (Row(subjects=1, fpir=0.001, threshold=threshold), Row(subjects=1000, fpir=0.001, threshold=threshold))
    return Calibration(id="p", made_on="x", subjects=10, target_fpir=0.001, table=table)


@pytest.mark.parametrize(("people", "share"), [(10, 0.5), (10, 0.9), (9, 0.2), (3, 0.5)])
def test_everybody_is_enrolled_and_a_stranger_and_never_both_at_once(people, share):
    masks = list(enrolled_people(people, share, 3 * people, np.random.default_rng(0)))
    assert len({int(mask.sum()) for mask in masks}) == 1
    assert np.any(masks, axis=0).all()
    assert not np.all(masks, axis=0).any()


def test_what_several_cameras_saw_of_one_walk_is_never_template_and_search_at_once():
    data = people_walking(12)
    divider = Divider(data, np.ones(len(data), bool))
    split = divider.split(np.arange(12) < 6, np.random.default_rng(0))
    assert not set(data.walk[split.templates]) & set(data.walk[split.mated])
    assert set(data.subject[split.mated]) == set(data.subject[split.templates])
    assert not set(data.subject[split.strangers]) & set(data.subject[split.templates])
    assert len(split.templates) + len(split.mated) + len(split.strangers) == len(data)


def test_only_eligible_walks_are_enrolled_and_no_more_templates_than_asked_for():
    data = people_walking(12)
    divider = Divider(data, mask_of(data, ["condition=nm", "view=000,090"]), walks=3, templates=2)
    split = divider.split(np.arange(12) < 6, np.random.default_rng(0))
    assert set(data.columns["condition"][split.templates]) == {"nm"}
    assert len(split.templates) == 6 * 2
    assert (data.columns["condition"][split.mated] == "cl").sum() == 6 * 2 * 2


def test_searches_are_those_that_the_plain_metrics_would_make():
    data = people_walking(9, spread=1.2)
    divider = Divider(data, np.ones(len(data), bool))
    found = search_all(data, divider, share=0.5, divisions=1, seed=3)
    rng = np.random.default_rng(3)
    split = divider.split(next(enrolled_people(9, 0.5, 1, rng)), rng)
    scores, names = by_subject(
        data.embeddings[found.row] @ data.embeddings[split.templates].T, data.subject[split.templates]
    )
    assert found.best == pytest.approx(scores.max(axis=1), abs=1e-6)
    assert found.rank.tolist() == ranks(scores, data.subject[found.row], names).tolist()
    assert (found.mated == np.isin(data.subject[found.row], names)).all()
    assert found.difference < 1e-5


def test_a_perfect_encoder_errs_never_and_one_that_sees_nothing_misses_nearly_all():
    clean = evaluate_open_set(people_walking(90, spread=0.3, dim=64), (), QUICK)
    assert {cell.rate.value for cell in clean.identification[0].cells.values() if cell.rate} == {0.0}
    assert clean.investigation[0].cells[10].rate.value == 0.0
    assert clean.identification[0].cells[0.1].rate.high > 0.005  # so few walks prove no zero
    blind = evaluate_open_set(people_walking(60, spread=50.0), (), QUICK)
    assert blind.identification[0].cells[0.1].rate.value > 0.9
    assert blind.investigation[0].cells[1].rate.value == pytest.approx(29 / 30, abs=0.03)


def test_figures_are_those_of_the_plain_metrics_on_all_searches():
    report = evaluate_open_set(people_walking(60, spread=1.0), (), QUICK)
    drawn = report.drawn
    for rate in report.thresholds:
        plain = fnir_at_fpir(drawn.best[drawn.mated], drawn.hit[drawn.mated], report.strangers, rate)
        cell = report.identification[0].cells[rate]
        assert cell.rate.value == pytest.approx(plain)
        assert cell.rate.low <= plain <= cell.rate.high


def test_rates_that_the_searches_cannot_show_are_refused_with_the_people_they_need():
    report = evaluate_open_set(people_walking(30, walks=4, spread=2.0), (), QUICK)
    cells, drawn = report.identification[0].cells, report.drawn
    assert drawn.stranger_walks == 120
    assert 30 < drawn.independent <= 120
    assert [cells[rate].rate is None for rate in RATES] == [True, True, False]
    assert cells[0.01].people_short == people_needed(0.01, 30, drawn.independent)
    assert cells[0.1].few  # twelve errors expected, not thirty
    assert set(report.thresholds) == {0.1}


def test_walks_that_are_all_alike_are_worth_no_more_than_the_people():
    alike = evaluate_open_set(people_walking(60, walks=10, spread=0.01), (), QUICK).drawn
    assert alike.stranger_walks == 600
    assert alike.independent < 60


def test_more_candidates_than_people_say_nothing():
    report = evaluate_open_set(people_walking(30), (), QUICK)
    assert report.investigation[0].cells[50].rate is None
    assert report.cmc.x[-1] == 15


def test_a_larger_gallery_misses_more():
    report = evaluate_open_set(people_walking(80, spread=1.0), (), QUICK)
    missed = [cells[0.1].rate.value for cells in report.sizes.values()]
    assert list(report.sizes) == [5, 10, 20, 40]
    assert missed[0] < missed[-1]


def test_a_planted_difference_between_groups_shows_and_chance_does_not():
    report = evaluate_open_set(people_walking(80, hard=1.0), ("condition", "sex"), QUICK)
    by_condition, by_sex = report.groupings
    assert (by_condition.fnir_ratio.highest, by_condition.fnir_ratio.lowest) == ("cl", "nm")
    assert by_condition.fnir_ratio.shown
    assert not by_sex.fnir_ratio.shown
    assert not by_sex.fpir_ratio.shown
    assert {group.people for group in by_sex.groups} == {40}


def test_a_group_of_few_people_is_said_to_be_too_small():
    data = people_walking(80, spread=1.0)
    data.columns["sex"][data.subject > "005"] = "m"
    small = next(g for g in evaluate_open_set(data, ("sex",), QUICK).groupings[0].groups if g.value == "f")
    assert small.fpir.rate is None
    assert small.fnir.rate is None
    assert small.fnir.people_short == 7


def test_numbers_are_cut_into_bands_and_what_is_not_known_is_left_out():
    data = people_walking(6, walks=1)
    ages = ["", "17", "18", "40", "65", "80"]
    data.columns["age"] = np.repeat(ages, 2)
    banded, names = chosen_columns(data, ["age:18,65"])
    assert names == ("age",)
    assert banded.columns["age"][::2].tolist() == ["", "< 18", "18 to < 65", "18 to < 65", ">= 65", ">= 65"]
    with pytest.raises(InvalidRequest, match="no 'height'"):
        chosen_columns(data, ["height"])


def test_the_bundles_own_threshold_is_held_against_the_scores():
    report = evaluate_open_set(people_walking(60), (), QUICK, prior=prior(0.999))
    assert (report.held.source, report.held.target, report.held.fpir.rate.value) == ("prior", 0.001, 0.0)
    assert report.held.fnir.rate.value == 1.0
    given = evaluate_open_set(people_walking(60), (), QUICK, prior=prior(0.999), threshold=-1.0)
    assert (given.held.source, given.held.fpir.rate.value) == ("given", 1.0)


def test_the_guidance_is_passed_only_with_searches_and_people_enough():
    few = evaluate_open_set(people_walking(60), (), QUICK, prior=prior(0.9), operational=40)
    assert not few.requirement.passed
    assert "30 enrolled, 36 are needed" in few.requirement.reasons[0]
    assert "(rule of 3): about" in few.requirement.reasons[1]
    many = people_walking(1600, walks=4, spread=2.0, dim=16)
    plan = Plan(share=0.1, divisions=10, draws=100)
    passed = evaluate_open_set(many, (), plan, threshold=0.9999, operational=170).requirement
    assert passed.passed, passed.reasons
    missed = evaluate_open_set(many, (), plan, threshold=0.3, operational=170).requirement
    assert "FPIR may be as high as" in missed.reasons[0]
    unsaid = evaluate_open_set(people_walking(60), (), QUICK, operational=1).requirement
    assert "no threshold to test" in unsaid.reasons[-1]


def test_too_few_people_and_people_who_walk_once_are_refused():
    with pytest.raises(InvalidDataSet, match="at least 3"):
        evaluate_open_set(people_walking(2), (), QUICK)
    with pytest.raises(InvalidDataSet, match="walks a second time"):
        evaluate_open_set(people_walking(10, walks=1), (), QUICK)
    with pytest.raises(InvalidRequest, match="gallery_share"):
        Plan(share=1.0)
