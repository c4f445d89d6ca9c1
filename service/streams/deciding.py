"""From windows of somebody to what is said of them: encoded, searched at the rate of a look, told when it changes."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from gallery.decide import Rule, abstain
from gallery.replay import REPLAY_SUSPECTED
from gallery.sequential import Plan, plan_for, unsupported
from gallery.template import Decision, Outcome
from model.errors import EmptyGallery, InvalidRequest, Overloaded, StoreUnavailable
from service.access.caller import Caller
from service.engine.engine import Bounds, Engine
from service.streams.tracked import Said, Tracked, Window

T = TypeVar("T")

EMPTY, BUSY = "empty_gallery", "overloaded"
# A full queue or a store that is away for a moment is waited for; the frames wait too, and then their sender.
TRIES = 8
PAUSE_S = 0.25


class Deciding:
    """Decides on the people of one stream. plan: at which rates, which may change with the gallery."""

    def __init__(self, engine: Engine, stream: str, gallery: str, top_k: int, plan: Plan, fpir: float | None) -> None:
        self._engine, self._stream, self.gallery = engine, stream, gallery
        self._top_k, self.plan, self._fpir = top_k, plan, fpir

    async def judge(self, tracked: Tracked, windows: Sequence[Window], *, last: bool, frame: int) -> Said | None:
        """Take in windows of somebody, look if it is time, and give what is to be said, if anything.

        Raises what makes the stream end: `UnknownGallery`, `BundleMismatch`, `KeyUnavailable`.
        """
        for window in windows:
            await self._take(tracked, window)
        if tracked.probe is None:
            return None
        previous = tracked.verdict.said
        said = await self._said(tracked, last=last)
        if said is None:
            return None
        if previous is None or (previous.outcome, previous.subject) != (said.outcome, said.subject):
            self._engine.decided("stream", self.gallery, said, stream=self._stream, track=tracked.track.name)
        tracked.told = Said(
            track=tracked.track.name,
            frame=frame,
            look=tracked.verdict.looks,
            clips=tracked.mean.clips,
            last=last,
            previous=None if previous is None else previous.subject,
            track_fpir=self.plan.fpir,
            decision=said,
            probe=tracked.probe,
        )
        return tracked.told

    async def action(self, window: Window) -> tuple[str, float] | None:
        """What somebody does in a window, and how probable that is; None where it is not asked for or not usable."""
        probe = window.labelling
        if probe is None or probe.clips is None:
            return None
        clips = probe.clips
        row = await _patiently(lambda: self._engine.labelling.mean(clips, probe.model))
        if row is None:
            return None
        best = int(row.argmax())
        return probe.model.labels[best], float(row[best])

    async def _take(self, tracked: Tracked, window: Window) -> None:
        tracked.judged += 1
        clips = window.probe.clips
        if clips is None or window.reasons:
            if not tracked.mean.clips:
                tracked.probe, tracked.reasons = window.probe, window.reasons
            return
        tracked.probe, tracked.reasons = window.probe, (BUSY,)
        row = await _patiently(lambda: self._engine.encoding.mean(clips, window.probe.model))
        if row is not None:
            tracked.mean.add(row, window.probe.model.fingerprint)

    async def _said(self, tracked: Tracked, *, last: bool) -> Decision | None:
        verdict = tracked.verdict
        if not tracked.mean.clips:
            return verdict.hear(abstain(tracked.reasons), windows=tracked.judged, last=last)
        if tracked.due(self.plan, last=last):
            found = await self._look(tracked)
            if found is not None:
                verdict.look(tracked.mean.clips)
                hold = await asyncio.to_thread(self._rule, self._fpir) if self._matched(verdict.said) else None
                return verdict.hear(found, hold=hold, last=last)
        return verdict.last_word() if last else None

    def _matched(self, said: Decision | None) -> bool:
        return said is not None and said.outcome is Outcome.MATCH

    async def _look(self, tracked: Tracked) -> Decision | None:
        """One search of the mean of all clips so far; None where it cannot be done now."""
        try:
            found = await _patiently(lambda: self._search(tracked))
        except EmptyGallery:
            return abstain([EMPTY])
        except InvalidRequest as error:
            if error.field != "fpir":
                raise
            return await self._after_change(tracked)
        return None if found is None else _one_recording(found, tracked)

    async def _after_change(self, tracked: Tracked) -> Decision | None:
        """The gallery or its calibration is another one now, and does not support the rate: fewer looks, or none."""
        try:
            self.plan = await asyncio.to_thread(plan_for, self._rule, self._fpir)
            found = await _patiently(lambda: self._search(tracked)) if self.plan.left(tracked.verdict.looks) else None
        except InvalidRequest:
            return unsupported()
        return None if found is None else _one_recording(found, tracked)

    async def _search(self, tracked: Tracked) -> Decision:
        bounds = Bounds(self._top_k, self.plan.fpir_of_look)
        mean = tracked.mean
        return await self._engine.identify_embedding(mean.embedding, mean.fingerprint, self.gallery, bounds)

    def _rule(self, fpir: float | None) -> Rule:
        return self._engine.library.rule(self.gallery, self._engine.encoding.fingerprint, fpir)


async def _patiently(ask: Callable[[], Awaitable[T]]) -> T | None:
    """The answer; None where there is no room, or no store, for long."""
    for _ in range(TRIES):
        try:
            return await ask()
        except (Overloaded, StoreUnavailable):
            await asyncio.sleep(PAUSE_S)
    return None


def _one_recording(found: Decision, tracked: Tracked) -> Decision:
    """Looks at one person are alike; only the first can tell whether it is a recording that was there before."""
    if tracked.replayed is None:
        tracked.replayed = REPLAY_SUSPECTED in found.reasons
    others = tuple(reason for reason in found.reasons if reason != REPLAY_SUSPECTED)
    return replace(found, reasons=(*others, REPLAY_SUSPECTED) if tracked.replayed else others)


async def deciding(
    engine: Engine, caller: Caller, stream: str, gallery: str, top_k: int, fpir: float | None
) -> Deciding:
    """Raises `UnknownGallery`, `BundleMismatch`; `InvalidRequest` for a rate that the calibration does not support."""
    caller.check_gallery(gallery)
    fingerprint = engine.encoding.fingerprint

    def plan() -> Plan:
        return plan_for(lambda rate: engine.library.rule(gallery, fingerprint, rate), fpir)

    return Deciding(engine, stream, gallery, top_k, await asyncio.to_thread(plan), fpir)
