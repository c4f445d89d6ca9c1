"""Who acts: the name that the audit log holds beside what was done."""

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_acting: ContextVar[str | None] = ContextVar("acting", default=None)


def actor() -> str:
    """Whoever `acting_as` named, such as a key's id; on a command line, the user of the system."""
    return _acting.get() or f"local:{_user()}"


@contextmanager
def acting_as(name: str) -> Iterator[None]:
    """Within it, and in threads and tasks that copy its context, what is done is done by `name`."""
    token = _acting.set(name)
    try:
        yield
    finally:
        _acting.reset(token)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container's user need not have a name
        return "unknown"
