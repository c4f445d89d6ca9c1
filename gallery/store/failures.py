"""Database errors as `StoreUnavailable`, each with what can be done about it."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
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


def explain(error: BaseException) -> str:
    """What went wrong with the store and what to do, in one sentence."""
    origin = getattr(error, "orig", None) or error
    name = str(getattr(origin, "sqlite_errorname", ""))
    for code, advice in _ADVICE.items():
        if name.startswith(code):
            return advice
    return f"{type(origin).__name__}: {origin}".splitlines()[0]


@contextmanager
def as_unavailable() -> Iterator[None]:
    """Turn what the database or the disk raises into `StoreUnavailable`; our own errors pass.

    Raises `InvalidRequest` where a name that is asked for is no text: an argument of bytes that are not UTF-8.
    """
    try:
        yield
    except UnicodeEncodeError as error:
        raise InvalidRequest("name", f"{error.object!r} is not text in UTF-8") from error
    except PoolTimeout as error:
        raise StoreUnavailable("too many operations at once; repeat in a moment") from error
    except (DBAPIError, SQLAlchemyError) as error:
        raise StoreUnavailable(explain(error)) from error
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise StoreUnavailable(f"{where}{error.strerror or error}; {_OURS}") from error
