"""Long work that takes the interpreter: a few at a time, in threads of its own, so that nobody else waits for it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from typing import Any, TypeVar

T = TypeVar("T")

AT_ONCE = 2


class Aside:
    """So many calls at a time; whoever comes then waits for a turn, and holds nothing but what they came with.

    A call that nobody waits for any more cannot be stopped, and keeps its turn until it ends: or those who send and
    leave would fill the machine.
    """

    def __init__(self, at_once: int = AT_ONCE) -> None:
        self._turns = asyncio.Semaphore(at_once)
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="aside")

    async def call(self, work: Callable[[], T]) -> T:
        """What `work` gives."""
        await self._turns.acquire()
        loop = asyncio.get_running_loop()

        def done(_: "Future[Any]") -> None:
            with suppress(RuntimeError):  # the loop is gone, and with it all who wait
                loop.call_soon_threadsafe(self._turns.release)

        try:
            future = self._threads.submit(copy_context().run, work)
        except BaseException:
            self._turns.release()
            raise
        future.add_done_callback(done)
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """Accepts nothing more. What is under way ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)
