"""One model behind its batcher: what it requires of a sequence, and the batches that its requests share."""

import math
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from model.clips import ClipSpec, to_clips
from model.errors import InvalidRequest, UnusableSequence
from model.layout import Layout
from model.prepare import prepare_people
from model.quality import IN_WORDS, Quality, assess
from model.sequence import Floats, SkeletonSequence
from service.answers.quality import Quality as Told
from service.answers.quality import quality as told
from service.engine.batcher import Batcher, Bounds
from service.engine.loaded import Loaded
from service.limits import check_duration
from service.operation.metrics import Metrics
from service.settings import Limits


@dataclass(frozen=True, slots=True, eq=False)
class Judging:
    """What a sequence is judged by (`model.quality.assess`)."""

    sequence: SkeletonSequence
    clip: ClipSpec
    walking: bool
    notes: tuple[str, ...]

    def judge(self) -> Quality:
        return assess(self.sequence, self.clip, walking=self.walking, notes=self.notes)


@dataclass(frozen=True, eq=False)
class Probe:
    """A sequence made ready for one model. ready: its clips, None if there are too few frames for any; `clips` are None
    too if the sequence is not usable, and `quality` says why. sequence: as it was sent. model: which one it is ready
    for, though another may have taken its place since."""

    ready: Floats | None
    notes: tuple[str, ...]
    sequence: SkeletonSequence
    model: Loaded
    asked: Judging

    @cached_property
    def quality(self) -> Quality:
        """Judged when it is first asked for."""
        return self.asked.judge()

    @cached_property
    def told(self) -> Told:
        """Its quality, as answers have it."""
        return told(self.quality)

    @property
    def is_judged(self) -> bool:
        return "quality" in vars(self)

    def judge_as(self, quality: Quality) -> None:
        """Somebody has judged it, together with others."""
        vars(self)["quality"] = quality

    @property
    def clips(self) -> Floats | None:
        return self.ready if self.quality.usable else None

    def required(self) -> Floats:
        """The clips. Raises `UnusableSequence` if there are none."""
        if self.clips is None:
            raise UnusableSequence(self.reasons, "; ".join(IN_WORDS[reason] for reason in self.quality.reasons))
        return self.clips

    @property
    def reasons(self) -> tuple[str, ...]:
        return tuple(str(reason) for reason in self.quality.reasons)


class Stage:
    """One model, its requirements on sequences, and the batches that its requests share.

    walking: its answers rest on gait, so somebody who does not walk is advised of it.
    """

    def __init__(
        self,
        name: str,
        model: Loaded,
        limits: Limits,
        metrics: Metrics,
        *,
        walking: bool,
    ) -> None:
        self.model = model
        self.limits, self._walking = limits, walking
        self.batcher: Batcher[_Item, Floats] = Batcher(
            name,
            _work,
            cost=lambda item: math.prod(item.clips.shape[:-2]),
            bounds=Bounds(limits.batch_frames, limits.queue_length, limits.queue_frames, "sequence (frames in clips)"),
            enough=lambda: self.model.at_once * self.clip.people * self.clip.frames,
            observe=metrics.batch_observer(name),
        )
        metrics.watch_queue(name, lambda: self.batcher.waiting)

    @property
    def layout(self) -> Layout:
        return self.model.layout

    @property
    def clip(self) -> ClipSpec:
        return self.model.clip

    @property
    def fingerprint(self) -> str:
        return self.model.fingerprint

    def examine(
        self,
        sequence: SkeletonSequence,
        others: Sequence[SkeletonSequence] = (),
        notes: Sequence[str] = (),
        *,
        judged: bool = True,
    ) -> Probe:
        """Convert, judge and window a sequence, and with it those of others in the same frames. notes: of its reader.
        judged: at once; or when somebody asks for its quality.

        Raises `LayoutMismatch`, `LimitExceeded`, and `InvalidRequest` for others whom the model does not take.
        """
        model = self.model  # one and the same to the end, though another may be put in its place meanwhile
        if others and model.clip.people == 1:
            raise InvalidRequest("others", "this service's bundle takes one person at a time; leave them out")
        check_duration(sequence, model.clip, self.limits)
        prepared = prepare_people((sequence, *others), model.layout, model.clip)
        judging = Judging(prepared.sequences[0], model.clip, self._walking, tuple(notes))
        try:
            clips = to_clips(prepared.sequences, model.clip, model.layout)
        except UnusableSequence:
            clips = None
        said = (*notes, *prepared.notes, *_left_out(1 + len(others), model))
        probe = Probe(clips, said, sequence, model, judging)
        if judged:
            _ = probe.quality
        return probe

    async def mean(self, clips: Floats, model: Loaded | None = None) -> Floats:
        """The mean (n,) of the model's answers over the clips of one sequence. model: which one they were made ready
        for (`Probe.model`); the present one by default."""
        mean: Floats = (await self.rows(clips, model)).mean(axis=0)
        return mean

    def submitted(self, clips: Floats, model: Loaded) -> "Future[Floats] | None":
        """The model's answers to come, for each clip of one sequence; None for more than fit into a batch (`rows`)."""
        return self.batcher.submit(_Item(model, clips)) if len(clips) <= self._most(clips) else None

    async def rows(self, clips: Floats, model: Loaded | None = None) -> Floats:
        """The model's answers (clips, n) for each clip of one sequence.

        More than fit into a batch are asked for in pieces of half a batch, one after the other: whoever comes meanwhile
        is answered between them.
        """
        model = model or self.model
        most = self._most(clips)
        if len(clips) <= most or most < 2:
            return await self.batcher.ask(_Item(model, clips))
        pieces = [clips[start : start + most // 2] for start in range(0, len(clips), most // 2)]
        return np.concatenate([await self.batcher.ask(_Item(model, piece)) for piece in pieces])

    def _most(self, clips: Floats) -> int:
        """How many such clips fit into a batch."""
        return min(self.limits.batch_frames // math.prod(clips.shape[1:-2]), self.model.at_once)


@dataclass(frozen=True, slots=True, eq=False)
class _Item:
    model: Loaded
    clips: Floats


def _left_out(people: int, model: Loaded) -> Sequence[str]:
    most = model.clip.people
    return [f"left out: {people - most} of {people} people; the model takes {most}"] if people > most else []


def _work(items: list[_Item]) -> Sequence[Floats | Exception]:
    """One call for each model that is asked: two, where one was put in the place of another just now."""
    models = {id(item.model): item.model for item in items}
    if len(models) == 1:
        return _together(items[0].model, [item.clips for item in items])
    found: dict[int, Floats | Exception] = {}
    for model in models.values():
        places = [place for place, item in enumerate(items) if item.model is model]
        found.update(zip(places, _together(model, [items[place].clips for place in places]), strict=True))
    return [found[place] for place in range(len(items))]


def _together(model: Loaded, clips: list[Floats]) -> Sequence[Floats | Exception]:
    """One call of the model for the clips of several requests. If it fails, each is tried alone, so that nobody
    pays for what a neighbour sent."""
    if len(clips) == 1:
        return [model.run(clips[0])]
    try:
        rows = model.run(np.concatenate(clips))
    except Exception:
        return [_alone(model, each) for each in clips]
    return np.split(rows, np.cumsum([len(each) for each in clips])[:-1])


def _alone(model: Loaded, clips: Floats) -> Floats | Exception:
    try:
        return model.run(clips)
    except Exception as error:
        return error
