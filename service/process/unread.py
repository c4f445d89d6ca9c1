"""Who asks for more than they take: a connection that is full is watched, and ended where nothing moves."""

import asyncio
import fcntl
import termios
from array import array
from asyncio import TimerHandle
from contextlib import suppress

# Slower callers than this, in bytes a second, give up at the stall limit: a byte now and then is no progress.
MIN_RATE = 1024


class Unread:
    """Ends a connection whose other end does not take what is sent: without it, nobody would ever hear of it."""

    def __init__(self, transport: asyncio.Transport, seconds: float) -> None:
        self._transport, self._seconds = transport, seconds
        self._loop = asyncio.get_running_loop()
        self._timer: TimerHandle | None = None
        self._left = 0
        self._moved = False

    def watch(self) -> None:
        """Abort unless what is buffered now gets less, and at last nothing, at `MIN_RATE`."""
        self._moved = True
        if self._timer is None and self._transport.get_write_buffer_size():
            self._moved, self._left = False, self._pending()
            self._timer = self._loop.call_later(self._seconds, self._look)

    def moved(self) -> None:
        """Some of it was taken, so that there is room again."""
        self._moved = True

    def _look(self) -> None:
        self._timer = None
        # Unless it has moved, nothing was written meanwhile, and what is less was taken.
        stuck = not self._moved and self._pending() > self._left - MIN_RATE * self._seconds
        if stuck and self._transport.get_write_buffer_size():
            self._transport.abort()
        else:
            self.watch()

    def _pending(self) -> int:
        """Bytes that the other end has not acknowledged: ours, and those in the kernel, which holds megabytes and
        tells us that there is room only when a third of them is gone."""
        held = array("i", [0])
        socket = self._transport.get_extra_info("socket")
        with suppress(OSError, ValueError):  # it was closed
            fcntl.ioctl(socket.fileno(), termios.TIOCOUTQ, held)
        return self._transport.get_write_buffer_size() + held[0]
