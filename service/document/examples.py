"""Examples for the documentation: bodies that work as they are, made of sample files, and what answers look like."""

from typing import Any

import msgspec

from model.errors import InvalidDataSet
from service import samples
from service.answers.quality import Quality
from service.answers.recognition import Action, Candidate, Classification, Decision

_ROLES: tuple[samples.Role, ...] = ("probe", "enroll", "action")
_BUNDLE = "9f2c" * 16


def bodies() -> dict[str, dict[str, Any]]:
    """A body for each path that takes one; without sequences where the samples are not installed."""
    found: dict[str, dict[str, Any]] = {"/galleries": {"name": "entrance"}}
    try:
        probe, enroll, action = (samples.shipped().example(role) for role in _ROLES)
    except InvalidDataSet:
        return found
    if probe:
        found["/identify"] = {"sequence": probe, "gallery": "default", "top_k": 5}
        found["/verify"] = {"sequence": probe, "gallery": "default", "subject": "walker-01"}
        found["/embed"] = {"sequence": probe}
    if enroll:
        found["/galleries/{gallery}/subjects/{subject}/templates"] = {"sequence": enroll, "labels": {"view": "090"}}
    if action:
        found["/classify"] = {"sequence": action, "top_k": 3}
    return found


def answers() -> dict[str, Any]:
    """An answer for each path whose answer wants explaining."""
    quality = Quality(True, [], [], {"frames": 60.0, "seconds": 2.4, "mean_confidence": 0.87, "missing_share": 0.02})
    decision = Decision(
        outcome="match",
        gallery="default",
        subject="walker-01",
        score=0.871204,
        threshold=0.748113,
        fpir=0.05,
        db=13.01,
        likelihood=1.42,
        margin=0.203518,
        searched=12,
        seq=19,
        basis="prior",
        calibration="gait-sim-coco17",
        reasons=[],
        candidates=[Candidate("walker-01", 0.871204, 1), Candidate("walker-07", 0.667686, 19)],
        quality=quality,
        notes=[],
        bundle=_BUNDLE,
    )
    classification = Classification(
        action="walk",
        probability=0.93,
        actions=[Action("walk", 0.93), Action("run", 0.05), Action("turn", 0.01)],
        quality=quality,
        notes=["converted from body-25 to coco-17"],
        bundle=_BUNDLE,
    )
    found = {"/identify": decision, "/verify": decision, "/classify": classification}
    return {path: msgspec.to_builtins(answer) for path, answer in found.items()}
