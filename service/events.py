"""What the service tells of as it happens: a bus that never waits for those who listen."""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Literal, TypeAlias, TypeVar

from gallery.template import Decision

E = TypeVar("E")
Kind: TypeAlias = Literal["identify", "verify", "stream"]

# Events that a listener may be behind; a decision is some kilobytes, so this is a megabyte or so for each.
ROOM = 1024


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision that was made. id: its own, the same for everybody who is told. actor: id of the caller who asked.
    stream, track: whose it is, of `kind` `stream`."""

    id: str
    at: datetime
    kind: Kind
    gallery: str
    decision: Decision
    actor: str
    stream: str | None = None
    track: str | None = None


@dataclass(frozen=True, slots=True)
class Missed:
    """So many events were dropped here, because the listener was too far behind."""

    count: int


class Bus(Generic[E]):
    """Hands each published event to everybody who listens at that moment.

    Nothing is kept for those who come later, and a listener that does not keep up loses events, never its place, and
    never anybody else's time.
    """

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._changing = threading.Lock()
        self._takers: tuple[Callable[[E], None], ...] = ()

    @property
    def listeners(self) -> int:
        return len(self._takers)

    def publish(self, event: E) -> None:
        """From any thread; never blocks."""
        for take in self._takers:
            take(event)

    def attach(self, take: Callable[[E], None]) -> Callable[[], None]:
        """Have `take` called for each event, in the thread that publishes it: it must neither block nor raise.
        Returns what ends that."""
        with self._changing:
            self._takers = (*self._takers, take)

        def detach() -> None:
            with self._changing:
                self._takers = tuple(each for each in self._takers if each is not take)

        return detach

    @asynccontextmanager
    async def subscribe(self, wanted: Callable[[E], bool] = lambda _: True) -> AsyncIterator[AsyncIterator[E | Missed]]:
        """The events from now on for which `wanted` holds, in order, and in place of those that were dropped how many
        they were. `wanted` is asked by who publishes, so that what is not wanted takes nobody's room."""
        inbox: _Inbox[E] = _Inbox(self._room, wanted)
        detach = self.attach(inbox.put)
        try:
            yield inbox.events()
        finally:
            detach()


class _Inbox(Generic[E]):
    """Between the thread that publishes and the event loop that listens. When it is full, the newest are dropped: what
    is told is whole up to the gap."""

    def __init__(self, room: int, wanted: Callable[[E], bool]) -> None:
        self._room, self._wanted = room, wanted
        self._loop = asyncio.get_running_loop()
        self._filled = asyncio.Event()
        self._lock = threading.Lock()
        self._waiting: deque[E] = deque()
        self._missed = 0

    def put(self, event: E) -> None:
        if not self._wanted(event):
            return
        with self._lock:
            # Behind a gap nothing is taken before the gap was told, so that it stands where it was.
            if self._missed or len(self._waiting) >= self._room:
                self._missed += 1
            else:
                self._waiting.append(event)
            first = len(self._waiting) + self._missed == 1
        if first:
            with suppress(RuntimeError):  # the loop has ended, and nobody is listening
                self._loop.call_soon_threadsafe(self._filled.set)

    async def events(self) -> AsyncIterator[E | Missed]:
        while True:
            await self._filled.wait()
            with self._lock:
                taken, missed = list(self._waiting), self._missed
                self._waiting.clear()
                self._missed = 0
                self._filled.clear()
            for event in taken:
                yield event
            if missed:
                yield Missed(missed)
