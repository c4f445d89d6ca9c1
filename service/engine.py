"""What answers: the models behind their batchers, the gallery behind another, and the path between them.

    sequence ─> examine ─> clips ─> [encoding batcher] ─> embedding ─> [search batcher] ─> decision

Encoding and searching have a thread each, so one batch is searched while the next is encoded.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from gallery.decide import abstain
from gallery.enroll import source_of
from gallery.library import Library
from gallery.store import Added
from gallery.template import Decision, Gallery, NewTemplate
from model.clips import unit_length
from model.errors import GaitkeeperError, ModelMissing, UnknownGallery
from model.runtime import Classifier, Encoder
from model.sequence import Floats
from service.batcher import Batcher, Bounds
from service.metrics import Metrics
from service.settings import Limits
from service.stage import Probe, Stage

# A batch of searches is one matrix product; more probes than this gain nothing.
SEARCHES_AT_ONCE = 256


@dataclass(frozen=True, slots=True, eq=False)
class _Search:
    gallery: str
    embedding: Floats
    top_k: int
    fpir: float | None


class Engine:
    """The parts of one deployment, opened together and closed together."""

    def __init__(
        self, encoder: Encoder, classifier: Classifier | None, library: Library, limits: Limits, metrics: Metrics
    ) -> None:
        self.library, self.metrics = library, metrics
        self.encoding = Stage("encode", encoder, encoder.embed_clips, limits, metrics, walking=True)
        self.labels = classifier.labels if classifier else ()
        self._labelling = (
            Stage("classify", classifier, classifier.probabilities, limits, metrics, walking=False)
            if classifier
            else None
        )
        self._searching: Batcher[_Search, Decision] = Batcher(
            "search",
            self._search,
            cost=lambda _: 1,
            bounds=Bounds(SEARCHES_AT_ONCE, limits.queue_length, limits.queue_length, "searches"),
            observe=metrics.batch_observer("search"),
        )
        metrics.watch_queue("search", lambda: self._searching.waiting)
        self.dim = encoder.dim

    @property
    def labelling(self) -> Stage:
        """The classifier's stage. Raises `ModelMissing` if none was opened."""
        if self._labelling is None:
            raise ModelMissing("of this service", "classifier")
        return self._labelling

    async def embed(self, probe: Probe) -> Floats:
        """Embedding (dim,), unit length: the mean over clips, as in `model.inference.embed`."""
        embedding: Floats = unit_length((await self.encoding.mean(probe.required()))[None])[0]
        return embedding

    async def identify(self, probe: Probe, gallery: str, top_k: int, fpir: float | None) -> Decision:
        if probe.clips is None:
            await asyncio.to_thread(self.library.store.head, gallery)  # one that is not there is not an abstention
            return self._counted("identify", abstain(probe.reasons))
        search = _Search(gallery, await self.embed(probe), top_k, fpir)
        return self._counted("identify", await self._searching.ask(search))

    async def verify(self, probe: Probe, gallery: str, subject: str, fmr: float | None) -> Decision:
        if probe.clips is None:
            await asyncio.to_thread(self.library.subject, gallery, subject)
            return self._counted("verify", abstain(probe.reasons))
        embedding = await self.embed(probe)
        decision = await asyncio.to_thread(
            self.library.verify, gallery, subject, embedding, fingerprint=self.encoding.fingerprint, fmr=fmr
        )
        return self._counted("verify", decision)

    async def enroll(self, probe: Probe, gallery: str, subject: str, labels: Mapping[str, str]) -> Added:
        """A template of the subject, durable on return. The same recording sent again is the same template."""
        await asyncio.to_thread(self.library.store.head, gallery)  # nothing is encoded for one that is not there
        new = NewTemplate(subject, await self.embed(probe), labels, probe.sequence.frames, source_of(probe.sequence))
        enroll = partial(self.library.enroll, gallery, [new], fingerprint=self.encoding.fingerprint)
        return (await asyncio.to_thread(enroll))[0]

    def create_gallery(self, name: str) -> Gallery:
        """A gallery for this encoder's embeddings. Raises `GalleryExists`."""
        self.library.create(name, fingerprint=self.encoding.fingerprint, dim=self.dim)
        return self.library.gallery(name)

    async def classify(self, probe: Probe) -> list[tuple[str, float]]:
        """Actions and their probabilities, best first."""
        mean = await self.labelling.mean(probe.required())
        return [(self.labels[i], float(mean[i])) for i in np.argsort(-mean, kind="stable")]

    def checks(self) -> dict[str, str]:
        """What readiness rests on, by part: `ok`, or what is wrong."""
        batchers: dict[str, Batcher[Any, Any]] = {"encoder": self.encoding.batcher, "search": self._searching}
        if self._labelling:
            batchers["classifier"] = self._labelling.batcher
        found = {name: "ok" if batcher.alive else "its worker has stopped" for name, batcher in batchers.items()}
        found["store"] = "ok"
        try:
            with suppress(UnknownGallery):
                self.library.store.head("default")
        except GaitkeeperError as error:
            found["store"] = str(error)
        return found

    def close(self) -> None:
        """Finish what was accepted; what is encoded goes on to be searched, so the search closes last."""
        self.encoding.batcher.close()
        if self._labelling:
            self._labelling.batcher.close()
        self._searching.close()
        self.library.close()

    def _counted(self, kind: str, decision: Decision) -> Decision:
        self.metrics.decision(kind, decision.outcome, decision.reasons)
        return decision

    def _search(self, searches: list[_Search]) -> list[Decision | Exception]:
        """One search of the index for each gallery and bound asked; an error is the answer of its group only."""
        groups: dict[tuple[str, int, float | None], list[int]] = {}
        for place, search in enumerate(searches):
            groups.setdefault((search.gallery, search.top_k, search.fpir), []).append(place)
        found: dict[int, Decision | Exception] = {}
        for (gallery, top_k, fpir), places in groups.items():
            embeddings = np.stack([searches[place].embedding for place in places])
            try:
                answered: Sequence[Decision | Exception] = self.library.identify(
                    gallery, embeddings, fingerprint=self.encoding.fingerprint, top_k=top_k, fpir=fpir
                )
            except GaitkeeperError as error:
                answered = [error] * len(places)
            found.update(zip(places, answered, strict=True))
        return [found[place] for place in range(len(searches))]
