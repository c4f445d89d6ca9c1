"""Consent as it is written on a command line, in a manifest, over HTTP."""

from datetime import UTC, datetime, timedelta

import pytest

from gallery.consent import changed, consent_of, expiry_of, stricter
from gallery.template import Consent, now
from model.errors import InvalidRequest

END = datetime(2100, 1, 1, tzinfo=UTC)


def test_an_end_is_never_a_span_a_day_or_a_moment() -> None:
    assert expiry_of("never") is None
    assert expiry_of("2100-01-01") == END
    assert expiry_of("2100-01-01T01:00+01:00") == END
    assert expiry_of("2100-01-01T00:00Z") == END
    in_a_week = expiry_of("7d")
    assert in_a_week is not None
    assert abs(in_a_week - now() - timedelta(days=7)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "none of"),
        ("soon", "none of"),
        ("2100-13-01", "none of"),
        ("-3d", "none of"),
        ("0d", "1d"),
        ("99999d", "1d"),
        ("\u0663d", "none of"),
        ("2001-01-01", "past"),
        ("9999-12-31", "write never"),
        ("2100-01-01T12:00", "no time zone"),
    ],
)
def test_what_is_no_end_is_refused_with_what_would_be_one(text: str, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        expiry_of(text)


def test_where_nothing_is_said_there_is_no_consent_and_never_says_something() -> None:
    assert consent_of(None, None, None) is None
    assert consent_of(None, None, "never") == Consent()


def test_what_is_not_given_stays_and_an_empty_text_takes_away() -> None:
    consent = Consent("A-1", "access", END)
    assert changed(consent, purpose="research") == Consent("A-1", "research", END)
    assert changed(consent, reference="", expires="never") == Consent(None, "access", None)


def test_the_stricter_of_two_ends_first() -> None:
    early, late = Consent(expires=END - timedelta(days=9)), Consent("B-2", expires=END)
    assert stricter(early, late) == stricter(late, early) == Consent("B-2", None, early.expires)
    assert stricter(Consent(), late).expires == END
    assert stricter(Consent(), Consent()).expires is None
