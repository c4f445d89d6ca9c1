"""Sequences that come in at the same moment are judged together: alike ones then take a third of the time each."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from model.quality import assess_all
from service.engine.batcher import Batcher
from service.engine.stage import Probe

# Long enough for a thread that waits for the interpreter to take it over, and to begin what needs none.
A_MOMENT_S = 1e-6


class Together:
    """Judges, in the event loop, the probes that were brought in one turn of it.

    batcher: the encoder's, which has them already; where it is idle it is let begin first, so that judging and encoding
    go on side by side.
    """

    def __init__(self, batcher: Batcher[Any, Any]) -> None:
        self._batcher = batcher
        self._waiting: list[tuple[Probe, asyncio.Future[None]]] = []

    async def judged(self, probe: Probe) -> Probe:
        """The same, with its quality."""
        if not probe.is_judged and not probe.asked.notes:
            loop = asyncio.get_running_loop()
            coming: asyncio.Future[None] = loop.create_future()
            self._waiting.append((probe, coming))
            if len(self._waiting) == 1:
                loop.call_soon(self._judge)
            await coming
        return probe

    def _judge(self) -> None:
        waiting, self._waiting = self._waiting, []
        if self._batcher.about_to_begin:
            time.sleep(A_MOMENT_S)
        groups: dict[Any, list[Probe]] = {}
        for probe, _ in waiting:
            groups.setdefault(_kind(probe), []).append(probe)
        try:
            for probes in groups.values():
                _judge_alike(probes)
        finally:  # whoever is not judged by now is so when asked
            for _, coming in waiting:
                if not coming.done():
                    coming.set_result(None)


def _kind(probe: Probe) -> object:
    sequence = probe.asked.sequence
    form = (sequence.layout.name, sequence.units, sequence.aspect, sequence.fps, sequence.joints.shape)
    return (id(probe.asked.clip), probe.asked.walking, *form)


def _judge_alike(probes: Sequence[Probe]) -> None:
    asked = probes[0].asked
    found = assess_all([probe.asked.sequence for probe in probes], asked.clip, walking=asked.walking)
    for probe, quality in zip(probes, found, strict=True):
        probe.judge_as(quality)
        _ = probe.told  # while it is encoded
