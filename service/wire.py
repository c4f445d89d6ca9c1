"""The bodies that callers send, typed once: for decoding and for the documentation."""

from datetime import datetime
from functools import cache
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType, field

from gallery.metrics import rate_of_decibels
from gallery.store import KEEP, Store
from gallery.store.managing import rename_subject
from gallery.template import LABEL_LENGTH, VAULT_DAYS, Consent
from model.errors import InvalidRequest, LimitExceeded
from model.limits import JSON_DEPTH
from model.readers.document import depth_of, what_is_wrong
from service.choices import with_choices

Name = Annotated[str, Meta(min_length=1, max_length=128)]
Rate = Annotated[float, Meta(gt=0, lt=1, description="a false-positive identification rate, such as 0.01")]
Decibels = Annotated[float, Meta(gt=0, le=60, description="the same rate as -10 log10 of it, such as 20 for 0.01")]
Count = Annotated[int, Meta(ge=1)]
Ground = Annotated[str, Meta(min_length=1, max_length=LABEL_LENGTH)]


class Sent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A body that a caller sends: a key nobody knows is refused."""


def rate_of(fpir: float | None, db: float | None) -> float | None:
    """The rate, given either way. Raises `InvalidRequest` for both at once."""
    if fpir is not None and db is not None:
        raise InvalidRequest("db", "is target_fpir in another unit: give one of them")
    return fpir if db is None else rate_of_decibels(db)


class ConsentGiven(Sent, frozen=True):
    """On what ground a subject is enrolled. expires: with a time zone; from then on it is in no answer, and purged."""

    reference: Ground | None = None
    purpose: Ground | None = None
    expires: Annotated[datetime, Meta(tz=True)] | None = None

    def checked(self) -> Consent:
        """Raises `InvalidRequest`."""
        return Consent(self.reference, self.purpose, self.expires)


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
        return rate_of(self.fpir, self.db)


T = TypeVar("T", bound=Sent)


@cache
def _decoder(kind: type[Sent]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(kind)


def decode(kind: type[T], body: bytes) -> T:
    """`body` as `kind`. Raises msgspec's `ValidationError` (wrong content) or `DecodeError` (not JSON), and
    `LimitExceeded` for what is nested without end."""
    try:
        found: T = _decoder(kind).decode(body)
    except msgspec.ValidationError as error:
        raise with_choices(error, kind) from None
    except msgspec.DecodeError as error:
        raise msgspec.DecodeError(what_is_wrong(body, error)) from error
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError(f"the body is not UTF-8 (byte {error.start})") from error
    except RecursionError as error:
        raise LimitExceeded("body (nesting)", JSON_DEPTH, depth_of(body)) from error
    return found
