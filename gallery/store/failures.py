"""Database errors as `StoreUnavailable`, each with what can be done about it."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DataError, DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from model.errors import InvalidRequest, StoreUnavailable

_KEPT = "nothing of this operation was kept, and everything acknowledged before is still there"

_OURS = "the data directory and its files must be this user's and writable"

_SPACE = f"there is no space left on its disk, or the disk does not answer; free some space and repeat: {_KEPT}"

# Beginnings of SQLite's result codes, and what they mean for whoever runs this.
_ADVICE = {
    "SQLITE_FULL": f"the disk (or its quota) is full; free some space and repeat: {_KEPT}",
    "SQLITE_READONLY": "it may only be read; make the data directory and its files writable for this user",
    "SQLITE_CANTOPEN": "its files cannot be opened; check that the data directory exists and is writable",
    "SQLITE_PERM": "its files may not be opened; check the permissions of the data directory",
    "SQLITE_BUSY": "another process has been writing for too long; repeat when it has finished",
    "SQLITE_LOCKED": "another process has been writing for too long; repeat when it has finished",
    "SQLITE_CORRUPT": "its file is damaged; stop all that use it and restore a backup",
    "SQLITE_NOTADB": "its file is not a database, or is damaged; restore a backup or choose another data directory",
    # A database that is opened on a full disk cannot make its shared-memory file; SQLite does not call that full.
    "SQLITE_IOERR_SHM": _SPACE,
    "SQLITE_IOERR_WRITE": _SPACE,
    "SQLITE_IOERR": f"the disk does not answer as it should; see the system's log: {_KEPT}",
    "SQLITE_TOOBIG": "a value is too large for the database",
}

_URL = "check the database's URL (GAITKEEPER_DATABASE)"

_CROWDED = "the server has as many connections as it takes; repeat in a moment, or raise its max_connections"

_GONE = f"the server does not answer; see that it runs and can be reached: {_KEPT}"

# The same of PostgreSQL's.
_SQLSTATES = {
    "08": _GONE,
    "22": "a value is larger than the database takes, or is no text that it can hold",
    "25006": "it may only be read: the server is a standby, or was told so; name the primary server",
    "28": f"the server does not take this user or password; {_URL}",
    "3D000": f"the server has no database of this name; make it (CREATE DATABASE), or {_URL}",
    "42501": "this user may not use it; make the user its owner (ALTER DATABASE ... OWNER TO ...)",
    "53100": f"the server's disk is full; free some space and repeat: {_KEPT}",
    "53200": f"the server has no memory left; repeat in a moment: {_KEPT}",
    "53300": _CROWDED,
    "55P03": "another process has been writing for too long; repeat when it has finished",
    "57": _GONE,
    "58": f"the server's disk does not answer as it should; see its log: {_KEPT}",
    "XX": "the server found its data damaged; see its log, and restore a backup",
}

# What is refused while connecting comes as text alone.
_REFUSALS = {
    "authentication failed": _SQLSTATES["28"],
    "no password supplied": _SQLSTATES["28"],
    "pg_hba.conf": "the server does not let this user in from here; see its pg_hba.conf",
    "does not exist": f"the server has no such database or user; make it, or {_URL}",
    "too many": _CROWDED,
    "remaining connection slots": _CROWDED,
    "invalid connection option": f"its URL has an option that nobody knows; {_URL}",
    "resolve host": f"there is no such host; {_URL}",
}

_UNDECIDED = (
    "the connection to the server was lost while this operation was being committed: it was kept, or nothing of it "
    "was; look before you repeat it"
)


def explain(error: BaseException, *, committing: bool = False) -> str:
    """What went wrong with the store and what to do, in one sentence."""
    origin = getattr(error, "orig", None) or error
    lost = isinstance(error, DBAPIError) and error.connection_invalidated
    if lost and committing:
        return _UNDECIDED
    codes = (str(getattr(origin, "sqlite_errorname", "")), _ADVICE), (getattr(origin, "sqlstate", ""), _SQLSTATES)
    for code, known in codes:
        for beginning, advice in known.items():
            if code and code.startswith(beginning):
                return advice
    for part, advice in _REFUSALS.items():
        if _is_psycopg(origin) and part in str(origin):
            return advice
    if lost or (_is_psycopg(origin) and "OperationalError" in [each.__name__ for each in type(origin).__mro__]):
        return _GONE
    return f"{type(origin).__name__}: {origin}".splitlines()[0]


def _is_psycopg(error: BaseException) -> bool:
    # Without importing it: it is only there where it is used.
    return type(error).__module__.startswith("psycopg")


@contextmanager
def as_unavailable(*, committing: bool = False) -> Iterator[None]:
    """Turn what the database or the disk raises into `StoreUnavailable`; our own errors pass.

    committing: what runs in it is a commit. Raises `InvalidRequest` where a name that is asked for is no text, such as
    bytes that are not UTF-8, or a number is larger than any.
    """
    try:
        yield
    except UnicodeEncodeError as error:
        raise InvalidRequest("name", f"{error.object!r} is not text in UTF-8") from error
    except DataError as error:
        if "NUL" in str(error.orig):  # SQLite finds nothing of such a name, PostgreSQL refuses to look
            raise InvalidRequest("name", "must hold no zero byte") from error
        raise StoreUnavailable(explain(error)) from error
    except OverflowError as error:
        raise InvalidRequest("number", "is larger than any that there is") from error
    except PoolTimeout as error:
        raise StoreUnavailable("too many operations at once; repeat in a moment") from error
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        what = _ADVICE["SQLITE_FULL"] if full else f"{error.strerror or error}; {_OURS}"
        raise StoreUnavailable(f"{where}{what}") from error
    except (DBAPIError, SQLAlchemyError) as error:
        raise StoreUnavailable(explain(error, committing=committing)) from error
    except Exception as error:  # bulk.py goes past SQLAlchemy
        if not isinstance(error, sqlite3.Error) and not _is_psycopg(error):
            raise
        if "cannot contain NUL" in str(error):
            raise InvalidRequest("name", "must hold no zero byte") from error
        raise StoreUnavailable(explain(error)) from error
