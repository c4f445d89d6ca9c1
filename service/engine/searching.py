"""Searches behind a batcher: those who ask alike at the same time share a search of the index."""

import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from gallery.actor import actor
from gallery.library import Library
from gallery.store import Head
from gallery.template import Decision
from model.errors import GaitkeeperError
from model.sequence import Floats
from service.engine.batcher import Batcher, BatchSeen
from service.engine.batcher import Bounds as QueueBounds
from service.engine.following import followed
from service.operation.metrics import Metrics
from service.operation.telemetry import Spans, span
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
    """embedding: (dim,), of the encoder with this fingerprint. actor: who asks, for the audit log. head: of the
    gallery, if it was read since."""

    gallery: str
    embedding: Floats
    bounds: Bounds
    actor: str
    fingerprint: str
    head: Head | None = None


class Searching:
    """Of the galleries of a library, in a thread of its own."""

    def __init__(self, library: Library, limits: Limits, metrics: Metrics) -> None:
        self._library = library
        self._observe = metrics.batch_observer("search")
        self.batcher: Batcher[Search, Decision] = Batcher(
            "search",
            self.work,
            cost=lambda _: 1,
            bounds=QueueBounds(SEARCHES_AT_ONCE, limits.queue_length, limits.queue_length, "searches"),
            observe=self._observe,
        )
        metrics.watch_queue("search", lambda: self.batcher.waiting)
        self._heads = ThreadPoolExecutor(1, "gallery-head")

    def close(self) -> None:
        """Finish what was accepted."""
        self.batcher.close()
        self._heads.shutdown()

    async def ask(self, gallery: str, embedding: Floats, bounds: Bounds, fingerprint: str) -> Decision:
        """Raises what `Library.identify` raises, and `Overloaded`."""
        with span("search"):
            return await self.batcher.ask(Search(gallery, embedding, bounds, actor(), fingerprint))

    async def after(
        self, rows: "Future[Floats]", gallery: str, bounds: Bounds, fingerprint: str, encoder: Batcher[Any, Any]
    ) -> Decision:
        """The same, once the encoder's answers (clips, dim) are there. For whoever is alone the gallery is looked up
        meanwhile, and searched in the encoder's thread, which has nothing else to do; others share both."""
        asker, traced, loop_thread = actor(), Spans(), threading.get_ident()
        traced.until("encode", rows)
        head = self._heads.submit(self._library.head, gallery, fingerprint) if encoder.has_one else None

        def begin(found: Floats) -> "Future[Decision] | Decision":
            embedding = found[0] if len(found) == 1 else found.mean(axis=0)  # the library sees to its length
            if head is not None and encoder.has_one and threading.get_ident() != loop_thread:
                with traced.during("search"):
                    return self._alone(Search(gallery, embedding, bounds, asker, fingerprint, head.result()))
            searched = self.batcher.submit(Search(gallery, embedding, bounds, asker, fingerprint))
            traced.until("search", searched)
            return searched

        return await followed(rows, begin)

    def _alone(self, search: Search) -> Decision:
        began = time.monotonic()
        (found,) = self._answers(search.gallery, search.bounds, search.fingerprint, [search])
        self._observe(BatchSeen(1, 1, 0.0, time.monotonic() - began))
        if isinstance(found, Exception):
            raise found
        return found

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
                np.array([search.embedding for search in searches]),
                fingerprint=fingerprint,
                top_k=bounds.top_k,
                fpir=bounds.fpir,
                within=bounds.within,
                actors=[search.actor for search in searches],
                head=searches[0].head,
            )
        except GaitkeeperError as error:
            return [error] * len(searches)
