"""Answers over time: one for each clip of a sequence, as bodies and as they are made."""

import asyncio
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from gallery.by_clip import scores_by_clip
from model.clips import ClipSpec, unit_length, window_places
from model.quality import clip_frames
from model.sequence import Floats, SkeletonSequence
from service.engine.engine import Engine
from service.engine.stage import Probe

if TYPE_CHECKING:
    from service.answers.recognition import Decision

_DIGITS = 4
# No more than anybody sees of a score (`service.answers.disclosed`).
_SCORE_DIGITS = 3
# As many as a score of a decision has for those who may not investigate.
_SCORE_DIGITS = 3


class ActionTimeline(msgspec.Struct, frozen=True, kw_only=True):
    """seconds: [start, end] of each clip in the sequence. actions: the most probable ones, best first. probabilities:
    [clip][action]."""

    seconds: list[tuple[float, float]]
    actions: list[str]
    probabilities: list[list[float]]


class ScoreTimeline(msgspec.Struct, frozen=True, kw_only=True):
    """seconds: [start, end] of each clip in the sequence. subjects: the candidates, best first. scores:
    [clip][subject], the cosine of each clip alone with the subject's best template. A threshold is for whole sequences,
    not for these."""

    seconds: list[tuple[float, float]]
    subjects: list[str]
    scores: list[list[float]]


def action_timeline(probe: Probe, places: list[int], rows: Floats) -> ActionTimeline:
    """places: of the actions to tell of among the model's labels. rows: probabilities (clips, labels)."""
    actions = [probe.model.labels[place] for place in places]
    return ActionTimeline(seconds=seconds_of(probe), actions=actions, probabilities=_rounded(rows[:, places], _DIGITS))


def score_timeline(probe: Probe, subjects: list[str], scores: Floats) -> ScoreTimeline:
    """scores: (clips, subjects)."""
    return ScoreTimeline(seconds=seconds_of(probe), subjects=subjects, scores=_rounded(scores, _SCORE_DIGITS))


def seconds_of(probe: Probe) -> list[tuple[float, float]]:
    """When each clip of a probe begins and ends, in seconds from the first frame of its sequence."""
    return clip_seconds(probe.sequence, probe.model.clip)


def clip_seconds(sequence: SkeletonSequence, clip: ClipSpec) -> list[tuple[float, float]]:
    """Of clips as `model.clips.to_clips` makes them. Frames that are taken from all of a sequence span all of it."""
    whole = (0.0, round(sequence.seconds, 3))
    if clip.sampling == "uniform":
        return [whole] * clip.clips
    count = clip_frames(sequence, clip)
    if count <= clip.frames:
        return [whole]
    starts = window_places(count, clip.frames, clip.stride)[:, 0].tolist()
    return [(round(start / clip.fps, 3), round((start + clip.frames) / clip.fps, 3)) for start in starts]


def _rounded(values: Floats, digits: int = _DIGITS) -> list[list[float]]:
    return [[round(value, digits) for value in row] for row in values.tolist()]


async def with_scores(engine: Engine, probe: Probe, answer: "Decision") -> "Decision":
    """A decision with the scores of its candidates by clip. The model runs again: it is asked for to be looked at."""
    if probe.clips is None or not answer.candidates:
        return answer
    clips = unit_length(await engine.encoding.rows(probe.clips, probe.model))
    subjects, scores = await asyncio.to_thread(
        partial(
            scores_by_clip,
            engine.library,
            answer.gallery,
            [each.subject for each in answer.candidates],
            clips,
            fingerprint=probe.model.fingerprint,
        )
    )
    return msgspec.structs.replace(answer, timeline=score_timeline(probe, subjects, scores))
