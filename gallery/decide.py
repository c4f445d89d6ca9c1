"""From the scores of subjects to a decision: who it is, nobody we know, or no decision and why."""

from collections.abc import Sequence
from dataclasses import dataclass

from gallery.calibration import Calibration
from gallery.likelihood import Evidence, likelihood
from gallery.template import Basis, Candidate, Decision, Outcome

UNCALIBRATED = "uncalibrated"
EXTRAPOLATED = "threshold_extrapolated"
MARGIN_TOO_SMALL = "margin_too_small"


@dataclass(frozen=True, slots=True)
class Rule:
    """What scores are held against: a threshold, and where it comes from. No threshold: no decision.

    min_margin: a best score that is less above the next is no match. evidence: likelihood ratios by score.
    """

    threshold: float | None = None
    fpir: float | None = None
    basis: Basis = "uncalibrated"
    calibration: str | None = None
    reasons: tuple[str, ...] = ()
    min_margin: float = 0.0
    evidence: Evidence = ()


def rule_for(
    calibration: Calibration | None, basis: Basis, subjects: int, templates: int, fpir: float | None = None
) -> Rule:
    """The rule for a gallery of this size at this false-positive identification rate.

    fpir: default the calibration's target; `metrics.rate_of_decibels` makes one of dB. Raises `InvalidRequest` for a
    rate that the calibration cannot support.
    """
    if calibration is None:
        return Rule()
    found = calibration.threshold(subjects, fpir, templates=templates)
    # Other people before other cameras say where a threshold may lie, not what a score proves here.
    evidence = calibration.evidence if basis == "gallery" else ()
    reasons = (EXTRAPOLATED,) if found.extrapolated else ()
    return Rule(found.value, found.fpir, basis, calibration.id, reasons, calibration.min_margin, evidence)


def decide(
    candidates: Sequence[Candidate], searched: int, rule: Rule, *, shown: int | None = None, seq: int | None = None
) -> Decision:
    """Decide between candidates, best first, of `searched` subjects. shown: how many of them it keeps; seq: the
    gallery's change that was seen.

    >>> found = [Candidate("ann", 0.9, 1), Candidate("bob", 0.6, 2)]
    >>> answer = decide(found, 10, Rule(threshold=0.8))
    >>> answer.outcome.value, answer.subject, round(answer.margin, 3)
    ('match', 'ann', 0.3)
    >>> decide(found, 10, Rule(threshold=0.95)).outcome.value
    'no_match'
    >>> decide(found, 10, Rule()).reasons
    ('uncalibrated',)
    >>> decide(found, 10, Rule(threshold=0.8, min_margin=0.4)).reasons
    ('margin_too_small',)
    """
    score = candidates[0].score if candidates else None
    margin = candidates[0].score - candidates[1].score if len(candidates) > 1 else None
    outcome, reasons = _outcome(score, margin, rule)
    return Decision(
        outcome,
        candidates[0].subject if outcome is Outcome.MATCH else None,
        score=score,
        threshold=rule.threshold,
        fpir=rule.fpir,
        margin=margin,
        searched=searched,
        basis=rule.basis,
        reasons=reasons,
        candidates=tuple(candidates[:shown]),
        calibration=rule.calibration,
        likelihood=None if score is None else likelihood(rule.evidence, score),
        seq=seq,
    )


def _outcome(score: float | None, margin: float | None, rule: Rule) -> tuple[Outcome, tuple[str, ...]]:
    """And the reasons for it."""
    if rule.threshold is None:
        return Outcome.ABSTAIN, (*rule.reasons, UNCALIBRATED)
    if score is None or score < rule.threshold:
        return Outcome.NO_MATCH, rule.reasons
    if margin is not None and margin < rule.min_margin:
        return Outcome.ABSTAIN, (*rule.reasons, MARGIN_TOO_SMALL)
    return Outcome.MATCH, rule.reasons


def abstain(reasons: Sequence[str]) -> Decision:
    """No decision, because of the probe itself: it was not searched for.

    >>> abstain(["too_short"]).outcome.value
    'abstain'
    """
    return Decision(Outcome.ABSTAIN, reasons=tuple(reasons))
