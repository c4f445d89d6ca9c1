"""What a gallery is made of and what it answers: values that check themselves, and nothing that does anything."""

import math
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

import numpy as np

from model.errors import InvalidRequest
from model.sequence import Floats

NAME_LENGTH = 128
LABELS = 32
LABEL_LENGTH = 256
DIM_LIMIT = 4096
VAULT_DAYS = 3650
UNIT_TOLERANCE = 1e-3

Basis: TypeAlias = Literal["prior", "gallery", "uncalibrated"]


def check_name(field: str, name: str, length: int = NAME_LENGTH) -> str:
    """`name` if it may name a gallery, a subject or a label; else `InvalidRequest` for `field`.

    Refused besides what is too long: characters that cannot be seen, which would let two names look the same.
    """
    if not 0 < len(name) <= length:
        raise InvalidRequest(field, f"must have 1 to {length} characters, got {len(name)}")
    if not name.isprintable() or name != name.strip():
        raise InvalidRequest(field, "must be printable, with no control characters and no space at either end")
    if not unicodedata.is_normalized("NFC", name):
        raise InvalidRequest(field, "must be in Unicode normal form C")
    return name


def check_id(field: str, name: str) -> str:
    """`name` if it may name a gallery or a subject, which are also parts of an address; else `InvalidRequest`.

    Refused besides what `check_name` refuses: a slash, `.` and `..`, which no address can hold, so that over HTTP
    nothing so named could be shown or erased; and the mark that decoding leaves of bytes that are not UTF-8.
    """
    if "/" in name or name in (".", ".."):
        raise InvalidRequest(field, "must not hold a slash and not be . or .., which no address over HTTP can name")
    if "\N{REPLACEMENT CHARACTER}" in name:
        raise InvalidRequest(field, "is not UTF-8")
    return check_name(field, name)


def check_labels(labels: Mapping[str, str]) -> Mapping[str, str]:
    """A read-only copy of labels that are few and short enough; else `InvalidRequest`."""
    if len(labels) > LABELS:
        raise InvalidRequest("labels", f"at most {LABELS}, got {len(labels)}")
    for key, value in labels.items():
        check_name("labels", key)
        if len(value) > LABEL_LENGTH or not (value.isprintable()):
            raise InvalidRequest(f"labels.{key}", f"must be printable and have at most {LABEL_LENGTH} characters")
    return MappingProxyType(dict(labels))


def check_embedding(embedding: Floats) -> Floats:
    """A read-only float32 copy (dim,) of unit length; else `InvalidRequest`."""
    vector = np.array(embedding, dtype=np.float32)
    if vector.ndim != 1 or not 0 < len(vector) <= DIM_LIMIT:
        raise InvalidRequest("embedding", f"must be one vector of at most {DIM_LIMIT} numbers, got {vector.shape}")
    if not np.isfinite(vector).all():
        raise InvalidRequest("embedding", "must be finite (no NaN, no infinity)")
    length = math.sqrt(float(vector @ vector))
    if abs(length - 1) > UNIT_TOLERANCE:
        raise InvalidRequest("embedding", f"must have unit length, got {length:.4g}")
    vector.setflags(write=False)
    return vector


def now() -> datetime:
    return datetime.now(UTC)


class State(StrEnum):
    """Of a gallery: it answers; it is being filled by a migration; or it was replaced and can be rolled back to."""

    ACTIVE = "active"
    BUILDING = "building"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Gallery:
    """The templates of one tenant, all of the bundle with this fingerprint and of `dim` numbers.

    vault_days: how long skeletons are kept, encrypted, for a change of encoder; None keeps none. protected:
    embeddings are stored and searched under a secret orthogonal transform of this gallery (ISO/IEC 24745:
    renewable and not linkable to other galleries; not irreversible for whoever has the key).
    """

    name: str
    fingerprint: str
    dim: int
    created: datetime
    subjects: int = 0
    templates: int = 0
    vault_days: int | None = None
    protected: bool = False
    state: State = State.ACTIVE

    def __post_init__(self) -> None:
        check_id("gallery", self.name)
        if self.vault_days is not None and not 1 <= self.vault_days <= VAULT_DAYS:
            raise InvalidRequest("vault_days", f"must be in 1..{VAULT_DAYS}, got {self.vault_days}")
        if not 0 < self.dim <= DIM_LIMIT:
            raise InvalidRequest("dim", f"must be in 1..{DIM_LIMIT}, got {self.dim}")
        if not 0 < len(self.fingerprint) <= NAME_LENGTH:
            raise InvalidRequest("fingerprint", "must name a bundle")


@dataclass(frozen=True, slots=True)
class Consent:
    """On what ground a subject is enrolled. reference: of the consent, in the operator's own files. expires: from
    then on no answer names the subject, and it is purged; it must have a time zone. None: not known, or no end."""

    reference: str | None = None
    purpose: str | None = None
    expires: datetime | None = None

    def __post_init__(self) -> None:
        for name, value in (("reference", self.reference), ("purpose", self.purpose)):
            if value is not None:
                check_name(f"consent.{name}", value, LABEL_LENGTH)
        if self.expires is not None and self.expires.tzinfo is None:
            raise InvalidRequest("consent.expires", "must have a time zone")


@dataclass(frozen=True, slots=True)
class Subject:
    """A person who is enrolled. `id` is the caller's, unique in its gallery.

    hold: why the subject must not be erased or purged, if so. metadata: the caller's own, small, encrypted at rest.
    """

    id: str
    gallery: str
    created: datetime
    templates: int = 0
    consent: Consent = Consent()
    hold: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        check_id("subject", self.id)


@dataclass(frozen=True, slots=True, eq=False)
class NewTemplate:
    """A template about to be enrolled: embedding (dim,) of unit length, and where it came from.

    frames: frames of the sequence it was made from. source: what makes a second enrollment of the same recording
    for the same subject a repetition rather than a new template (a hash of its content); None if that is not known.
    skeleton: the sequence itself, for the vault of a gallery that keeps one (`gallery/vault.py` makes it).
    """

    subject: str
    embedding: Floats
    labels: Mapping[str, str] = field(default_factory=dict)
    frames: int = 0
    source: str | None = None
    skeleton: bytes | None = None

    def __post_init__(self) -> None:
        check_id("subject", self.subject)
        if self.frames < 0:
            raise InvalidRequest("frames", "must not be negative")
        if self.source is not None:
            check_name("source", self.source)
        object.__setattr__(self, "embedding", check_embedding(self.embedding))
        object.__setattr__(self, "labels", check_labels(self.labels))


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """An enrolled embedding (dim,), unit length, of the bundle with this fingerprint. `id` is never used again."""

    id: int
    gallery: str
    subject: str
    embedding: Floats
    fingerprint: str
    labels: Mapping[str, str]
    frames: int
    created: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "embedding", check_embedding(self.embedding))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A subject that a probe may be. score: cosine, higher is better; template: id of its best template."""

    subject: str
    score: float
    template: int


class Outcome(StrEnum):
    MATCH = "match"
    NO_MATCH = "no_match"
    ABSTAIN = "abstain"


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer for one probe, and how sure it is.

    subject: who it is; only with `match`. score: of the best candidate, a cosine. threshold: what the score was
    held against. fpir: the false-positive identification rate that the threshold was calibrated for among
    `searched` subjects (of a verification, the false-match rate). margin: score less the runner-up's.
    basis: `prior` (the bundle maker's calibration), `gallery` (its own), or `uncalibrated`.
    reasons: machine-readable words; an abstention has at least one. candidates: best first.
    calibration: id of the calibration that the threshold came from. likelihood: log10 of the likelihood ratio of
    the best score, mated against non-mated, by that calibration. seq: the gallery's change that the answer has seen.
    """

    outcome: Outcome
    subject: str | None = None
    score: float | None = None
    threshold: float | None = None
    fpir: float | None = None
    margin: float | None = None
    searched: int = 0
    basis: Basis = "uncalibrated"
    reasons: tuple[str, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    calibration: str | None = None
    likelihood: float | None = None
    seq: int | None = None

    def __post_init__(self) -> None:
        if (self.outcome is Outcome.MATCH) != (self.subject is not None):
            raise ValueError("a match names a subject, and nothing else does")
        if self.outcome is Outcome.ABSTAIN and not self.reasons:
            raise ValueError("an abstention says why")
        if any(a.score < b.score for a, b in zip(self.candidates, self.candidates[1:], strict=False)):
            raise ValueError("candidates are ordered best first")
