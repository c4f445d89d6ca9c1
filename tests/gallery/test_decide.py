import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.calibration import Calibration
from gallery.decide import EXTRAPOLATED, MARGIN_TOO_SMALL, Rule, abstain, decide, rule_for
from gallery.template import Candidate, Outcome

FOUND = (Candidate("ann", 0.8, 1), Candidate("bob", 0.5, 2))


@given(st.floats(-1, 1), st.lists(st.floats(-1, 1), max_size=6))
def test_a_match_is_a_best_score_that_reaches_the_threshold(threshold: float, scores: list[float]) -> None:
    found = [Candidate(f"s{i}", score, i) for i, score in enumerate(sorted(scores, reverse=True))]
    decision = decide(found, 10, Rule(threshold))
    assert (decision.outcome is Outcome.MATCH) == (bool(found) and found[0].score >= threshold)
    assert decision.subject == ("s0" if decision.outcome is Outcome.MATCH else None)
    assert decision.candidates == tuple(found)


def test_a_score_equal_to_the_threshold_is_a_match() -> None:
    assert decide(FOUND, 2, Rule(0.8)).outcome is Outcome.MATCH


def test_a_decision_says_how_far_the_runner_up_was() -> None:
    assert decide(FOUND, 2, Rule(0.9)).margin == pytest.approx(0.3)
    assert decide(FOUND[:1], 1, Rule(0.9)).margin is None


def test_without_a_threshold_there_are_candidates_and_no_decision() -> None:
    decision = decide(FOUND, 2, Rule())
    assert (decision.outcome, decision.reasons, decision.candidates) == (Outcome.ABSTAIN, ("uncalibrated",), FOUND)


def test_an_abstention_for_the_probe_s_sake_was_not_searched_for() -> None:
    decision = abstain(["too_short", "low_confidence"])
    assert (decision.searched, decision.score, decision.reasons) == (0, None, ("too_short", "low_confidence"))


def test_a_gallery_larger_than_those_measured_says_that_its_threshold_is_extrapolated() -> None:
    table = [{"subjects": 10, "fpir": f, "threshold": t} for f, t in ((0.01, 0.8), (0.1, 0.7))]
    calibration = Calibration.from_json({"id": "c", "made_on": "x", "subjects": 20, "table": table})
    assert rule_for(calibration, "prior", 10, 10, 0.1) == Rule(0.7, 0.1, "prior", "c", ())
    assert rule_for(calibration, "prior", 12, 12, 0.1).reasons == (EXTRAPOLATED,)
    assert decide(FOUND, 12, rule_for(calibration, "prior", 12, 12, 0.1)).reasons == (EXTRAPOLATED,)
    assert rule_for(None, "prior", 10, 10) == Rule()


def test_nine_tenths_of_the_gallery_are_as_good_as_all() -> None:
    table = [{"subjects": 90, "fpir": f, "threshold": t} for f, t in ((0.01, 0.8), (0.1, 0.7))]
    calibration = Calibration.from_json({"id": "c", "made_on": "x", "subjects": 120, "table": table})
    assert rule_for(calibration, "gallery", 100, 100, 0.1).reasons == ()
    assert (rule_for(calibration, "gallery", 100, 100, 0.1).threshold or 0) > 0.7


def test_two_who_are_too_near_to_each_other_are_told_apart_by_nobody() -> None:
    rule = Rule(0.7, min_margin=0.4, reasons=(EXTRAPOLATED,))
    decision = decide(FOUND, 2, rule)
    assert (decision.outcome, decision.reasons) == (Outcome.ABSTAIN, (EXTRAPOLATED, MARGIN_TOO_SMALL))
    assert decide(FOUND, 2, Rule(0.9, min_margin=0.4)).outcome is Outcome.NO_MATCH
    assert decide(FOUND[:1], 1, rule).outcome is Outcome.MATCH


def test_a_decision_says_how_much_its_score_is_worth() -> None:
    evidence = ((0.6, 0.0), (1.0, 2.0))
    assert decide(FOUND, 2, Rule(0.9, evidence=evidence)).likelihood == pytest.approx(1.0)
    assert decide(FOUND, 2, Rule(0.9)).likelihood is None
    assert decide((), 2, Rule(0.9, evidence=evidence)).likelihood is None


def test_what_was_measured_on_others_proves_nothing_here() -> None:
    table = [{"subjects": 10, "fpir": 0.1, "threshold": 0.7}]
    more = {"evidence": [[0.5, -1.0], [0.9, 2.0]]}
    calibration = Calibration.from_json({"id": "c", "made_on": "x", "subjects": 20, "table": table, **more})
    assert decide(FOUND, 10, rule_for(calibration, "prior", 10, 10, 0.1)).likelihood is None
    assert decide(FOUND, 10, rule_for(calibration, "gallery", 10, 10, 0.1)).likelihood == pytest.approx(1.25)
