"""Searches behind a batcher: those who ask alike at the same time share a search of the index."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import numpy as np

from gallery.actor import actor
from gallery.library import Library
from gallery.template import Decision
from model.errors import GaitkeeperError
from model.sequence import Floats
from service.engine.batcher import Batcher, chained
from service.engine.batcher import Bounds as QueueBounds
from service.operation.metrics import Metrics
from service.operation.telemetry import span, spans
from service.settings import Limits

# A batch of searches is one matrix product; more probes than this gain nothing.
SEARCHES_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a question is bounded by: those who ask alike share a search. `Library.identify` says what each means."""

    top_k: int = 5
    fpir: float | None = None
    within: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Search:
    """embedding: (dim,), of the encoder with this fingerprint. actor: who asks, for the audit log."""

    gallery: str
    embedding: Floats
    bounds: Bounds
    actor: str
    fingerprint: str


class Searching:
    """Of the galleries of a library, in a thread of its own."""

    def __init__(self, library: Library, limits: Limits, metrics: Metrics) -> None:
        self._library = library
        self.batcher: Batcher[Search, Decision] = Batcher(
            "search",
            self.work,
            cost=lambda _: 1,
            bounds=QueueBounds(SEARCHES_AT_ONCE, limits.queue_length, limits.queue_length, "searches"),
            observe=metrics.batch_observer("search"),
        )
        metrics.watch_queue("search", lambda: self.batcher.waiting)

    async def ask(self, gallery: str, embedding: Floats, bounds: Bounds, fingerprint: str) -> Decision:
        """Raises what `Library.identify` raises, and `Overloaded`."""
        with span("search"):
            return await self.batcher.ask(Search(gallery, embedding, bounds, actor(), fingerprint))

    async def after(
        self, rows: "Future[Floats]", gallery: str, bounds: Bounds, fingerprint: str, encoder: Batcher[Any, Any]
    ) -> Decision:
        """The same, once the encoder's answers (clips, dim) are there."""
        asker, traced = actor(), spans()
        traced("encode", rows)

        def begin(found: Floats) -> "Future[Decision]":
            embedding = found[0] if len(found) == 1 else found.mean(axis=0)  # the library sees to its length
            search = Search(gallery, embedding, bounds, asker, fingerprint)
            searched = self.batcher.done_here(search) if encoder.nobody_else else self.batcher.submit(search)
            traced("search", searched)
            return searched

        return await asyncio.wrap_future(chained(rows, begin))

    def work(self, searches: Sequence[Search]) -> list[Decision | Exception]:
        """One search of the index for those who ask alike; an error is the answer of its group only."""
        groups: dict[tuple[str, Bounds, str], list[int]] = {}
        for place, search in enumerate(searches):
            groups.setdefault((search.gallery, search.bounds, search.fingerprint), []).append(place)
        found: dict[int, Decision | Exception] = {}
        for (gallery, bounds, fingerprint), places in groups.items():
            answered = self._answers(gallery, bounds, fingerprint, [searches[place] for place in places])
            found.update(zip(places, answered, strict=True))
        return [found[place] for place in range(len(searches))]

    def _answers(
        self, gallery: str, bounds: Bounds, fingerprint: str, searches: Sequence[Search]
    ) -> Sequence[Decision | Exception]:
        try:
            return self._library.identify(
                gallery,
                np.stack([search.embedding for search in searches]),
                fingerprint=fingerprint,
                top_k=bounds.top_k,
                fpir=bounds.fpir,
                within=bounds.within,
                actors=[search.actor for search in searches],
            )
        except GaitkeeperError as error:
            return [error] * len(searches)
