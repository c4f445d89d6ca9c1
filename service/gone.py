"""Callers who hang up before they are answered."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive

T = TypeVar("T")

A_WHILE_S = 0.02


async def hung_up(receive: Receive) -> None:
    """Returns when the caller has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def unless_gone(request: Request, work: Awaitable[T]) -> T:
    """What `work` gives; if the caller hangs up first, the work is cancelled and `ClientDisconnect` raised. Work that
    takes no longer than `A_WHILE_S` is not watched over: there would be nothing to gain."""
    asking = asyncio.current_task()
    assert asking is not None
    left, watching = False, None

    def watch() -> None:
        nonlocal watching
        watching = asyncio.ensure_future(hung_up(request.receive))
        watching.add_done_callback(leave)

    def leave(done: asyncio.Task[None]) -> None:
        nonlocal left
        if not done.cancelled() and working:
            left = asking.cancel()

    working, soon = True, asyncio.get_running_loop().call_later(A_WHILE_S, watch)
    try:
        return await work
    except asyncio.CancelledError:
        if not left or asking.uncancel():  # it was the deadline, perhaps
            raise
        raise ClientDisconnect from None
    finally:
        working = False
        soon.cancel()
        if watching is not None:
            watching.cancel()
