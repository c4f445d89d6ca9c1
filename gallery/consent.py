"""Consent as an operator writes it: on the command line, in a manifest, over HTTP."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from gallery.template import Consent, now
from model.errors import InvalidRequest

NEVER = "never"
DAYS = 36_500

_SPAN = re.compile(r"(\d{1,6})d", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def expiry_of(text: str) -> datetime | None:
    """When `text` says that a consent ends: `never` (None), `90d` from now, a day (its first moment in UTC) or a
    moment with its time zone, as ISO 8601 writes them. Raises `InvalidRequest`, also for what is past or too far.

    >>> expiry_of("never") is None
    True
    >>> expiry_of("2100-01-01").isoformat()
    '2100-01-01T00:00:00+00:00'
    """
    if text == NEVER:
        return None
    expires = _moment(text)
    if expires <= now():
        raise InvalidRequest("expires", f"{text} is past; to end it now, erase the subject")
    if expires > now() + timedelta(days=DAYS):
        raise InvalidRequest("expires", f"{text} is more than {DAYS} days away; write never")
    return expires


def _moment(text: str) -> datetime:
    if span := _SPAN.fullmatch(text):
        if not 1 <= int(span[1]) <= DAYS:
            raise InvalidRequest("expires", f"must be in 1d..{DAYS}d, got {text}")
        return now() + timedelta(days=int(span[1]))
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidRequest("expires", f"{text!r} is none of 2030-12-31, 2030-12-31T12:00Z, 90d and never") from None
    if _DATE.fullmatch(text):
        return moment.replace(tzinfo=UTC)
    if moment.tzinfo is None:
        raise InvalidRequest("expires", f"{text} has no time zone; write {text}Z for UTC")
    return moment


def consent_of(reference: str | None, purpose: str | None, expires: str | None) -> Consent | None:
    """What these say together; None where none says anything. Raises `InvalidRequest`."""
    if reference is None and purpose is None and expires is None:
        return None
    return Consent(reference, purpose, None if expires is None else expiry_of(expires))


def changed(
    consent: Consent, reference: str | None = None, purpose: str | None = None, expires: str | None = None
) -> Consent:
    """`consent` with what is given changed; an empty text takes a reference or purpose away."""
    if reference is not None:
        consent = replace(consent, reference=reference or None)
    if purpose is not None:
        consent = replace(consent, purpose=purpose or None)
    return consent if expires is None else replace(consent, expires=expiry_of(expires))


def stricter(one: Consent, other: Consent) -> Consent:
    """What both allow: the earlier end; a reference or purpose that only one has is kept, and `one`'s where they
    differ (whether that may be is the caller's to decide).

    >>> stricter(Consent("A-1", "access"), Consent("A-2")).reference
    'A-1'
    """
    ends = [each.expires for each in (one, other) if each.expires is not None]
    return Consent(
        one.reference or other.reference,
        one.purpose or other.purpose,
        min(ends) if ends else None,
    )
