"""What answers: the models behind their batchers, the gallery behind another, and the path between them.

    sequence ─> examine ─> clips ─> [encoding batcher] ─> embedding ─> [search batcher] ─> decision

Encoding and searching have a thread each, so one batch is searched while the next is encoded.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from secrets import token_hex
from typing import Any, Protocol

import structlog

from gallery.actor import actor
from gallery.decide import abstain
from gallery.duplicates import Duplicates, Screen
from gallery.library import Library
from gallery.store import Added
from gallery.store.rows import Erasure
from gallery.template import Consent, Decision, Gallery, NewTemplate, now
from gallery.vault import pack, source_of
from model.clips import unit_length
from model.errors import StoreUnavailable, UnknownTemplate
from model.runtime import Classifier, Encoder
from model.sequence import Floats
from service.engine.batcher import Batcher
from service.engine.judging import Together
from service.engine.loaded import Loaded, as_classifier, as_encoder
from service.engine.models import Models
from service.engine.reloading import Opened, Reloading
from service.engine.searching import Bounds, Searching
from service.engine.stage import Probe, Stage
from service.events import Bus, Decided, Kind
from service.operation.collectors import Answering, Drift, Galleries, Work
from service.operation.metrics import Metrics
from service.operation.readiness import Readiness
from service.operation.telemetry import span
from service.operation.watch import Watch
from service.settings import Limits
from service.surface.deadline import committed

__all__ = ["Bounds", "Engine", "Keeping"]

_log = structlog.get_logger("gaitkeeper")


class Keeping(Protocol):
    """What works in threads of its own from start to stop."""

    def start(self) -> None: ...

    def stop(self) -> None: ...


class Engine:
    """The parts of one deployment, opened together and closed together.

    keeping: what works on the library beside the requests, stopped with them. open_models: see `Reloading`.
    free_disk_mb: see `Readiness`. events: the decisions, as they are made.
    """

    def __init__(
        self,
        encoder: Loaded | Encoder,
        classifier: Loaded | Classifier | None,
        library: Library,
        limits: Limits,
        metrics: Metrics,
        keeping: Sequence[Keeping] = (),
        open_models: Callable[[], Opened] | None = None,
        free_disk_mb: int = 0,
    ) -> None:
        self.library, self.metrics, self._keeping = library, metrics, keeping
        for each in keeping:
            each.start()
        self.models = Models(as_encoder(encoder), as_classifier(classifier), limits, metrics)
        self.reloading = Reloading(self.models, library, open_models)
        self._together = Together(self.models.encoding.batcher)
        self._searching = Searching(library, limits, metrics)
        self.readiness = Readiness(library, self._workers, free_disk_mb)
        self.watch = Watch(library)
        checks = self.readiness.checks
        for told in (Galleries(library), Drift(self.watch), Answering(self.models, checks), Work(library)):
            metrics.watch(told)
        self.events: Bus[Decided] = Bus()

    @property
    def encoding(self) -> Stage:
        return self.models.encoding

    @property
    def labelling(self) -> Stage:
        """The classifier's stage. Raises `ModelMissing` if none was opened."""
        return self.models.labelling

    def _workers(self) -> dict[str, Batcher[Any, Any]]:
        return {**self.models.batchers, "search": self._searching.batcher}

    async def embed(self, probe: Probe) -> Floats:
        """Embedding (dim,), unit length: the mean over clips, as in `model.inference.embed`."""
        with span("encode"):
            mean = await self.encoding.mean(probe.required(), probe.model)
        embedding: Floats = unit_length(mean[None])[0]
        return embedding

    async def identify(self, probe: Probe, gallery: str, bounds: Bounds, at_least: int | None = None) -> Decision:
        if at_least is not None:  # waited for here: in the thread that searches, everybody would wait
            await asyncio.to_thread(self.library.current, gallery, probe.model.fingerprint, at_least)
        # It is encoded while it is judged.
        coming = None if probe.ready is None else self.encoding.submitted(probe.ready, probe.model)
        await self._together.judged(probe)
        if probe.clips is None:
            if coming is not None:
                coming.cancel()
            await asyncio.to_thread(self.library.store.head, gallery)  # one that is not there is not an abstention
            return self.decided("identify", gallery, abstain(probe.reasons))
        if coming is None:
            embedding = await self.embed(probe)
            decision = await self.identify_embedding(embedding, probe.model.fingerprint, gallery, bounds)
        else:
            encoder = self.encoding.batcher
            decision = await self._searching.after(coming, gallery, bounds, probe.model.fingerprint, encoder)
        self.watch.decided(gallery, decision, probe.quality.measures)
        return self.decided("identify", gallery, decision)

    async def identify_embedding(self, embedding: Floats, fingerprint: str, gallery: str, bounds: Bounds) -> Decision:
        """Who this embedding (dim,) of an encoder is, made by the caller of several clips. What is said of it, if
        anything, `decided` counts and tells."""
        return await self._searching.ask(gallery, embedding, bounds, fingerprint)

    async def verify(self, probe: Probe, gallery: str, subject: str, fmr: float | None) -> Decision:
        if probe.clips is None:
            await asyncio.to_thread(self.library.subject, gallery, subject)
            return self.decided("verify", gallery, abstain(probe.reasons))
        embedding = await self.embed(probe)
        decision = await asyncio.to_thread(
            self.library.verify, gallery, subject, embedding, fingerprint=probe.model.fingerprint, fmr=fmr
        )
        return self.decided("verify", gallery, decision)

    async def enroll(
        self,
        probe: Probe,
        gallery: str,
        subject: str,
        labels: Mapping[str, str],
        consent: Consent | None = None,
        duplicates: Duplicates | None = None,
    ) -> Added:
        """A template of the subject, durable on return. The same recording sent again is the same template.

        Raises `DuplicateSubject` where `duplicates` has it checked and the subject is new and looks like another.
        """
        # Nothing is encoded for a gallery that is not there.
        head = await asyncio.to_thread(self.library.store.head, gallery)
        skeleton = None if head.vault_days is None else pack(probe.sequence)
        new = NewTemplate(
            subject, await self.embed(probe), labels, probe.sequence.frames, source_of(probe.sequence), skeleton
        )
        return await committed(self._enroll, gallery, probe.model.fingerprint, new, consent, duplicates)

    def _enroll(
        self, gallery: str, fingerprint: str, new: NewTemplate, consent: Consent | None, duplicates: Duplicates | None
    ) -> Added:
        screen = Screen(self.library, gallery, fingerprint=fingerprint, mode=duplicates)
        likeness = screen.likenesses([new])[0]
        if likeness is not None and screen.refuses:
            raise likeness.error
        return self.library.enroll(gallery, [new], fingerprint=fingerprint, consent=consent)[0]

    def create_gallery(self, name: str, *, vault_days: int | None = None, protected: bool = False) -> Gallery:
        """A gallery for this encoder's embeddings. Raises `GalleryExists`."""
        model = self.encoding.model
        self.library.create(
            name, fingerprint=model.fingerprint, dim=model.dim, vault_days=vault_days, protected=protected
        )
        return self.library.gallery(name)

    def erase_template(self, gallery: str, subject: str, template: int) -> Erasure:
        """Raises `UnknownSubject`, `UnknownTemplate` for one that is not this subject's, `SubjectHeld`."""
        if template not in {each.id for each in self.library.templates_of(gallery, subject)}:
            raise UnknownTemplate(gallery, str(template))
        return self.library.erase_template(gallery, template)

    def close(self) -> None:
        """Finish what was accepted; what is encoded goes on to be searched, so the search closes last."""
        self.models.close()
        self._searching.close()
        for each in self._keeping:
            each.stop()
        try:
            self.library.close()
        except StoreUnavailable as error:  # there is nobody left to tell but the log
            _log.error("the last entries of the audit log are lost", reason=str(error))

    def decided(
        self, kind: Kind, gallery: str, decision: Decision, stream: str | None = None, track: str | None = None
    ) -> Decision:
        """Count a decision, and tell whoever listens."""
        self.metrics.decision(kind, decision.outcome, decision.reasons)
        if self.events.listeners:
            self.events.publish(Decided(token_hex(8), now(), kind, gallery, decision, actor(), stream, track))
        return decision
