"""Usable or not, and why: what a sequence must be before an answer can rest on it.

Reasons make a sequence unusable; advice does not, and says what would make the answer better. The limits below were
set on recordings of walking people (cbkings34, UCalgary, CMU), of which nearly all pass, and on damaged copies of
them, which do not; `tests/model/test_quality.py` holds both figures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

import numpy as np

from model.body_signal import body_of, body_of_all
from model.clips import ClipSpec
from model.gait_signal import Stride, stride_of, strides_of
from model.sequence import SkeletonSequence, Units


class Reason(StrEnum):
    """Machine-readable words of what is wrong."""

    TOO_SHORT = "too_short"
    LOW_CONFIDENCE = "low_confidence"
    MISSING_JOINTS = "missing_joints"
    FROZEN = "frozen"
    NOT_WALKING = "not_walking"
    TWO_PEOPLE = "two_people"
    LEFT_RIGHT_SWAPPED = "left_right_swapped"
    NORMALISED_WITHOUT_ASPECT = "normalised_without_aspect"
    FPS_UNKNOWN = "fps_unknown"


IN_WORDS: Mapping[Reason, str] = MappingProxyType(
    {
        Reason.TOO_SHORT: "too few frames for one clip of the model; record longer, or check the frame rate",
        Reason.LOW_CONFIDENCE: "the pose estimator was unsure; use a nearer or better lit camera, or another estimator",
        Reason.MISSING_JOINTS: "shoulders, hips, knees or ankles are often not seen; the whole body must be in view",
        Reason.FROZEN: "most frames repeat the one before; check the tracker, or give the true frame rate",
        Reason.NOT_WALKING: "no steps were found; gait is compared on people who walk",
        Reason.TWO_PEOPLE: "the body jumps from place to place; frames of several people may be mixed in this track",
        Reason.LEFT_RIGHT_SWAPPED: "left and right are exchanged again and again; the estimator confuses the legs",
        Reason.NORMALISED_WITHOUT_ASPECT: "coordinates are divided by image width and height; give the aspect ratio",
        Reason.FPS_UNKNOWN: "the file does not say its frame rate; give it, or tempo is wrong",
    }
)
"""What each means and what to do, for people."""

LEAST_CONFIDENCE = 0.25
"""Mean over the joints that were seen. Estimators call a joint found from about 0.05 (OpenPose) to 0.3 up; below this
mean, most joints are guesses. Recorded walks lie above 0.5."""
MOST_MISSING = 0.4
"""Share of shoulders, hips, knees and ankles that are missing. A profile hides a quarter at worst."""
MOST_STILL = 0.6
"""Share of frames that equal the one before. Half do where 12.5 fps were written as 25, which is bearable."""
MOST_ELSEWHERE = 0.15
SOME_ELSEWHERE = 0.02
"""Share of frames off the body's course. A tracker that starts on something else is off for some frames of a pass; two
people in one track are off for many."""
MOST_SWAPS_PER_S = 2.0
"""Exchanges of left and right a second: one in six steps would do no harm, two a second is every step."""
SOME_SWAPS_PER_S = 0.7
LEAST_REGULARITY = 0.25
LEAST_ALTERNATION = 0.1
"""Correlation of the legs with themselves one stride later and, negative, half a stride later. Walks of real people lie
at 0.8 and 0.8 (median), standing and reaching at 0; the fifth percentiles of walks seen from the front are 0.2."""
LEAST_SWING = 0.012
"""Body heights by which the legs move against each other; from behind and afar it is little, standing it is 0.005."""


@dataclass(frozen=True, slots=True)
class Quality:
    """usable: no reasons. reasons, advice: what is wrong, by weight. measures: plain numbers, by name.

    Measures: frames, seconds, mean_confidence, missing_share, empty_share (frames without the body), still_share,
    elsewhere_share, swaps_per_s and, where the legs could be judged, stride_regularity, leg_alternation, leg_swing
    (body heights) and step_frequency_hz.
    """

    usable: bool
    reasons: tuple[Reason, ...]
    advice: tuple[Reason, ...]
    measures: Mapping[str, float]


def assess(
    sequence: SkeletonSequence, spec: ClipSpec | None = None, *, walking: bool = True, notes: Sequence[str] = ()
) -> Quality:
    """Judge a sequence for a model that takes clips of `spec`.

    walking: the answer will rest on gait, so that somebody who does not walk is advised of it. notes: what a reader
    had to assume (`Recording.notes`).
    """
    body = body_of(sequence)
    if body is None:
        return _judged(sequence, _no_body(sequence), spec or ClipSpec(), walking, notes)
    stride = stride_of(body.legs_apart, body.legs_seen, sequence.fps)
    found = (body.confidence, body.missing, body.empty, body.still_share(), body.elsewhere_share(), body.swaps())
    measures = _measures(sequence, [float(each) for each in found], stride)
    return _judged(sequence, measures, spec or ClipSpec(), walking, notes)


def assess_all(sequences: Sequence[SkeletonSequence], spec: ClipSpec, *, walking: bool = True) -> list[Quality]:
    """As `assess`, of several at once: of one layout, rate and length they take a fraction of the time each."""
    alike = {(each.layout.name, each.units, each.aspect, each.fps, each.joints.shape) for each in sequences}
    body = body_of_all(sequences) if len(alike) == 1 and len(sequences) > 1 else None
    if body is None:
        return [assess(sequence, spec, walking=walking) for sequence in sequences]
    strides = strides_of(body.legs_apart, body.legs_seen, sequences[0].fps)
    found = (body.confidence, body.missing, body.empty, body.still_share(), body.elsewhere_share(), body.swaps())
    rows = np.stack(found, axis=1).astype(np.float64).tolist()
    return [
        _judged(sequence, _measures(sequence, row, stride), spec, walking, ())
        for sequence, row, stride in zip(sequences, rows, strides, strict=True)
    ]


def _judged(
    sequence: SkeletonSequence, measures: dict[str, float], spec: ClipSpec, walking: bool, notes: Sequence[str]
) -> Quality:
    reasons = _reasons(sequence, spec, measures)
    advice = tuple(_advice(sequence, measures, reasons, walking=walking, notes=notes))
    return Quality(not reasons, reasons, advice, MappingProxyType(measures))


def clip_frames(sequence: SkeletonSequence, spec: ClipSpec) -> int:
    """How many frames are left at the model's frame rate; the count of `model.clips.resample`.

    A model that takes frames spread over the whole recording has no rate; frames of nobody do not count there.
    """
    if spec.sampling == "uniform":
        return int((sequence.confidence > 0).any(axis=1).sum()) or sequence.frames
    if sequence.frames < 2 or abs(sequence.fps - spec.fps) < 1e-6 * spec.fps:
        return sequence.frames
    return max(1, int(np.floor((sequence.frames - 1) * spec.fps / sequence.fps)) + 1)


def _measures(sequence: SkeletonSequence, found: Sequence[float], stride: Stride | None) -> dict[str, float]:
    """found: what `Body` has of the sequence, in the order of the names below."""
    confidence, missing, empty, still, elsewhere, swaps = found
    measures = {"frames": float(sequence.frames), "seconds": sequence.seconds}
    measures |= {"mean_confidence": confidence, "missing_share": missing, "empty_share": empty}
    measures |= {"still_share": still, "elsewhere_share": elsewhere, "swaps_per_s": swaps / sequence.seconds}
    if stride is not None:
        measures |= {"stride_regularity": stride.regularity, "leg_alternation": stride.alternation}
        measures |= {"leg_swing": stride.swing, "step_frequency_hz": stride.step_frequency}
    return measures


def _no_body(sequence: SkeletonSequence) -> dict[str, float]:
    seen = sequence.confidence > 0
    confidence = float(sequence.confidence[seen].mean()) if seen.any() else 0.0
    return _measures(sequence, (confidence, 1.0, 1.0, 0.0, 0.0, 0.0), None)


def _reasons(sequence: SkeletonSequence, spec: ClipSpec, measures: Mapping[str, float]) -> tuple[Reason, ...]:
    wrong = {
        Reason.TOO_SHORT: clip_frames(sequence, spec) < spec.minimum,
        Reason.MISSING_JOINTS: measures["missing_share"] > MOST_MISSING,
        Reason.LOW_CONFIDENCE: measures["mean_confidence"] < LEAST_CONFIDENCE,
        Reason.FROZEN: measures["still_share"] > MOST_STILL,
        Reason.TWO_PEOPLE: measures["elsewhere_share"] > MOST_ELSEWHERE,
        Reason.LEFT_RIGHT_SWAPPED: measures["swaps_per_s"] > MOST_SWAPS_PER_S,
    }
    return tuple(reason for reason, is_wrong in wrong.items() if is_wrong)


def _advice(
    sequence: SkeletonSequence,
    measures: Mapping[str, float],
    reasons: Sequence[Reason],
    *,
    walking: bool,
    notes: Sequence[str],
) -> list[Reason]:
    judged = "stride_regularity" in measures and Reason.FROZEN not in reasons
    walks = (
        measures.get("stride_regularity", 0) >= LEAST_REGULARITY
        and measures.get("leg_alternation", 0) >= LEAST_ALTERNATION
        and measures.get("leg_swing", 0) >= LEAST_SWING
    )
    found = []
    if walking and judged and not walks:
        found.append(Reason.NOT_WALKING)
    if SOME_ELSEWHERE < measures["elsewhere_share"] <= MOST_ELSEWHERE:
        found.append(Reason.TWO_PEOPLE)
    if SOME_SWAPS_PER_S < measures["swaps_per_s"] <= MOST_SWAPS_PER_S:
        found.append(Reason.LEFT_RIGHT_SWAPPED)
    if sequence.units is Units.NORMALISED and sequence.aspect is None:
        found.append(Reason.NORMALISED_WITHOUT_ASPECT)
    if any(note.startswith(Reason.FPS_UNKNOWN) for note in notes):
        found.append(Reason.FPS_UNKNOWN)
    return found
