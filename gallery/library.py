"""The library: every gallery of one store, searched through caches. The service and the command line use this."""

import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

import numpy as np

from gallery.cache import GalleryCache, View
from gallery.calibration import Calibration
from gallery.decide import Rule, decide, rule_for
from gallery.rank import Held, ranked, shortlist
from gallery.store import Added, Head, Store, Stored
from gallery.template import Decision, Gallery, NewTemplate, Subject, Template
from model.clips import unit_length
from model.errors import BundleMismatch, EmptyGallery, GalleryExists, InvalidRequest, UnknownGallery
from model.sequence import Floats

TOP_K_LIMIT = 1000
ATTEMPTS = 4


class Library:
    """Galleries over a store. Any thread may call any method; other processes may write to the same store.

    priors: the calibrations that came with bundles, by fingerprint. best: a subject's score is the mean of this many
    of its best template scores; 1 is the maximum.
    """

    def __init__(self, store: Store, *, priors: Mapping[str, Calibration] | None = None, best: int = 1) -> None:
        self.store = store
        self.best = best
        self._priors = dict(priors or {})
        for prior in self._priors.values():
            self._check_covers(prior)
        self._caches: dict[str, GalleryCache] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        self.store.close()

    # Galleries

    def create(self, gallery: str, *, fingerprint: str, dim: int) -> Gallery:
        """Make a gallery for embeddings of one bundle. Raises `GalleryExists`."""
        return self.store.create_gallery(gallery, fingerprint, dim)

    def ensure(self, gallery: str, *, fingerprint: str, dim: int) -> bool:
        """Make the gallery unless it is there; True if it was made. Raises `BundleMismatch`."""
        made = False
        try:
            self._head(gallery, fingerprint)
        except UnknownGallery:
            # Where another process was faster just now, it may have been with another bundle.
            with suppress(GalleryExists):
                self.create(gallery, fingerprint=fingerprint, dim=dim)
                made = True
            self._head(gallery, fingerprint)
        return made

    def galleries(self) -> list[Gallery]:
        return self.store.galleries()

    def gallery(self, gallery: str) -> Gallery:
        """Raises `UnknownGallery`."""
        return self.store.gallery(gallery).gallery

    def delete(self, gallery: str) -> None:
        """Delete a gallery and all in it. Raises `UnknownGallery`."""
        self.store.delete_gallery(gallery)
        with self._lock:
            self._caches.pop(gallery, None)

    def warm(self, gallery: str) -> int:
        """Build the gallery's cache now rather than at the first search; returns its templates."""
        return self._view(self.store.head(gallery)).index.count

    def set_calibration(self, gallery: str, calibration: Calibration | None) -> None:
        """Give a gallery its own calibration, which wins over the bundle's, or take it away."""
        if calibration is not None:
            self._check_covers(calibration)
        self.store.set_calibration(gallery, None if calibration is None else calibration.to_json())

    def _check_covers(self, calibration: Calibration) -> None:
        if calibration.best != self.best:
            raise InvalidRequest(
                "calibration.best",
                f"it was measured with the mean of the best {calibration.best} scores, this uses {self.best}",
            )

    # Subjects

    def enroll(self, gallery: str, new: Sequence[NewTemplate], *, fingerprint: str) -> list[Added]:
        """Add templates, all or none; on return they are durable and the next search finds them.

        Raises `UnknownGallery`, `BundleMismatch`, `StoreUnavailable`.
        """
        return self.store.enroll(gallery, fingerprint, new)

    def subjects(self, gallery: str, *, after: str = "", limit: int = 1000) -> list[Subject]:
        return self.store.subjects(gallery, after=after, limit=limit)

    def subject(self, gallery: str, subject: str) -> Subject:
        return self.store.subject(gallery, subject)

    def templates_of(self, gallery: str, subject: str) -> list[Template]:
        return self.store.templates_of(gallery, subject)

    def erase_subject(self, gallery: str, subject: str) -> int:
        """Erase a subject; on return no search gives it. Returns how many templates it had."""
        return self.store.erase_subject(gallery, subject)

    def erase_template(self, gallery: str, template: int) -> None:
        self.store.erase_template(gallery, template)

    # Decisions

    def identify(
        self,
        gallery: str,
        embeddings: Floats,
        *,
        fingerprint: str,
        top_k: int = 5,
        fpir: float | None = None,
        threshold: float | None = None,
    ) -> list[Decision]:
        """One decision for each probe of `embeddings` (q, dim), with its `top_k` best subjects.

        The threshold is the one calibrated for `fpir` (default: the calibration's target) at the gallery's size, or
        the one given. Raises `UnknownGallery`, `BundleMismatch`, `EmptyGallery`, `InvalidRequest`.
        """
        if not 1 <= top_k <= TOP_K_LIMIT:
            raise InvalidRequest("top_k", f"must be in 1..{TOP_K_LIMIT}, got {top_k}")
        head = self._head(gallery, fingerprint)
        probes = _probes(embeddings, head.dim)
        view, found = self._search(head, probes, max(top_k, 2))
        rule = self._rule(head, view.calibration, view.owners.subjects, view.index.count, fpir, threshold)
        return [
            _shortened(decide(candidates, view.owners.subjects, rule), top_k)
            for candidates in (ranked(probe, lists, self.best) for probe, lists in zip(probes, found, strict=True))
        ]

    def verify(
        self,
        gallery: str,
        subject: str,
        embedding: Floats,
        *,
        fingerprint: str,
        fmr: float | None = None,
        threshold: float | None = None,
    ) -> Decision:
        """Is the probe `embedding` (dim,) this subject? `fpir` of the decision is the false-match rate.

        Raises `UnknownGallery`, `UnknownSubject`, `BundleMismatch`, `InvalidRequest`.
        """
        head = self._head(gallery, fingerprint)
        probe = _probes(np.asarray(embedding)[None], head.dim)[0]
        held = self.store.templates_of(gallery, subject)
        candidates = ranked(probe, {subject: {t.id: t.embedding for t in held}}, self.best)
        own = self.store.calibration(gallery)
        calibration = None if own is None else Calibration.from_json(dict(own))
        rule = self._rule(head, calibration, 1, len(held), fmr, threshold)
        return decide(candidates, 1, rule)

    def _head(self, gallery: str, fingerprint: str) -> Head:
        try:
            head = self.store.head(gallery)
        except UnknownGallery:
            with self._lock:
                self._caches.pop(gallery, None)
            raise
        if head.fingerprint != fingerprint:
            raise BundleMismatch(gallery, head.fingerprint, fingerprint)
        return head

    def _view(self, head: Head) -> View:
        with self._lock:
            cache = self._caches.setdefault(head.name, GalleryCache(self.store))
        return cache.at(head)

    def _search(self, head: Head, probes: Floats, want: int) -> tuple[View, list[Held]]:
        """The best subjects of each probe with their templates, as they are in the store after the search."""
        for _ in range(ATTEMPTS):
            view = self._view(head)
            if not view.index.count:
                raise EmptyGallery(head.name)
            lists = shortlist(view.index, view.owners, probes, want, self.best)
            ids = sorted({template for found in lists for held in found.values() for template in held})
            stored = self.store.stored(ids, head.dim)
            if len(stored) == len(ids):
                break
            # Some were erased during the search: who comes next in their place takes another search to know.
            head = self.store.head(head.name)
        return view, [_as_stored(found, stored) for found in lists]

    def _rule(
        self,
        head: Head,
        own: Calibration | None,
        subjects: int,
        templates: int,
        fpir: float | None,
        threshold: float | None,
    ) -> Rule:
        if threshold is not None:
            if not -1 <= threshold <= 1:
                raise InvalidRequest("threshold", f"is a cosine and must be in [-1, 1], got {threshold:g}")
            return Rule(threshold)
        if own is not None:
            return rule_for(own, "gallery", subjects, templates, fpir)
        return rule_for(self._priors.get(head.fingerprint), "prior", subjects, templates, fpir)


def _as_stored(found: Mapping[int, Sequence[int]], stored: Mapping[int, Stored]) -> Held:
    lists: Held = {}
    for templates in found.values():
        for template in templates:
            if template in stored:
                lists.setdefault(stored[template].subject, {})[template] = stored[template].embedding
    return lists


def _shortened(decision: Decision, top_k: int) -> Decision:
    return replace(decision, candidates=decision.candidates[:top_k])


def _probes(embeddings: Floats, dim: int) -> Floats:
    """Probes (q, dim) of unit length, or `InvalidRequest`."""
    probes = np.asarray(embeddings, dtype=np.float32)
    if probes.ndim != 2 or probes.shape[1] != dim:
        raise InvalidRequest("embeddings", f"must be (probes, {dim}), got {probes.shape}")
    if not np.isfinite(probes).all():
        raise InvalidRequest("embeddings", "must be finite (no NaN, no infinity)")
    if not probes.any(axis=1).all():
        raise InvalidRequest("embeddings", "must not be zero")
    return unit_length(probes)
