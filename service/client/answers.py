"""What the service answers, as far as this client knows it: what a newer service adds is passed over.

The fields are those of the service's own answers (`/docs` says what each means); a test holds the two together.
"""

from typing import Any, Literal

import msgspec


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why a request was refused (RFC 9457). type: stable, such as `urn:gaitkeeper:problem:unknown-gallery`."""

    type: str
    title: str
    status: int
    detail: str = ""
    field: str | None = None
    limit: float | None = None
    reasons: list[str] | None = None
    retry_after: int | None = None
    candidate: str | None = None
    instance: str | None = None


class Quality(msgspec.Struct, frozen=True):
    usable: bool
    reasons: list[str]
    advice: list[str]
    measures: dict[str, float]


class Candidate(msgspec.Struct, frozen=True):
    subject: str
    score: float
    template: int


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """Who it is, and how sure that is."""

    outcome: Literal["match", "no_match", "abstain"]
    gallery: str
    subject: str | None
    score: float | None
    threshold: float | None
    fpir: float | None
    db: float | None
    likelihood: float | None
    margin: float | None
    searched: int
    seq: int | None
    basis: str
    calibration: str | None
    reasons: list[str]
    candidates: list[Candidate]
    quality: Quality
    notes: list[str]
    bundle: str


class Action(msgspec.Struct, frozen=True):
    action: str
    probability: float


class Classification(msgspec.Struct, frozen=True, kw_only=True):
    """The most probable action, and the next ones, best first."""

    action: str
    probability: float
    actions: list[Action]
    quality: Quality
    notes: list[str]
    bundle: str


class Embedding(msgspec.Struct, frozen=True, kw_only=True):
    """A unit vector. Compare it only with embeddings of the same bundle."""

    embedding: list[float]
    quality: Quality
    notes: list[str]
    bundle: str


class Gallery(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    bundle: str
    created: str
    subjects: int
    templates: int
    state: str
    protected: bool
    vault_days: int | None


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    reference: str | None
    purpose: str | None
    expires: str | None


class SubjectSummary(msgspec.Struct, frozen=True, kw_only=True):
    subject: str
    created: str
    templates: int
    consent: Consent
    hold: str | None


class Template(msgspec.Struct, frozen=True, kw_only=True):
    template: int
    created: str
    frames: int
    labels: dict[str, str]
    bundle: str


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    subject: str
    gallery: str
    created: str
    consent: Consent
    hold: str | None
    metadata: dict[str, Any]
    templates: list[Template]


class Enrolled(msgspec.Struct, frozen=True, kw_only=True):
    """repeated: this recording of this subject was there already, and nothing was added."""

    gallery: str
    subject: str
    template: int | None
    repeated: bool
    quality: Quality
    notes: list[str]
    bundle: str


class Erased(msgspec.Struct, frozen=True, kw_only=True):
    """receipt: signed, to be kept."""

    gallery: str
    subject: str
    templates: int
    erasure: str
    state: str
    receipt: dict[str, Any]


class AuditEntry(msgspec.Struct, frozen=True, kw_only=True):
    seq: int
    at: str
    actor: str
    action: str
    gallery: int | None
    subject: int | None
    detail: dict[str, Any]
    hash: str
