"""The bodies that the service answers with, typed once: for encoding and for the documentation."""

from dataclasses import replace
from typing import Any, Literal

import msgspec
import numpy as np
from starlette.responses import JSONResponse

from gallery import template as kept
from gallery.metrics import decibels
from model.sequence import Floats
from service.access.caller import Caller, Scope
from service.answers.quality import Quality
from service.answers.timelines import ActionTimeline, ScoreTimeline, action_timeline
from service.engine.stage import Probe

# Digits of a score that mean anything: float32 cosines differ in the seventh between batch sizes.
_DIGITS = 6
# Of a score for those who may not investigate: too few to climb by them, guess by guess, to somebody's template.
# A likelihood is the score on another scale, and a steep one.
_COARSE_DIGITS = 3
_LIKELIHOOD_DIGITS = 3
_COARSE_LIKELIHOOD_DIGITS = 1


class Candidate(msgspec.Struct, frozen=True):
    """A subject that it may be. score: a cosine, higher is better. template: the subject's best one."""

    subject: str
    score: float
    template: int


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Who it is, and how sure that is.

    threshold: what the best score was held against; fpir: the false-positive identification rate it was calibrated
    for among `searched` subjects (of a verification, the false-match rate). margin: score less the runner-up's.
    basis: `prior` (the bundle's own calibration), `gallery` or `uncalibrated`. reasons: why it abstained, or how the
    threshold came about. notes: what was changed to make the sequence fit the model. bundle: fingerprint of the model.
    db: the same rate as -10 log10 fpir. likelihood: log10 of how much likelier the best score is of the same person
    than of another. seq: the gallery's change that this answer has seen; demand it with `at_least`.
    timeline: where it was asked for.
    """

    outcome: Literal["match", "no_match", "abstain"]
    gallery: str
    subject: str | None
    score: float | None
    threshold: float | None
    fpir: float | None
    db: float | None
    likelihood: float | None
    margin: float | None
    searched: int
    seq: int | None
    basis: Literal["prior", "gallery", "uncalibrated"]
    calibration: str | None
    reasons: list[str]
    candidates: list[Candidate]
    quality: Quality
    notes: list[str]
    bundle: str
    timeline: ScoreTimeline | None = None


class Action(msgspec.Struct, frozen=True):
    action: str
    probability: float


class Classification(msgspec.Struct, frozen=True, kw_only=True):
    """The most probable action, and the next ones, best first. timeline: where it was asked for."""

    action: str
    probability: float
    actions: list[Action]
    quality: Quality
    notes: list[str]
    bundle: str
    timeline: ActionTimeline | None = None


class Embedding(msgspec.Struct, frozen=True, kw_only=True):
    """A unit vector. Compare it only with embeddings of the same bundle."""

    embedding: list[float]
    quality: Quality
    notes: list[str]
    bundle: str


class Health(msgspec.Struct, frozen=True):
    """Whether the process lives; `died`: start another one."""

    status: Literal["ok", "died"] = "ok"


class Readiness(msgspec.Struct, frozen=True):
    """Whether requests can be answered now, and which part cannot."""

    ready: bool
    checks: dict[str, str]


class Answer(JSONResponse):
    """One of the answers above, as JSON."""

    def render(self, content: Any) -> bytes:
        return msgspec.json.encode(content)


def disclosed(found: kept.Decision, caller: Caller) -> kept.Decision:
    """What a caller may see of a decision, whichever way it comes to them.

    Who may investigate sees all of it. Anybody else sees scores to three digits, and names nobody by them whom the
    decision does not name: candidates are those that the threshold lets through, of a match.
    """
    digits, likelihood_digits, candidates = _shown(found, caller)
    return replace(
        found,
        score=_rounded(found.score, digits),
        threshold=_rounded(found.threshold, digits),
        margin=_rounded(found.margin, digits),
        likelihood=_rounded(found.likelihood, likelihood_digits),
        candidates=tuple(replace(each, score=round(each.score, digits)) for each in candidates),
    )


def _shown(found: kept.Decision, caller: Caller) -> tuple[int, int, tuple[kept.Candidate, ...]]:
    """Digits of a score and of a likelihood, and the candidates."""
    if caller.may(Scope.INVESTIGATE):
        return _DIGITS, _LIKELIHOOD_DIGITS, found.candidates
    return _COARSE_DIGITS, _COARSE_LIKELIHOOD_DIGITS, _let_through(found)


def _let_through(found: kept.Decision) -> tuple[kept.Candidate, ...]:
    if found.outcome is not kept.Outcome.MATCH or found.threshold is None:
        return ()
    return tuple(each for each in found.candidates if each.score >= found.threshold)


def decision(found: kept.Decision, gallery: str, probe: Probe, bundle: str, caller: Caller) -> Decision:
    """As much of it as the caller may see, as in `disclosed`."""
    digits, likelihood_digits, candidates = _shown(found, caller)
    return Decision(
        outcome=found.outcome.value,
        gallery=gallery,
        subject=found.subject,
        score=_rounded(found.score, digits),
        threshold=_rounded(found.threshold, digits),
        fpir=found.fpir,
        db=None if found.fpir is None else round(decibels(found.fpir), 2),
        likelihood=_rounded(found.likelihood, likelihood_digits),
        margin=_rounded(found.margin, digits),
        searched=found.searched,
        seq=found.seq,
        basis=found.basis,
        calibration=found.calibration,
        reasons=list(found.reasons),
        candidates=[Candidate(each.subject, round(each.score, digits), each.template) for each in candidates],
        quality=probe.told,
        notes=list(probe.notes),
        bundle=bundle,
    )


def classification(rows: Floats, top_k: int, probe: Probe, *, timeline: bool = False) -> Classification:
    """rows: probabilities (clips, labels), of which the mean counts."""
    mean, labels = rows.mean(axis=0), probe.model.labels
    best = np.argsort(-mean, kind="stable")[:top_k].tolist()
    named = [Action(labels[place], round(float(mean[place]), _DIGITS)) for place in best]
    return Classification(
        action=named[0].action,
        probability=named[0].probability,
        actions=named,
        quality=probe.told,
        notes=list(probe.notes),
        bundle=probe.model.fingerprint,
        timeline=action_timeline(probe, best, rows) if timeline else None,
    )


def embedding(vector: Floats, probe: Probe, bundle: str) -> Embedding:
    return Embedding(embedding=vector.tolist(), quality=probe.told, notes=list(probe.notes), bundle=bundle)


def _rounded(value: float | None, digits: int) -> float | None:
    return None if value is None else round(value, digits)
