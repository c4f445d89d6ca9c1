"""The streams of this process: opened within bounds, found by who may, ended together."""

import asyncio
import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from secrets import token_hex

import numpy as np

from model.errors import LimitExceeded, NotAllowed, Overloaded, UnknownResource
from service.access.caller import Caller, Scope
from service.engine.engine import Engine
from service.engine.stage import Stage
from service.settings import Limits
from service.streams import told
from service.streams.asked import Form, OpenStream
from service.streams.deciding import deciding
from service.streams.stream import Opening, Stream

RETRY_AFTER_S = 10.0


class Streams:
    """Used in the event loop's thread. A stream is its opener's, and an admin's; who may investigate in its gallery
    may look at it."""

    def __init__(self, engine: Engine, limits: Limits) -> None:
        self._engine, self._limits = engine, limits
        self._streams: dict[str, Stream] = {}
        self._opening: Counter[str] = Counter()
        self._closed = False
        # Threads of their own: those that wait for the store are everybody's.
        self._threads = ThreadPoolExecutor(max(1, len(os.sched_getaffinity(0)) // 2), "streams")

    async def open(self, asked: OpenStream, caller: Caller) -> Stream:
        """Raises `Overloaded` where there are too many, `LimitExceeded`, `UnknownLayout`, `LayoutMismatch`,
        `ModelMissing`, `UnknownGallery`, `BundleMismatch`, and `InvalidRequest` for a rate that is not supported."""
        form = self._form(asked)
        self._check_room(caller)
        self._opening[caller.id] += 1
        try:
            encoding = self._engine.encoding
            labelling = self._engine.labelling if asked.actions else None
            await asyncio.to_thread(_check_fits, form, encoding, labelling)
            name = token_hex(8)
            decides = await deciding(self._engine, caller, name, asked.gallery, asked.top_k, asked.rate())
        finally:
            self._opening[caller.id] -= 1
            self._opening += Counter()
        limits = self._limits
        opening = Opening(
            name,
            caller,
            form,
            decides,
            encoding,
            labelling,
            pace=limits.stream_fps,
            idle_s=limits.stream_idle_seconds,
            threads=self._threads,
        )
        stream = self._streams[name] = Stream(opening)
        stream.when_over(lambda: self._streams.pop(name, None))
        return stream

    def _form(self, asked: OpenStream) -> Form:
        if asked.fps > self._limits.stream_fps:
            raise LimitExceeded("fps", self._limits.stream_fps, asked.fps)
        if asked.top_k > self._limits.candidates:
            raise LimitExceeded("top_k", self._limits.candidates, asked.top_k)
        return asked.form()

    def _check_room(self, caller: Caller) -> None:
        mine = sum(each.opening.owner.id == caller.id for each in self._streams.values()) + self._opening[caller.id]
        all_of_them = len(self._streams) + self._opening.total()
        if self._closed or all_of_them >= self._limits.streams or mine >= self._limits.streams_of_one:
            raise Overloaded(RETRY_AFTER_S, "too many streams are open")

    @property
    def count(self) -> int:
        """How many are open; any thread may ask."""
        return len(self._streams)

    def of(self, caller: Caller) -> list[Stream]:
        """Those that the caller may see, by id."""
        return [self._streams[name] for name in sorted(self._streams) if _sees(caller, self._streams[name])]

    def get(self, name: str, caller: Caller) -> Stream:
        """One to look at. Raises `UnknownResource`, for somebody else's as for one that is not there."""
        found = self._streams.get(name)
        if found is None or not _sees(caller, found):
            raise UnknownResource("stream", name)
        return found

    def run(self, name: str, caller: Caller) -> Stream:
        """One to feed or end. Raises as `get` does, and `NotAllowed`."""
        found = self.get(name, caller)
        if not _runs(caller, found):
            raise NotAllowed((Scope.ADMIN,), "a stream is fed, and ended, by the key that opened it")
        return found

    async def close(self) -> None:
        """End them all, with a last word on everybody, and open no more."""
        self._closed = True
        await asyncio.gather(*(each.end("shutdown") for each in [*self._streams.values()]))
        self._threads.shutdown()

    def state(self, stream: Stream) -> told.Stream:
        opening, form = stream.opening, stream.opening.form
        plan = opening.deciding.plan
        return told.Stream(
            id=opening.id,
            gallery=opening.deciding.gallery,
            layout=form.layout.name,
            fps=form.fps,
            units=form.units.value,
            aspect=form.aspect,
            dims=form.dims,
            actions=opening.labelling is not None,
            trust_ids=form.trust_ids,
            fpir=plan.fpir,
            looks_share=plan.shares,
            opened=opening.opened,
            frames=stream.counts.frames,
            late=stream.counts.late,
            waiting=len(stream.inlet),
            listeners=stream.listeners,
            tracks=stream.followed(),
        )


def _sees(caller: Caller, stream: Stream) -> bool:
    """Whoever opened it, or may investigate, while they reach its gallery."""
    may = _runs(caller, stream) or caller.may(Scope.INVESTIGATE)
    return may and caller.reaches(stream.opening.deciding.gallery)


def _runs(caller: Caller, stream: Stream) -> bool:
    return caller.id == stream.opening.owner.id or caller.may(Scope.ADMIN)


def _check_fits(form: Form, encoding: Stage, labelling: Stage | None) -> None:
    """Raises `LayoutMismatch` where there is no way from these frames to the models."""
    poses = np.ones((2, form.layout.count, form.dims + 1), np.float32)
    poses[..., :-1] = np.arange(form.layout.count * form.dims).reshape(form.layout.count, form.dims)
    for stage in filter(None, [encoding, labelling]):
        stage.examine(form.sequence(poses))
