"""What the service answers about galleries and those in them, typed once: for encoding and for the documentation."""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec

from gallery import template as kept
from gallery.library import Library
from gallery.store import Added
from gallery.store.audit import Entry
from gallery.store.moments import when
from gallery.store.rows import Erasure
from service.answers.quality import Quality
from service.engine.stage import Probe


class Gallery(msgspec.Struct, frozen=True, kw_only=True):
    """A gallery. protected: searched under a secret transform. vault_days: how long skeletons are kept, if at all."""

    name: str
    bundle: str
    created: str
    subjects: int
    templates: int
    state: Literal["active", "building", "retired"]
    protected: bool
    vault_days: int | None


class Galleries(msgspec.Struct, frozen=True):
    """A page of galleries. next: ask again with after=next; null on the last page."""

    galleries: list[Gallery]
    next: str | None = None


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """On what ground a subject is enrolled. From `expires` on it is in no answer, and is purged."""

    reference: str | None
    purpose: str | None
    expires: str | None


class SubjectSummary(msgspec.Struct, frozen=True, kw_only=True):
    subject: str
    created: str
    templates: int
    consent: Consent
    hold: str | None


class Subjects(msgspec.Struct, frozen=True, kw_only=True):
    """A page of a gallery's subjects. next: ask again with after=next; null on the last page."""

    gallery: str
    subjects: list[SubjectSummary]
    next: str | None


class Template(msgspec.Struct, frozen=True, kw_only=True):
    template: int
    created: str
    frames: int
    labels: dict[str, str]
    bundle: str


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """A subject. hold: why it must not be erased, if so."""

    subject: str
    gallery: str
    created: str
    consent: Consent
    hold: str | None
    metadata: dict[str, Any]
    templates: list[Template]


class Enrolled(msgspec.Struct, frozen=True, kw_only=True):
    """The template, durable when this is answered. repeated: this recording of this subject was enrolled before, so
    nothing was added and `template` is null."""

    gallery: str
    subject: str
    template: int | None
    repeated: bool
    quality: Quality
    notes: list[str]
    bundle: str


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """Gone from every answer. templates: how many. receipt: signed, to be kept; `/erasures/{erasure}` has it again, as
    far as the erasure has come by then."""

    gallery: str
    subject: str
    templates: int
    erasure: str
    state: Literal["withheld", "destroyed"]
    receipt: dict[str, Any]


class Receipt(msgspec.Struct, frozen=True):
    receipt: dict[str, Any]


class GalleryCalibration(msgspec.Struct, frozen=True, kw_only=True):
    """calibration: which threshold holds which false-positive identification rate among how many subjects. prior: where
    the gallery has none, the one that came with the bundle, by which its answers go."""

    gallery: str
    calibration: dict[str, Any] | None
    prior: dict[str, Any] | None = None


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    """gallery, subject: their keys; names are not in the log, so that what is erased leaves none behind."""

    seq: int
    at: str
    actor: str
    action: str
    gallery: int | None
    subject: int | None
    detail: dict[str, Any]
    hash: str


class AuditPage(msgspec.Struct, frozen=True, kw_only=True):
    """next: ask again with after=next; null on the last page. head: number and hash of the newest entry of all."""

    entries: list[AuditEntry]
    next: int | None
    head: str


def held(library: Library, gallery: str, name: str) -> Subject:
    """All there is to show of a subject. Raises `UnknownGallery`, `UnknownSubject`."""
    return subject(library.subject(gallery, name), library.templates_of(gallery, name))


def enrolled(gallery: str, subject: str, added: Added, probe: Probe) -> Enrolled:
    return Enrolled(
        gallery=gallery,
        subject=subject,
        template=added.template,
        repeated=added.repeated,
        quality=probe.told,
        notes=list(probe.notes),
        bundle=probe.model.fingerprint,
    )


def erased(gallery: str, subject: str, erasure: Erasure, receipt: dict[str, Any]) -> Erased:
    return Erased(
        gallery=gallery,
        subject=subject,
        templates=len(erasure.templates),
        erasure=erasure.id,
        state=receipt["state"],
        receipt=receipt,
    )


def calibration(library: Library, gallery: str) -> GalleryCalibration:
    """Raises `UnknownGallery`."""
    held = library.store.gallery(gallery)
    own = held.calibration
    prior = library.prior(held.gallery.fingerprint) if own is None else None
    return GalleryCalibration(
        gallery=gallery,
        calibration=None if own is None else dict(own),
        prior=None if prior is None else prior.to_json(),
    )


def audit_page(entries: Sequence[Entry], more: bool, head: str) -> AuditPage:
    return AuditPage(entries=[_entry(each) for each in entries], next=entries[-1].seq if more else None, head=head)


def _entry(found: Entry) -> AuditEntry:
    return AuditEntry(
        seq=found.seq,
        at=when(found.at).isoformat(),
        actor=found.actor,
        action=found.action,
        gallery=found.gallery_id,
        subject=found.subject_id,
        detail=msgspec.json.decode(found.detail),
        hash=found.hash.hex(),
    )


def gallery(found: kept.Gallery) -> Gallery:
    return Gallery(
        name=found.name,
        bundle=found.fingerprint,
        created=found.created.isoformat(),
        subjects=found.subjects,
        templates=found.templates,
        state=found.state.value,
        protected=found.protected,
        vault_days=found.vault_days,
    )


def subject_summary(found: kept.Subject) -> SubjectSummary:
    return SubjectSummary(
        subject=found.id,
        created=found.created.isoformat(),
        templates=found.templates,
        consent=_consent(found.consent),
        hold=found.hold,
    )


def subject(found: kept.Subject, templates: list[kept.Template]) -> Subject:
    return Subject(
        subject=found.id,
        gallery=found.gallery,
        created=found.created.isoformat(),
        consent=_consent(found.consent),
        hold=found.hold,
        metadata=dict(found.metadata),
        templates=[template(each) for each in templates],
    )


def template(found: kept.Template) -> Template:
    return Template(
        template=found.id,
        created=found.created.isoformat(),
        frames=found.frames,
        labels=dict(found.labels),
        bundle=found.fingerprint,
    )


def _consent(found: kept.Consent) -> Consent:
    expires = None if found.expires is None else found.expires.isoformat()
    return Consent(reference=found.reference, purpose=found.purpose, expires=expires)
