"""Moments as the tables hold them: microseconds since 1970, UTC."""

from datetime import UTC, datetime, timedelta

from gallery.template import now

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def moment() -> int:
    """Now."""
    return stamp(now())


def stamp(when: datetime) -> int:
    return (when - EPOCH) // MICROSECOND


def when(stored: int) -> datetime:
    return EPOCH + stored * MICROSECOND
