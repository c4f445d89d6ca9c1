"""What follows on a future, begun in the thread that gave it, and told to the event loop once, at the end."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

Out = TypeVar("Out")
Last = TypeVar("Last")


async def followed(first: "Future[Out]", begin: "Callable[[Out], Future[Last] | Last]") -> Last:
    """What `begin` makes of the result of `first`, or will have made: those who shared a batch are together in the
    next. Cancelled, it cancels whichever of both is under way."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[Last] = loop.create_future()
    # Empty in the end: a future keeps its callbacks, and they would keep it, until somebody collects cycles.
    under_way: list[Future[Any]] = [first]

    def go_on(done: "Future[Out]") -> None:
        under_way.clear()
        if done.cancelled():
            loop.call_soon_threadsafe(answer.cancel)
            return
        try:
            second = begin(done.result())
        except Exception as error:
            tell(error)
            return
        if isinstance(second, Future):
            under_way.append(second)
            second.add_done_callback(finish)
            if answer.cancelled():
                second.cancel()
        else:
            tell(second)

    def finish(done: "Future[Last]") -> None:
        under_way.clear()
        if done.cancelled():
            loop.call_soon_threadsafe(answer.cancel)
        else:
            tell(done.exception() or done.result())

    def tell(result: Last | BaseException) -> None:
        loop.call_soon_threadsafe(_settle, answer, result)

    first.add_done_callback(go_on)
    try:
        return await answer
    finally:
        for each in [*under_way]:
            each.cancel()


def _settle(future: "asyncio.Future[Last]", result: Last | BaseException) -> None:
    if future.done():
        return
    if isinstance(result, BaseException):
        future.set_exception(result)
    else:
        future.set_result(result)
