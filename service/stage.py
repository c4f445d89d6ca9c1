"""One model behind its batcher: what it requires of a sequence, and the batches that its requests share."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from model.clips import ClipSpec, to_clips
from model.errors import InvalidRequest, UnusableSequence
from model.layout import Layout
from model.prepare import prepare_people
from model.quality import IN_WORDS, Quality, assess
from model.runtime import Classifier, Encoder
from model.sequence import Floats, SkeletonSequence
from service.batcher import Batcher, Bounds
from service.limits import check_duration
from service.metrics import Metrics
from service.settings import Limits


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A sequence made ready for one model. clips: None if it is not usable, and `quality` says why.
    sequence: as it was sent."""

    clips: Floats | None
    quality: Quality
    notes: tuple[str, ...]
    sequence: SkeletonSequence

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
        model: Encoder | Classifier,
        run: Callable[[Floats], Floats],
        limits: Limits,
        metrics: Metrics,
        *,
        walking: bool,
    ) -> None:
        self.layout: Layout = model.layout
        self.clip: ClipSpec = model.clip
        self.fingerprint = model.fingerprint
        self._run, self._limits, self._walking = run, limits, walking
        self.batcher: Batcher[Floats, Floats] = Batcher(
            name,
            self._work,
            cost=lambda clips: math.prod(clips.shape[:-2]),
            bounds=Bounds(limits.batch_frames, limits.queue_length, limits.queue_frames, "sequence (frames in clips)"),
            observe=metrics.batch_observer(name),
        )
        metrics.watch_queue(name, lambda: self.batcher.waiting)

    def examine(self, sequence: SkeletonSequence, others: Sequence[SkeletonSequence] = ()) -> Probe:
        """Convert, judge and window a sequence, and with it those of others in the same frames.

        Raises `LayoutMismatch`, `LimitExceeded`, and `InvalidRequest` for others whom the model does not take.
        """
        if others and self.clip.people == 1:
            raise InvalidRequest("others", "this service's bundle takes one person at a time; leave them out")
        check_duration(sequence, self.clip, self._limits)
        prepared = prepare_people((sequence, *others), self.layout, self.clip)
        quality = assess(prepared.sequences[0], self.clip, walking=self._walking)
        clips = to_clips(prepared.sequences, self.clip, self.layout) if quality.usable else None
        return Probe(clips, quality, (*prepared.notes, *self._left_out(1 + len(others))), sequence)

    def _left_out(self, people: int) -> Sequence[str]:
        most = self.clip.people
        return [f"left out: {people - most} of {people} people; the model takes {most}"] if people > most else []

    async def mean(self, clips: Floats) -> Floats:
        """The mean (n,) of the model's answers over the clips of one sequence."""
        rows = await self.batcher.ask(clips)
        mean: Floats = rows.mean(axis=0)
        return mean

    def _work(self, items: list[Floats]) -> Sequence[Floats | Exception]:
        """One call of the model for the clips of several requests. If it fails, each is tried alone, so that nobody
        pays for what a neighbour sent."""
        if len(items) == 1:
            return [self._run(items[0])]
        try:
            rows = self._run(np.concatenate(items))
        except Exception:
            return [self._alone(item) for item in items]
        return np.split(rows, np.cumsum([len(item) for item in items])[:-1])

    def _alone(self, item: Floats) -> Floats | Exception:
        try:
            return self._run(item)
        except Exception as error:
            return error
