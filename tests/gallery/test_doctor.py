"""What is planted is found, and nothing else is."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from gallery.doctor import examine, work_of
from gallery.doctor_menagerie import mean_scores
from gallery.doctor_model import Model, sums_of
from gallery.doctor_page import doctor_page
from gallery.doctor_rules import evidence_needed, menagerie, outlying
from gallery.template import Consent
from model.errors import EmptyGallery
from tests.gallery.planted_gallery import DIM, Planted

NOW = datetime(2026, 11, 22, tzinfo=UTC)
DAY = 86_400_000_000


def kinds(planted):
    return Counter(finding.kind for finding in examine(planted.held(), now=NOW).serious)


def only(planted, kind):
    return [finding for finding in examine(planted.held(), now=NOW).serious if finding.kind == kind]


@pytest.mark.parametrize(("people", "each", "spread"), [(40, 3, 0.4), (60, 8, 0.5), (60, 8, 1.0), (150, 4, 0.7)])
def test_healthy_galleries_are_left_in_peace(people, each, spread):
    alarms = sum(bool(kinds(Planted(people, each, spread, seed))) for seed in range(25))
    assert alarms <= 1  # seven checks of one in a hundred each, at most, would allow two


def test_a_person_enrolled_twice_is_found_and_nobody_else():
    planted = Planted()
    for row in planted.rows(7)[:4]:
        planted.owner[row] = 60
    report = examine(planted.held(), now=NOW)
    assert [finding.subjects for finding in report.serious] == [("s007", "s060")]
    assert "to 100 % would be found" in report.checks[0].note


def test_a_pair_that_falls_just_short_is_no_finding_and_is_named_beside(monkeypatch):
    planted = Planted()
    for row in planted.rows(7)[:4]:
        planted.owner[row] = 60
    (found,) = only(planted, "duplicate")
    monkeypatch.setattr("gallery.doctor_likeness.evidence_needed", lambda hypotheses: found.strength + 1)
    report = examine(planted.held(), now=NOW)
    assert not [finding for finding in report.serious if finding.kind == "duplicate"]
    assert f"just short of it: s007 and s060 ({found.strength:.1f})" in report.checks[0].note
    monkeypatch.setattr("gallery.doctor_likeness.evidence_needed", lambda hypotheses: found.strength + 3)
    assert "just short" not in examine(planted.held(), now=NOW).checks[0].note


def test_people_enrolled_twice_with_a_single_template_each_are_no_matter_of_course():
    planted = Planted(spread=0.1)
    planted.add(60, planted.of(7))
    assert [finding.subjects for finding in only(planted, "duplicate")] == [("s007", "s060")]


def test_swapped_labels_are_found_and_named_after_whom_they_look_like():
    planted = Planted()
    one, other = planted.rows(3)[0], planted.rows(11)[5]
    planted.owner[one], planted.owner[other] = 11, 3
    report = examine(planted.held(), now=NOW)
    found = {(finding.templates, finding.subjects) for finding in report.serious}
    assert found == {((one,), ("s011", "s003")), ((other,), ("s003", "s011"))}


def test_a_template_of_a_stranger_is_an_outlier_that_looks_like_nobody():
    planted = Planted(spread=0.3)
    planted.add(5, planted.rng.standard_normal(DIM))
    found = examine(planted.held(), now=NOW).serious
    assert {finding.subjects for finding in found} == {("s005",)}  # and in a small subject it makes a goat
    assert [finding.templates for finding in found if finding.kind == "outlier"] == [(480,)]


def test_a_lamb_whom_everybody_matches_is_found():
    planted = Planted(people=80, each=6, spread=1.0)
    middle = 0.75 * planted.centres
    planted.add(80, planted.of(0))
    for person in range(0, 80, 2):  # a subject who holds a little of everybody
        planted.add(80, middle[person] + 0.2 * planted.rng.standard_normal(DIM))
    lambs = only(planted, "lamb")
    assert [finding.subjects for finding in lambs] == [("s080",)]
    assert "nearest other subject of 4" in lambs[0].text


def test_a_goat_whom_nothing_matches_is_found():
    planted = Planted()
    for row in planted.rows(9):
        planted.vectors[row] = planted.rng.standard_normal(DIM)
    found = examine(planted.held(), now=NOW).serious
    assert ("s009",) in {finding.subjects for finding in found if finding.kind == "goat"}
    assert {finding.subjects[0] for finding in found} == {"s009"}


def test_a_wolf_who_comes_near_others_with_every_template_is_found():
    planted = Planted(people=300, each=4, spread=0.6)
    for place, row in enumerate(planted.rows(0)):
        planted.vectors[row] = planted.centres[1 + place] + 0.02 * planted.rng.standard_normal(DIM)
    found = examine(planted.held(), now=NOW).serious
    assert ("s000",) in {finding.subjects for finding in found if finding.kind == "wolf"}
    looks = {finding.subjects for finding in found if finding.kind == "mislabelled"}
    assert looks == {("s000", f"s00{other}") for other in (1, 2, 3, 4)}


def test_single_templates_and_missing_views_are_advice_and_no_finding():
    planted = Planted()
    planted.labels = [
        {"view": "000" if row in planted.rows(4) else each["view"]} for row, each in enumerate(planted.labels)
    ]
    planted.centres = np.vstack([planted.centres, planted.rng.standard_normal(DIM)])
    planted.add(60, planted.of(60))
    report = examine(planted.held(), now=NOW)
    assert not report.serious
    said = {(finding.kind, finding.text) for finding in report.findings}
    assert ("single_template", "s060 has a single template") in said
    assert ("missing_label", "s004 lacks view 090") in said
    assert ("missing_label", "s060 lacks view 090") in said


def test_few_frames_are_found_where_frames_are_known():
    planted = Planted()
    planted.frames[17] = 10
    planted.frames[18] = 0
    assert [finding.templates for finding in only(planted, "few_frames")] == [(17,)]


def test_consent_that_is_missing_or_ends_is_found_where_consents_are_kept():
    planted = Planted()
    assert not kinds(planted)
    planted.consents = {person: Consent("C-1") for person in range(60)}
    planted.consents[1] = Consent()
    planted.consents[2] = Consent("C-2", expires=NOW - timedelta(days=1))
    planted.consents[3] = Consent("C-3", expires=NOW + timedelta(days=29))
    planted.consents[4] = Consent("C-4", expires=NOW + timedelta(days=31))
    found = {(finding.kind, *finding.subjects) for finding in examine(planted.held(), now=NOW).serious}
    assert found == {("consent_missing", "s001"), ("consent_expired", "s002"), ("consent_expiring", "s003")}


@pytest.mark.parametrize(("drift", "found"), [(0.0, []), (0.15, ["ageing"])])
def test_templates_that_grow_less_alike_with_time_are_told_from_those_that_do_not(drift, found):
    planted = Planted(each=8, spread=0.3)
    way = planted.rng.standard_normal((60, DIM))
    for row, person in enumerate(planted.owner):
        planted.created[row] = (row % 8) * 50 * DAY
        planted.vectors[row] = planted.vectors[row] + drift * (row % 8) * way[person]
    assert list(kinds(planted)) == found


@pytest.mark.parametrize(("people", "each"), [(1, 1), (1, 5), (2, 2), (5, 1), (19, 3), (25, 1)])
def test_small_galleries_are_examined_as_far_as_they_go_and_say_how_far(people, each):
    report = examine(Planted(people, each).held(), now=NOW)
    assert not report.serious
    assert any(not check.done for check in report.checks)
    assert "Could not be looked for" in doctor_page(report)


def test_an_empty_gallery_is_refused():
    held = Planted(1, 1).held()
    empty = type(held)(
        "none", (), (), held.ids[:0], held.owner[:0], held.embeddings[:0], (), held.ids[:0], held.ids[:0]
    )
    with pytest.raises(EmptyGallery):
        examine(empty, now=NOW)


def test_progress_adds_up_to_the_work():
    held, told = Planted().held(), []
    examine(held, now=NOW, progress=told.append)
    assert sum(told) == work_of(held)


def test_the_models_ratio_is_that_of_the_two_normal_densities():
    """Against the plain formula in one dimension: log p(x, y | one person) - log p(x) - log p(y)."""
    between, x, y = 3.0, 1.2, 0.7
    model = Model(
        np.array([between]), np.zeros((0, 1), np.float32), np.zeros(0, np.int64), np.zeros(0), np.zeros((0, 1))
    )
    cov = np.array([[1 + between, between], [between, 1 + between]])
    pair = np.array([x, y])
    joint = -0.5 * (pair @ np.linalg.solve(cov, pair) + np.log(np.linalg.det(cov)))
    alone = sum(-0.5 * (z * z / (1 + between) + np.log(1 + between)) for z in (x, y))
    assert model.ratio(np.array([[x]], np.float32), np.array([[y]], np.float32)) == pytest.approx(
        joint - alone, abs=1e-5
    )


def test_pairs_found_in_blocks_have_the_ratio_of_the_groups_themselves():
    planted = Planted(30, 4)
    for row in planted.rows(2)[:2]:
        planted.owner[row] = 30
    held = planted.held()
    model = Model.of(held.embeddings, held.owner, held.subjects)
    found = {(a, b): ratio for a, b, ratio in model.alike(-1e9)}
    assert len(found) == 31 * 30 / 2
    for a, b in ((2, 30), (0, 1), (5, 30)):
        plain = model.ratio(model.templates[held.owner == a], model.templates[held.owner == b])
        assert found[a, b] == pytest.approx(plain, rel=1e-4, abs=1e-3)


def test_mean_scores_are_those_of_all_pairs():
    held = Planted(6, 3).held()
    table = held.embeddings @ held.embeddings.T
    own, others = mean_scores(held)
    mine = held.owner == 2
    assert own[2] == pytest.approx(table[np.ix_(mine, mine)][np.triu_indices(3, 1)].mean(), abs=1e-6)
    assert others[2] == pytest.approx(table[np.ix_(mine, ~mine)].mean(), abs=1e-6)
    assert sums_of(held.embeddings, held.owner, 6)[0] == pytest.approx(held.embeddings[:3].sum(axis=0), abs=1e-6)


@pytest.mark.parametrize(
    ("draw", "most"), [("standard_normal", 0.03), ("standard_exponential", 0.08), ("random", 0.01)]
)
def test_the_rule_for_tails_gives_few_false_alarms_on_tails_up_to_exponential(draw, most):
    rng = np.random.default_rng(4)
    for size in (30, 100, 1000):
        alarms = [float(values.max()) > outlying(values) for values in (getattr(rng, draw)(size) for _ in range(800))]
        assert np.mean(alarms) <= most
    assert np.isinf(outlying(np.arange(10.0)))
    assert evidence_needed(100) > np.log(100 / 0.01)


def test_independent_scores_make_no_menagerie():
    rng = np.random.default_rng(5)
    significant = [p < 0.01 for _ in range(100) for _, p in menagerie(rng.random(200), rng.random(200)).values()]
    assert sum(significant) <= 4
