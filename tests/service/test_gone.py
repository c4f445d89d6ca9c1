"""Whoever leaves is not worked for any more, and nobody else is stopped by it."""

import asyncio

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message

from service.gone import A_WHILE_S, unless_gone


class Caller:
    """Has sent all of a request, and leaves when told to."""

    def __init__(self) -> None:
        self.leaving = asyncio.Event()

    @property
    def request(self) -> Request:
        return Request({"type": "http", "headers": []}, self._receive)

    async def _receive(self) -> Message:
        await self.leaving.wait()
        return {"type": "http.disconnect"}


class Work:
    """Goes on until it is finished or cancelled."""

    def __init__(self) -> None:
        self.begun, self.finished = asyncio.Event(), asyncio.Event()
        self.cancelled = False

    async def __call__(self) -> str:
        self.begun.set()
        try:
            await self.finished.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return "done"


def test_work_for_whoever_stays_is_finished() -> None:
    async def run() -> None:
        caller, work = Caller(), Work()
        work.finished.set()
        assert await unless_gone(caller.request, work()) == "done"
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}  # nobody waits for the caller to leave any more

    asyncio.run(run())


def test_who_is_answered_at_once_is_not_watched_over() -> None:
    async def run() -> None:
        caller, work = Caller(), Work()
        caller.leaving.set()
        work.finished.set()
        assert await unless_gone(caller.request, work()) == "done"
        await asyncio.sleep(2 * A_WHILE_S)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(run())


def test_work_for_whoever_leaves_is_cancelled() -> None:
    async def run() -> None:
        caller, work = Caller(), Work()
        answering = asyncio.ensure_future(unless_gone(caller.request, work()))
        await work.begun.wait()
        caller.leaving.set()
        with pytest.raises(ClientDisconnect):
            await answering
        assert work.cancelled

    asyncio.run(run())


def test_who_is_cancelled_by_somebody_else_is_told_so_and_not_that_the_caller_left() -> None:
    async def run() -> None:
        caller, work = Caller(), Work()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await unless_gone(caller.request, work())
        assert work.cancelled

    asyncio.run(run())


def test_who_leaves_when_the_work_is_done_stops_nothing_that_comes_after_it() -> None:
    async def run() -> None:
        caller, work = Caller(), Work()

        async def answer() -> str:
            found = await unless_gone(caller.request, work())
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            return found

        answering = asyncio.ensure_future(answer())
        await work.begun.wait()
        work.finished.set()
        caller.leaving.set()
        assert await answering == "done"

    asyncio.run(run())


def test_an_error_of_the_work_is_the_callers() -> None:
    async def run() -> None:
        async def fails() -> None:
            raise ValueError("its own")

        with pytest.raises(ValueError, match="its own"):
            await unless_gone(Caller().request, fails())

    asyncio.run(run())
