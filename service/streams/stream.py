"""One camera's stream: frames wait in a bounded inlet, one task follows the people in them and tells of it.

    frames ─> inlet ─> [thread: follow, cut windows] ─> encode, search ─> events to whoever listens

While windows are encoded the inlet fills, and whoever sends waits: nothing here grows without a bound. Nothing is kept
when the stream ends.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeAlias

import numpy as np
import structlog

from gallery.template import now
from model.errors import GaitkeeperError, Overloaded
from service.access.caller import Caller
from service.engine.stage import Stage
from service.events import Bus, Missed
from service.streams import told
from service.streams.asked import Form
from service.streams.deciding import Deciding
from service.streams.frames import Arrived
from service.streams.inlet import Inlet
from service.streams.moments import Due, Moment, Moments
from service.streams.tracked import Said, Tracked, Window

_log = structlog.get_logger("gaitkeeper.streams")

AT_ONCE = 25
STATS_EVERY_S = 2.0
LISTENERS = 16
# Events that a listener may be behind: some seconds, since with skeletons each holds everybody in a frame.
BEHIND = 256
RETRY_AFTER_S = 5.0

Event: TypeAlias = (
    told.TrackStarted | told.TrackEnded | told.TrackAction | told.FrameSeen | told.Stats | told.StreamEnded | Said
)


@dataclass(slots=True)
class Counts:
    """Frames that came, those of them that came too late, windows that were encoded, and those that were not usable."""

    frames: int = 0
    late: int = 0
    clips: int = 0
    unusable: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Opening:
    """What a stream is for. labelling: of the actions, if they are wanted. pace: the most frames it takes in a second
    of the clock. idle_s: it ends when no frame came for so long. threads: where people are followed."""

    id: str
    owner: Caller
    form: Form
    deciding: Deciding
    encoding: Stage
    labelling: Stage | None
    pace: int
    idle_s: float
    threads: Executor
    opened: datetime = field(default_factory=now)


class Stream:
    """Made, run and used in the thread of the event loop."""

    def __init__(self, opening: Opening) -> None:
        self.opening, self.counts = opening, Counts()
        self._moments = Moments(opening.form, opening.encoding, opening.labelling)
        self.inlet = Inlet(opening.pace)
        self._tracks: dict[str, Tracked] = {}
        self._bus: Bus[Event] = Bus(BEHIND)
        self._skeletons = 0
        self._frame, self._first = -1, 0.0
        self._stats_at = -np.inf
        self.ending: told.StreamEnded | None = None
        self._task = asyncio.ensure_future(self._run())

    @property
    def listeners(self) -> int:
        return self._bus.listeners

    @property
    def over(self) -> bool:
        return self._task.done()

    def seconds(self, frame: int) -> float:
        """Since the first frame."""
        return round(max(frame, 0) / self.opening.form.fps, 3)

    # Events out

    @asynccontextmanager
    async def listen(self, *, skeletons: bool) -> AsyncIterator[AsyncIterator[Event | Missed]]:
        """The events from now on, until `StreamEnded`; who is followed already, and as whom, is told first.

        Raises `Overloaded` for too many listeners.
        """
        if self.listeners >= LISTENERS:
            raise Overloaded(RETRY_AFTER_S, "too many listen to this stream")
        self._skeletons += skeletons
        try:
            async with self._bus.subscribe(lambda event: skeletons or not isinstance(event, told.FrameSeen)) as events:
                yield _until_ended([*self._so_far()], events)
        finally:
            self._skeletons -= skeletons

    def _so_far(self) -> Iterator[Event]:
        if self.over and self.ending is not None:
            yield self.ending
        for each in self._tracks.values():
            yield self._started(each)
            if each.told is not None:
                yield each.told

    def followed(self) -> list[told.Track]:
        """Everybody who is followed now."""
        return [self._followed(each) for each in self._tracks.values()]

    def _followed(self, tracked: Tracked) -> told.Track:
        track, said = tracked.track, tracked.verdict.said
        return told.Track(
            track=track.name,
            first=self.seconds(track.first),
            last=self.seconds(track.last),
            source=track.source,
            outcome=None if said is None else said.outcome.value,
            subject=None if said is None else said.subject,
        )

    def _started(self, tracked: Tracked) -> told.TrackStarted:
        track = tracked.track
        return told.TrackStarted(track=track.name, at=self.seconds(track.first), source=track.source)

    # The end

    async def end(self, reason: told.Ending) -> None:
        """Finish the frames that came, say the last word on everybody, and end. Returns when that is done."""
        self.ending = self.ending or told.StreamEnded(reason=reason)
        await self.inlet.close(reason)
        await asyncio.wait({self._task})

    def when_over(self, call: Callable[[], object]) -> None:
        """`call` is called when it has ended."""
        self._task.add_done_callback(lambda _: call())

    async def _run(self) -> None:
        try:
            while batch := await self._next():
                await self._advance(batch)
            loop = asyncio.get_running_loop()
            await self._tell(await loop.run_in_executor(self.opening.threads, self._moments.finish, self._frame))
        except GaitkeeperError as error:
            self.ending = told.StreamEnded(reason="error", detail=str(error))
        except Exception:
            _log.exception("a stream has failed", stream=self.opening.id)
            self.ending = told.StreamEnded(reason="error", detail="an error of the service; its log says more")
        assert self.ending is not None
        await self.inlet.close(self.ending.reason, drop=True)
        self._tracks.clear()
        self._bus.publish(self.ending)

    async def _next(self) -> list[Arrived]:
        try:
            return await self.inlet.next(AT_ONCE, self.opening.idle_s)
        except TimeoutError:
            self.ending = told.StreamEnded(reason="idle")
        return []

    # From frames to events

    async def _advance(self, batch: Sequence[Arrived]) -> None:
        numbered = [(frame, each) for each in batch if (frame := self._number(each)) is not None]
        self.counts.frames += len(batch)
        self.counts.late += len(batch) - len(numbered)
        figures = self._skeletons > 0
        advance = partial(self._moments.advance, numbered, figures=figures)
        for moment in await asyncio.get_running_loop().run_in_executor(self.opening.threads, advance):
            await self._tell(moment)
        if time.monotonic() - self._stats_at >= STATS_EVERY_S:
            self._stats_at = time.monotonic()
            self._bus.publish(self._stats())

    def _number(self, arrived: Arrived) -> int | None:
        """The frame's number, from 0 at the stream's first; None for one that comes too late."""
        given = arrived.frame if arrived.at is None else arrived.at * self.opening.form.fps
        if given is not None and self._frame < 0:
            self._first = given
        number = self._frame + 1 if given is None else round(given - self._first)
        if number <= self._frame:
            return None
        self._frame = number
        return number

    async def _tell(self, moment: Moment) -> None:
        for tracked in moment.started:
            self._tracks[tracked.track.name] = tracked
            self._bus.publish(self._started(tracked))
        if moment.figures is not None:
            at = self.seconds(moment.frame)
            self._bus.publish(told.FrameSeen(frame=moment.frame, at=at, people=moment.figures))
        judged = await asyncio.gather(*(self._judge(each, moment.frame) for each in moment.due), return_exceptions=True)
        for error in filter(None, judged):
            raise error
        for track in (each.tracked.track for each in moment.due if each.ended):
            self._tracks.pop(track.name, None)
            self._bus.publish(told.TrackEnded(track=track.name, at=self.seconds(track.last), frames=track.count))

    async def _judge(self, due: Due, frame: int) -> None:
        usable = sum(not window.reasons for window in due.windows)
        self.counts.clips += usable
        self.counts.unusable += len(due.windows) - usable
        for window in due.windows:
            await self._label(due.tracked, window)
        said = await self.opening.deciding.judge(due.tracked, due.windows, last=due.ended, frame=frame)
        if said is not None:
            self._bus.publish(said)

    async def _label(self, tracked: Tracked, window: Window) -> None:
        action = await self.opening.deciding.action(window)
        if action is not None:
            start, end = self.seconds(window.first), self.seconds(window.last)
            name, probability = action
            self._bus.publish(
                told.TrackAction(
                    track=tracked.track.name, start=start, end=end, action=name, probability=round(probability, 4)
                )
            )

    def _stats(self) -> told.Stats:
        counts = self.counts
        return told.Stats(
            at=self.seconds(self._frame),
            frames=counts.frames,
            late=counts.late,
            waiting=len(self.inlet),
            tracks=len(self._tracks),
            clips=counts.clips,
            unusable=counts.unusable,
        )


async def _until_ended(
    already: Sequence[Event], events: AsyncIterator[Event | Missed]
) -> AsyncIterator[Event | Missed]:
    for each in already:
        yield each
        if isinstance(each, told.StreamEnded):
            return
    async for event in events:
        yield event
        if isinstance(event, told.StreamEnded):
            return
