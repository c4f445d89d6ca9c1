"""Identify and verify: from probes to decisions, over the galleries of one store."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from gallery.actor import actor
from gallery.calibration import Calibration
from gallery.decide import Rule, decide, rule_for
from gallery.index import IndexPolicy
from gallery.owners import NOBODY
from gallery.probes import check_bounds, checked_probes
from gallery.rank import exact_scores, ranked
from gallery.replay import REPLAY_SUSPECTED, RecentProbes, ReplayPolicy
from gallery.search import Found, search
from gallery.snapshots import Snapshots
from gallery.store import Head, Store
from gallery.store.audit import Note
from gallery.store.moments import moment
from gallery.store.naming import subject_keys
from gallery.template import Decision
from gallery.view import View
from gallery.views import Views
from model.errors import (
    BundleMismatch,
    EmptyGallery,
    InvalidRequest,
    NotCurrent,
    StoreUnavailable,
    UnknownGallery,
    UnknownSubject,
)
from model.sequence import Floats

if TYPE_CHECKING:
    from gallery.recorder import Recorder

ATTEMPTS = 4
# How long a change that is demanded is waited for, and how often it is looked for.
CURRENT_WITHIN_S = 0.25
LOOK_EVERY_S = 0.01
NO_TEMPLATE = -1


class Answering:
    """Decisions over the galleries of a store.

    priors: the calibrations that came with bundles, by fingerprint. best: a subject's score is the mean of this many
    of its best template scores; 1 is the maximum. policy: which kind of index a gallery gets. replay: when a probe is
    noted as a replay; None: never. recorder: keeps every decision in the audit log, and is closed with this.
    """

    def __init__(
        self,
        store: Store,
        *,
        priors: Mapping[str, Calibration] | None = None,
        best: int = 1,
        policy: IndexPolicy | None = None,
        replay: ReplayPolicy | None = None,
        recorder: "Recorder | None" = None,
    ) -> None:
        self.store = store
        self.best = best
        policy = policy or IndexPolicy()
        self.snapshots = Snapshots(store, store.directory, policy)
        self.views = Views(store, policy, self.snapshots)
        self.snapshots.view_of = self.views.if_open
        self.recent = None if replay is None else RecentProbes(replay)
        self.recorder = recorder
        self._priors: dict[str, Calibration] = {}
        for fingerprint, prior in (priors or {}).items():
            self.use_prior(fingerprint, prior)

    def close(self) -> None:
        """Raises `StoreUnavailable` where the last entries of the audit log cannot be written; all is closed then."""
        try:
            if self.recorder is not None:
                self.recorder.close()
        finally:
            self.store.close()

    def use_prior(self, fingerprint: str, prior: Calibration) -> None:
        """Hold galleries of this bundle that have no calibration of their own to its maker's."""
        self.check_covers(prior)
        self._priors[fingerprint] = prior

    def prior(self, fingerprint: str) -> Calibration | None:
        return self._priors.get(fingerprint)

    def check_covers(self, calibration: Calibration) -> None:
        """Raises `InvalidRequest` for a calibration that was measured with another way to score subjects."""
        if calibration.best != self.best:
            raise InvalidRequest(
                "calibration.best",
                f"it was measured with the mean of the best {calibration.best} scores, this uses {self.best}",
            )

    def head(self, gallery: str, fingerprint: str) -> Head:
        """The gallery as it is now. Raises `UnknownGallery`, `BundleMismatch`."""
        try:
            head = self.store.head(gallery)
        except UnknownGallery:
            self.views.drop(gallery)
            raise
        if head.fingerprint != fingerprint:
            raise BundleMismatch(gallery, head.fingerprint, fingerprint)
        return head

    def forget_others(self, galleries: set[int]) -> None:
        """Drop what is in memory of galleries other than these (keys)."""
        self.views.keep(galleries)
        if self.recent is not None:
            self.recent.keep(galleries)

    def identify(
        self,
        gallery: str,
        embeddings: Floats,
        *,
        fingerprint: str,
        top_k: int = 5,
        fpir: float | None = None,
        threshold: float | None = None,
        within: Sequence[str] | None = None,
        at_least: int | None = None,
        actors: Sequence[str] | None = None,
        head: Head | None = None,
    ) -> list[Decision]:
        """One decision for each probe of `embeddings` (q, dim), with its `top_k` best subjects.

        The threshold is the one calibrated for `fpir` (default: the calibration's target) at the gallery's size, or
        the one given. within: search among these subjects only, exactly; how many they are is then the size.
        at_least: the number of a change (`Decision.seq`) that the answer must have seen. actors: who asks for each
        probe, for the audit log; default the present one for all. head: of the gallery, from whoever has read it since
        the question came; by default it is read now.
        Raises `UnknownGallery`, `BundleMismatch`, `EmptyGallery`, `UnknownSubject` (of `within`), `NotCurrent`,
        `InvalidRequest`, `LimitExceeded`.
        """
        check_bounds(top_k, within)
        head = head or self.current(gallery, fingerprint, at_least)
        probes = checked_probes(embeddings, head.dim)
        head, view, found = self._search(head, probes, max(top_k, 2), within)
        rule = self._rule(head, view.calibration, found.subjects, found.templates, fpir, threshold)
        decisions = [
            decide(candidates, found.subjects, rule, shown=top_k, seq=found.seq) for candidates in found.candidates
        ]
        decisions = self._with_replays(head, probes, decisions, found.nearest)
        if self.recorder is not None:
            self._record("identify", head, decisions, _named(view, decisions), actors)
        return decisions

    def verify(
        self,
        gallery: str,
        subject: str,
        embedding: Floats,
        *,
        fingerprint: str,
        fmr: float | None = None,
        threshold: float | None = None,
        at_least: int | None = None,
    ) -> Decision:
        """Is the probe `embedding` (dim,) this subject? `fpir` of the decision is the false-match rate.

        Raises `UnknownGallery`, `UnknownSubject`, `BundleMismatch`, `NotCurrent`, `InvalidRequest`.
        """
        head = self.current(gallery, fingerprint, at_least)
        probes = checked_probes(np.asarray(embedding)[None], head.dim)
        held = {one.id: one.embedding for one in self.store.templates_of(gallery, subject)}
        names = self.store.owners(list(held))
        if subject not in names.values():  # expired, or erased just now
            raise UnknownSubject(gallery, subject)
        hidden, after = self.views.hidden(head, probes), self.head(gallery, fingerprint)
        if (after.key, after.epoch) != (head.key, head.epoch):
            raise _replaced(gallery)
        scores = exact_scores(np.repeat(hidden, len(held), axis=0), np.stack(list(held.values()))).tolist()
        candidates = ranked([*zip(held, scores, strict=True)], names, self.best)
        own = self.store.calibration(gallery)
        calibration = None if own is None else Calibration.from_json(dict(own))
        rule = self._rule(head, calibration, 1, len(held), fmr, threshold)
        decision = decide(candidates, 1, rule, seq=head.seq)
        decisions = self._with_replays(head, probes, [decision], [max(scores)])
        if self.recorder is not None:
            self._record("verify", head, decisions, [subject_keys(self.store, head, [subject])[subject]])
        return decisions[0]

    def current(self, gallery: str, fingerprint: str, at_least: int | None) -> Head:
        """The gallery's head with change `at_least`, which is waited for a moment. Raises `NotCurrent`."""
        head, until = self.head(gallery, fingerprint), time.monotonic() + CURRENT_WITHIN_S
        while at_least is not None and head.seq < at_least:
            if time.monotonic() >= until:
                raise NotCurrent(gallery, at_least, head.seq)
            time.sleep(LOOK_EVERY_S)
            head = self.head(gallery, fingerprint)
        return head

    def _search(self, head: Head, probes: Floats, want: int, within: Sequence[str] | None) -> tuple[Head, View, Found]:
        found = None
        for _ in range(ATTEMPTS):
            view = self.views.at(head)
            if view.key == head.key:
                if not view.owners.tally(moment())[0]:
                    raise EmptyGallery(head.name)
                keys = None if within is None else np.array([*subject_keys(self.store, head, within).values()])
                hidden = self.views.hidden(replace(head, epoch=view.epoch), probes)
                found = search(self.store, view, hidden, want, self.best, keys)
                if found.complete:
                    return head, view, found
            # Some were erased during the search: who comes in their place takes another one to know.
            head = self.head(head.name, head.fingerprint)
        if found is None:
            raise _replaced(head.name)
        return head, view, found

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

    def _with_replays(
        self, head: Head, probes: Floats, decisions: list[Decision], nearest: Sequence[float]
    ) -> list[Decision]:
        """The decisions, with a note on those whose probe is nearly a template or an earlier probe."""
        if self.recent is None:
            return decisions
        again = self.recent.seen(head.key, probes) | (np.array(nearest) >= self.recent.policy.bound)
        return [
            replace(one, reasons=(*one.reasons, REPLAY_SUSPECTED)) if suspected else one
            for one, suspected in zip(decisions, again.tolist(), strict=True)
        ]

    def _record(
        self,
        action: str,
        head: Head,
        decisions: Sequence[Decision],
        subjects: Sequence[int],
        actors: Sequence[str] | None = None,
    ) -> None:
        """Keep decisions in the audit log, each with the key of the subject that it is about, if it is."""
        from gallery.recorder import described

        assert self.recorder is not None
        rows = zip(decisions, subjects, actors or [actor()] * len(decisions), strict=True)
        self.recorder.note_all(
            [
                Note(action, head.key, None if key == NOBODY else key, described(decision), actor=name)
                for decision, key, name in rows
            ]
        )


def _named(view: View, decisions: Sequence[Decision]) -> list[int]:
    """The key of the subject that each names, or `NOBODY`."""
    if not any(one.subject for one in decisions):
        return [NOBODY] * len(decisions)
    best = np.array([one.candidates[0].template if one.subject else NO_TEMPLATE for one in decisions], np.int64)
    found: list[int] = view.owners.of(best, moment())[0].tolist()
    return found


def _replaced(gallery: str) -> StoreUnavailable:
    return StoreUnavailable(f"gallery {gallery!r} is being replaced by another generation; repeat")
