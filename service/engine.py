"""What answers: the models behind their batchers, the gallery behind another, and the path between them.

    sequence ─> examine ─> clips ─> [encoding batcher] ─> embedding ─> [search batcher] ─> decision

Encoding and searching have a thread each, so one batch is searched while the next is encoded.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from gallery.library import Library
from gallery.template import Decision, Outcome
from model.clips import ClipSpec, to_clips, unit_length
from model.errors import GaitkeeperError, ModelMissing, UnusableSequence
from model.layout import Layout
from model.prepare import prepare
from model.quality import Quality, assess
from model.runtime import Classifier, Encoder
from model.sequence import Floats, SkeletonSequence
from service.batcher import Batcher, Bounds
from service.limits import check_duration
from service.metrics import Metrics
from service.settings import Limits


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A sequence made ready for one model. clips: None if it is not usable, and `quality` says why."""

    clips: Floats | None
    quality: Quality
    notes: tuple[str, ...]
    frames: int

    def required(self) -> Floats:
        """The clips. Raises `UnusableSequence` if there are none."""
        if self.clips is None:
            raise UnusableSequence([str(reason) for reason in self.quality.reasons])
        return self.clips


class Stage:
    """One model, its requirements on sequences, and the batches that its requests share."""

    def __init__(
        self, name: str, model: Encoder | Classifier, run: Callable[[Floats], Floats], limits: Limits, metrics: Metrics
    ) -> None:
        self.layout: Layout = model.layout
        self.clip: ClipSpec = model.clip
        self.fingerprint = model.fingerprint
        self._limits = limits

        def work(items: list[Floats]) -> Sequence[Floats]:
            rows = run(np.concatenate(items) if len(items) > 1 else items[0])
            return np.split(rows, np.cumsum([len(item) for item in items])[:-1])

        self.batcher: Batcher[Floats, Floats] = Batcher(
            name,
            work,
            cost=lambda clips: clips.shape[0] * clips.shape[1],
            bounds=Bounds(limits.batch_frames, limits.queue_length, limits.queue_frames, "sequence (frames in clips)"),
            observe=metrics.batch_observer(name),
        )
        metrics.watch_queue(name, lambda: self.batcher.waiting)

    def examine(self, sequence: SkeletonSequence) -> Probe:
        """Convert, judge and window a sequence. Raises `LayoutMismatch` or `LimitExceeded`."""
        check_duration(sequence, self.clip, self._limits)
        prepared = prepare(sequence, self.layout, self.clip)
        quality = assess(prepared.sequence, self.clip)
        clips = to_clips(prepared.sequence, self.clip, self.layout) if quality.usable else None
        return Probe(clips, quality, prepared.notes, sequence.frames)

    async def mean(self, clips: Floats) -> Floats:
        """The mean (n,) of the model's answers over the clips of one sequence."""
        rows = await self.batcher.ask(clips)
        mean: Floats = rows.mean(axis=0)
        return mean


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
        self.encoding = Stage("encode", encoder, encoder.embed_clips, limits, metrics)
        self.labels = classifier.labels if classifier else ()
        self._labelling = classifier and Stage("classify", classifier, classifier.probabilities, limits, metrics)
        self._searching: Batcher[_Search, Decision] = Batcher(
            "search",
            self._search,
            cost=lambda search: 1,
            bounds=Bounds(SEARCHES_AT_ONCE, limits.queue_length, limits.queue_length, "searches"),
            observe=metrics.batch_observer("search"),
        )
        metrics.watch_queue("search", lambda: self._searching.waiting)
        self.encoder_dim = encoder.dim

    @property
    def labelling(self) -> Stage:
        """The classifier's stage. Raises `ModelMissing` if none was opened."""
        if self._labelling is None:
            raise ModelMissing("of this service", "classifier")
        return self._labelling

    async def embed(self, probe: Probe) -> Floats:
        """Embedding (dim,), unit length: the mean over clips, as in `model.inference.embed`."""
        return unit_length((await self.encoding.mean(probe.required()))[None])[0]

    async def identify(self, probe: Probe, gallery: str, top_k: int, fpir: float | None) -> Decision:
        if probe.clips is None:
            await asyncio.to_thread(self.library.describe, gallery)  # a gallery that is not there is not an abstention
            return self._counted("identify", _abstained(probe))
        search = _Search(gallery, await self.embed(probe), top_k, fpir)
        return self._counted("identify", await self._searching.ask(search))

    async def verify(self, probe: Probe, gallery: str, subject: str, fpir: float | None) -> Decision:
        if probe.clips is None:
            await asyncio.to_thread(self.library.show_subject, gallery, subject)
            return self._counted("verify", _abstained(probe))
        embedding = await self.embed(probe)
        decision = await asyncio.to_thread(
            self.library.verify, gallery, subject, embedding, fingerprint=self.encoding.fingerprint, fpir=fpir
        )
        return self._counted("verify", decision)

    async def classify(self, probe: Probe) -> list[tuple[str, float]]:
        """Actions and their probabilities, best first."""
        mean = await self.labelling.mean(probe.required())
        return [(self.labels[i], float(mean[i])) for i in np.argsort(-mean, kind="stable")]

    def checks(self) -> dict[str, str]:
        """What readiness rests on, by part: `ok`, or what is wrong."""
        batchers = {"encoder": self.encoding.batcher, "search": self._searching}
        if self._labelling:
            batchers["classifier"] = self._labelling.batcher
        found = {name: "ok" if batcher.alive else "its worker has stopped" for name, batcher in batchers.items()}
        try:
            self.library.list()
        except GaitkeeperError as error:
            return {**found, "store": str(error)}
        return {**found, "store": "ok"}

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


def _abstained(probe: Probe) -> Decision:
    return Decision(Outcome.ABSTAIN, reasons=tuple(str(reason) for reason in probe.quality.reasons))
