"""Where frames of a stream wait: bounded, at a bounded pace, and closed once."""

import asyncio
from collections import deque
from collections.abc import Sequence

from model.errors import Conflict, LimitExceeded, Overloaded
from service.streams.frames import Arrived
from service.streams.pace import Pace

ROOM = 256
RETRY_AFTER_S = 1.0


class Inlet:
    """Used in the thread of the event loop. pace: the most frames it takes in a second of the clock."""

    def __init__(self, pace: float) -> None:
        self._waiting: deque[Arrived] = deque()
        self._changed = asyncio.Condition()
        self._pace = Pace(pace, max(pace, ROOM))
        self._closed = ""

    def __len__(self) -> int:
        return len(self._waiting)

    async def offer(self, frames: Sequence[Arrived]) -> None:
        """Take all of the frames in now. Raises `Overloaded` where there is no room, `LimitExceeded` where there never
        will be, `Conflict` when it is closed."""
        if len(frames) > ROOM:
            raise LimitExceeded("frames", ROOM, len(frames))
        async with self._changed:
            self._check_open()
            if len(self._waiting) + len(frames) > ROOM or self._pace.wait(len(frames)) > 0:
                raise Overloaded(RETRY_AFTER_S, "frames come faster than they are taken")
            self._take(frames)

    async def put(self, frames: Sequence[Arrived]) -> None:
        """Take frames in as there is room for them: who sends faster is slowed down. Raises `Conflict`."""
        for frame in frames:
            if (wait := self._pace.wait(1)) > 0:
                await asyncio.sleep(wait)
            async with self._changed:
                await self._changed.wait_for(lambda: len(self._waiting) < ROOM or self._closed)
                self._check_open()
                self._take([frame])

    def _take(self, frames: Sequence[Arrived]) -> None:
        self._pace.spend(len(frames))
        self._waiting.extend(frames)
        self._changed.notify_all()

    def _check_open(self) -> None:
        if self._closed:
            raise Conflict("stream", f"has ended ({self._closed})")

    async def next(self, most: int, within_s: float) -> list[Arrived]:
        """Up to `most` frames, at once or when they come; none when it is closed and empty. Raises `TimeoutError`."""
        async with self._changed:
            async with asyncio.timeout(within_s):
                await self._changed.wait_for(lambda: self._waiting or self._closed)
            taken = [self._waiting.popleft() for _ in range(min(most, len(self._waiting)))]
            self._changed.notify_all()
        return taken

    async def close(self, reason: str, *, drop: bool = False) -> None:
        """Take nothing more in; those who wait for room are told why. drop: forget what waits, too."""
        async with self._changed:
            self._closed = self._closed or reason
            if drop:
                self._waiting.clear()
            self._changed.notify_all()
