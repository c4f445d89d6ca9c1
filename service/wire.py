"""The bodies that callers send, typed once: for decoding and for the documentation."""

from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

import msgspec
import numpy as np
from msgspec import UNSET, Meta, UnsetType, field

from gallery.metrics import rate_of_decibels
from gallery.store import KEEP, Store
from gallery.store.managing import rename_subject
from gallery.template import LABEL_LENGTH, VAULT_DAYS, Consent
from model.errors import InvalidRequest, InvalidSequence
from model.named_layouts import layout_named
from model.readers.document import what_is_wrong
from model.sequence import SkeletonSequence, Units

Name = Annotated[str, Meta(min_length=1, max_length=128)]
Rate = Annotated[float, Meta(gt=0, lt=1, description="a false-positive identification rate, such as 0.01")]
Decibels = Annotated[float, Meta(gt=0, le=60, description="the same rate as -10 log10 of it, such as 20 for 0.01")]
Count = Annotated[int, Meta(ge=1)]
Ground = Annotated[str, Meta(min_length=1, max_length=LABEL_LENGTH)]


class Sent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A body that a caller sends: a key nobody knows is refused."""


class Sequence(Sent, frozen=True):
    """The frames of one person. The same as gaitkeeper's JSON file.

    layout: name of the joints and their order. joints: [frame][joint][2 or 3 coordinates]. confidence:
    [frame][joint] in 0..1, where 0 means missing; 1 everywhere if not given. units: `pixels` (y down), `normalised`
    (x divided by image width, y by height; `aspect`, width / height, should be given) or `metres` (3-D, y up).
    """

    layout: str
    fps: Annotated[float, Meta(gt=0, le=1000)]
    joints: list[list[list[float]]]
    confidence: list[list[float]] | None = None
    units: Literal["pixels", "normalised", "metres"] = "pixels"
    aspect: float | None = None

    def checked(self) -> SkeletonSequence:
        """The sequence, valid by construction. Raises `InvalidSequence`, `UnknownLayout` or `LayoutMismatch`."""
        layout = layout_named(self.layout)
        with np.errstate(over="ignore"):  # beyond float32 becomes infinite, which is refused
            joints = _regular("joints", self.joints)
            if self.confidence is None:
                confidence = np.ones(joints.shape[:2], np.float32)
            else:
                confidence = _regular("confidence", self.confidence)
        return SkeletonSequence(joints, confidence, layout, self.fps, Units(self.units), self.aspect)


def _regular(field: str, rows: list[Any]) -> np.ndarray:
    try:
        return np.array(rows, np.float32)
    except ValueError as error:
        raise InvalidSequence(
            field, "every frame must have the same joints, and every joint the same numbers"
        ) from error


def _rate(fpir: float | None, db: float | None) -> float | None:
    if fpir is not None and db is not None:
        raise InvalidRequest("db", "is target_fpir in another unit: give one of them")
    return fpir if db is None else rate_of_decibels(db)


class SequenceRequest(Sent, frozen=True):
    """A body about one sequence."""

    sequence: Sequence

    def beside(self) -> tuple[SkeletonSequence, ...]:
        """Whoever is sent beside the one that the request is about."""
        return ()


class Held(SequenceRequest, frozen=True):
    """A body that may name the rate to hold its answer to: as `target_fpir`, or as `db`, -10 log10 of it."""

    gallery: Name = "default"
    fpir: Rate | None = field(default=None, name="target_fpir")
    db: Decibels | None = None

    def rate(self) -> float | None:
        """The rate, or None for the calibration's own. Raises `InvalidRequest` for both at once."""
        return _rate(self.fpir, self.db)


class IdentifyRequest(Held, frozen=True):
    """Who is it? target_fpir, db: hold the answer to this false-positive identification rate, not to the calibration's
    own. within: search these subjects only. at_least: answer from this change of the gallery or a later one."""

    top_k: Count = 5
    within: Annotated[list[Name], Meta(min_length=1, max_length=10_000)] | None = None
    at_least: Annotated[int, Meta(ge=0)] | None = None


class VerifyRequest(Held, frozen=True, kw_only=True):
    """Is it this subject? target_fpir, db: the false-match rate to hold the answer to."""

    subject: Name


class ClassifyRequest(SequenceRequest, frozen=True):
    """What is this person doing? others: who is seen in the same frames, for a bundle that takes several people at a
    time; each with as many frames, of the same layout, rate and units, and confidence 0 where nobody is there."""

    top_k: Count = 5
    others: Annotated[list[Sequence], Meta(max_length=8)] = []

    def beside(self) -> tuple[SkeletonSequence, ...]:
        """Raises `InvalidRequest`, naming which."""
        return tuple(self._other(place) for place in range(len(self.others)))

    def _other(self, place: int) -> SkeletonSequence:
        other, name = self.others[place], f"others[{place}]"
        for key in ("layout", "fps", "units", "aspect"):
            if getattr(other, key) != getattr(self.sequence, key):
                raise InvalidRequest(f"{name}.{key}", "must be as in `sequence`")
        if len(other.joints) != len(self.sequence.joints):
            raise InvalidRequest(f"{name}.joints", "must have as many frames as `sequence`")
        try:
            return other.checked()
        except InvalidSequence as error:
            raise InvalidRequest(f"{name}.{error.field}", error.reason) from error


class EmbedRequest(SequenceRequest, frozen=True):
    """The embedding of a sequence, for a gallery of one's own."""


class ConsentGiven(Sent, frozen=True):
    """On what ground a subject is enrolled. expires: with a time zone; from then on it is in no answer, and purged."""

    reference: Ground | None = None
    purpose: Ground | None = None
    expires: Annotated[datetime, Meta(tz=True)] | None = None

    def checked(self) -> Consent:
        """Raises `InvalidRequest`."""
        return Consent(self.reference, self.purpose, self.expires)


class EnrollRequest(SequenceRequest, frozen=True):
    """One more template of a subject. labels: anything worth knowing later, such as {"view": "090"}. consent: of the
    subject, from now on. force: enroll even who looks like somebody that is enrolled under another id."""

    labels: dict[str, str] = {}
    consent: ConsentGiven | None = None
    force: bool = False


class CreateGallery(Sent, frozen=True):
    """vault_days: keep the skeletons, encrypted, for so long, so that the encoder can be changed without enrolling
    everybody again. protected: store and search embeddings under a secret transform."""

    name: Name
    vault_days: Annotated[int, Meta(ge=1, le=VAULT_DAYS)] | None = None
    protected: bool = False


class ChangeSubject(Sent, frozen=True):
    """What is to change of a subject; what is left out stays. subject: its new id, given alone. hold: why it must not
    be erased, null to release it. metadata: the caller's own, replaced as a whole; at most 16 KiB."""

    subject: Name | UnsetType = UNSET
    consent: ConsentGiven | UnsetType = UNSET
    hold: Ground | UnsetType | None = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET

    def apply(self, store: Store, gallery: str, subject: str) -> str:
        """Change what is asked of a subject; returns its id then. Raises what `Store.update_subject` and
        `rename_subject` raise."""
        if self.subject is not UNSET:
            if (self.consent, self.hold, self.metadata) != (UNSET, UNSET, UNSET):
                raise InvalidRequest("subject", "a new id is given alone, so that all of a change is done or nothing")
            return rename_subject(store, gallery, subject, self.subject).id
        store.update_subject(
            gallery,
            subject,
            consent=KEEP if self.consent is UNSET else self.consent.checked(),
            hold=KEEP if self.hold is UNSET else self.hold,
            metadata=KEEP if self.metadata is UNSET else self.metadata,
        )
        return subject


class MergeSubject(Sent, frozen=True):
    """into: the subject that gets the templates. force: though consents name different purposes."""

    into: Name
    force: bool = False


class MoveSubject(Sent, frozen=True):
    """gallery: where the subject goes; of the same bundle."""

    gallery: Name


class CalibrateGallery(Sent, frozen=True):
    """Calibrate a gallery by its own templates. target_fpir, db: the rate to hold by default. session: name of the
    label that tells one occasion of recording from another; templates of one never face each other. by: labels whose
    every value is measured by itself."""

    fpir: Rate | None = field(default=None, name="target_fpir")
    db: Decibels | None = None
    session: Name | None = None
    by: Annotated[list[Name], Meta(max_length=8)] = []

    def rate(self) -> float | None:
        """The rate, or None for the usual one. Raises `InvalidRequest` for both at once."""
        return _rate(self.fpir, self.db)


T = TypeVar("T", bound=Sent)
_DECODERS: dict[type[Sent], msgspec.json.Decoder[Any]] = {
    kind: msgspec.json.Decoder(kind)
    for kind in (
        *(IdentifyRequest, VerifyRequest, ClassifyRequest, EmbedRequest, EnrollRequest),
        *(CreateGallery, ChangeSubject, MergeSubject, MoveSubject, CalibrateGallery),
    )
}


def decode(kind: type[T], body: bytes) -> T:
    """`body` as `kind`. Raises msgspec's `ValidationError` (wrong content) or `DecodeError` (not JSON)."""
    try:
        found: T = _DECODERS[kind].decode(body)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError as error:
        raise msgspec.DecodeError(what_is_wrong(body, error)) from error
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError(f"the body is not UTF-8 (byte {error.start})") from error
    return found
