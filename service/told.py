"""A decision as it is told to those who did not ask for it: by server-sent events and by webhooks."""

from typing import Literal

import msgspec

from gallery.metrics import decibels
from service.access.caller import Caller
from service.answers.recognition import Candidate, disclosed
from service.events import Decided


class DecisionTold(msgspec.Struct, frozen=True, kw_only=True):
    """Who it is, and how sure that is; each word means what it means in the answer of `/identify`."""

    outcome: Literal["match", "no_match", "abstain"]
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


class DecisionEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A decision that was made. id: its own, wherever it is told. actor: who asked. stream, track: whose it is, of a
    decision about a stream."""

    id: str
    type: Literal["decision.match", "decision.no_match", "decision.abstain"]
    at: str
    kind: Literal["identify", "verify", "stream"]
    gallery: str
    actor: str
    stream: str | None
    track: str | None
    decision: DecisionTold


def event_of(event: Decided, caller: Caller, *, only_match: bool = False) -> DecisionEvent:
    """As much of it as the caller may see. only_match: name nobody but the subject that was found."""
    found = disclosed(event.decision, caller)
    candidates = [each for each in found.candidates if not only_match or each.subject == found.subject]
    return DecisionEvent(
        id=event.id,
        type=f"decision.{found.outcome.value}",  # type: ignore[arg-type]
        at=event.at.isoformat(),
        kind=event.kind,
        gallery=event.gallery,
        actor=event.actor,
        stream=event.stream,
        track=event.track,
        decision=DecisionTold(
            outcome=found.outcome.value,
            subject=found.subject,
            score=found.score,
            threshold=found.threshold,
            fpir=found.fpir,
            db=None if found.fpir is None else round(decibels(found.fpir), 2),
            likelihood=found.likelihood,
            margin=found.margin,
            searched=found.searched,
            seq=found.seq,
            basis=found.basis,
            calibration=found.calibration,
            reasons=list(found.reasons),
            candidates=[Candidate(each.subject, each.score, each.template) for each in candidates],
        ),
    )
