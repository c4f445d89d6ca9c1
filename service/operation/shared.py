"""What many ask at once is found out once: a flood of probes must not take the threads that requests need."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Shared:
    """Those who ask while it is being found out share the answer. Used in the thread of the event loop."""

    def __init__(self) -> None:
        self._under_way: dict[str, asyncio.Future[Any]] = {}

    async def ask(self, name: str, find: Callable[[], T]) -> T:
        """What `find` gives, in a thread; for each name one at a time."""
        task = self._under_way.get(name)
        if task is None or task.done():
            task = self._under_way[name] = asyncio.ensure_future(asyncio.to_thread(find))
        found: T = await asyncio.shield(task)
        return found
