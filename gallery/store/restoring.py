"""Puts a backup of SQLite's database in its place: checked first, all or nothing, the erasures since done again."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import update

from gallery.journal import Journal
from gallery.keys.file import FileMasters
from gallery.keys.masters import FILE, Masters
from gallery.store.audit import append, verify_chain
from gallery.store.checking import check
from gallery.store.engine import DATABASE, connect
from gallery.store.failures import as_unavailable
from gallery.store.jobs import abandon_jobs
from gallery.store.migrate import upgrade
from gallery.store.replaying import catch_up
from gallery.store.schema import identity
from gallery.store.sqlite_file import Progress, copy, file_errors, in_use, opened, remove, synced
from gallery.store.store import Store
from gallery.store.tracing import signing_keys
from model.errors import InvalidArchive, StoreUnavailable

_MAGIC = b"SQLite format 3\0"
_STAGED = ".restore-"


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of a backup. again: erasures that were done again; kept: entries of the audit log that the backup
    did not have and the present database did. keys: whether callers' keys are those of the present database; else those
    that were revoked after the backup are good again."""

    again: int
    kept: int
    keys: bool


def restore(
    directory: Path, source: Path, *, masters: Masters | None = None, progress: Progress | None = None
) -> Restored:
    """Put a backup in the place of the database in `directory`; then erase again what was erased after it was made.

    The backup is checked first. If the present database can be read, what it knows better is kept: entries of the audit
    log, callers' keys, and which webhooks were removed. Raises `InvalidArchive` for what is no sound backup of this
    store, `KeyUnavailable` where its master key is not there, `StoreUnavailable` where another process has the database
    open: then nothing was changed.
    """
    keys = masters or FileMasters(directory / FILE, make=False)
    with as_unavailable():
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if _is_store(directory / DATABASE):
        # What the present database knows and the journal does not is in the journal from here on.
        with suppress(StoreUnavailable), _store_in(directory, keys) as store:
            catch_up(store)
    with _staged(directory, source) as staged:
        store_id = _checked(staged, source, keys)
        with _alone(directory / DATABASE) as present:
            kept = None if present is None else _carry_over(staged / DATABASE, directory / DATABASE, source, store_id)
            again = _brought_up(staged, directory, keys, kept or 0)
            _put(staged / DATABASE, directory / DATABASE, present, progress)
    return Restored(again, kept or 0, keys=kept is not None)


def _is_store(path: Path) -> bool:
    if not path.exists():
        return False
    with closing(opened(path)) as connection:
        try:
            return bool(connection.execute("SELECT count(*) FROM identity").fetchone()[0])
        except sqlite3.DatabaseError:
            return False


def _brought_up(staged: Path, directory: Path, masters: Masters, kept: int) -> int:
    """Do again what was erased since, while nobody can see the backup yet; returns how many erasures these were."""
    with _store_in(staged, masters) as store:
        store.journal = Journal(directory, store.id)
        again = catch_up(store)
        with store.write() as connection:
            connection.execute(update(identity).values(epoch=identity.c.epoch + 1))
            abandon_jobs(connection, store, "an older backup was restored")
            append(connection, store, "restore", again=again, kept=kept)
    return again


@contextmanager
def _store_in(directory: Path, masters: Masters) -> Iterator[Store]:
    """A store whose journal was not looked at."""
    with as_unavailable():
        engine = connect(directory)
        try:
            upgrade(engine, masters)
            yield Store(engine, directory, masters)
        finally:
            engine.dispose()


@contextmanager
def _staged(directory: Path, source: Path) -> Iterator[Path]:
    """A directory with a copy of a backup, which goes again."""
    with source.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise InvalidArchive(str(source), "is not a backup: no SQLite database")
    with as_unavailable():
        sweep(directory)
        staged = Path(tempfile.mkdtemp(prefix=f"{_STAGED}{os.getpid()}-", dir=directory))
    try:
        with _as_foreign(source), closing(opened(source, "ro")) as whole:
            with closing(opened(staged / DATABASE, "rwc")) as target:
                copy(whole, target)
            found = whole.execute("PRAGMA integrity_check").fetchall()
            if found != [("ok",)]:
                raise InvalidArchive(str(source), f"is damaged: {found[0][0]}")
            whole.execute("SELECT version_num FROM alembic_version, identity").fetchall()
        yield staged
    finally:
        shutil.rmtree(staged, ignore_errors=True)


def sweep(directory: Path) -> None:
    """Remove what a killed process left of a restoration: a copy of a backup."""
    for path in directory.glob(f"{_STAGED}*"):
        owner = path.name.removeprefix(_STAGED).partition("-")[0]
        if owner.isdecimal() and not _is_alive(int(owner)):
            shutil.rmtree(path, ignore_errors=True)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True


@contextmanager
def _as_foreign(source: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.DatabaseError as error:
        if getattr(error, "sqlite_errorname", "") == "SQLITE_FULL":
            raise StoreUnavailable("the disk is full; free some space and repeat: nothing was changed") from error
        raise InvalidArchive(str(source), f"is not a backup of a store, or is damaged: {error}") from error


def _checked(staged: Path, source: Path, masters: Masters) -> str:
    """The id of the store that a backup is of, once it is known to be sound."""
    with _store_in(staged, masters) as store:
        with store.read() as connection:
            wrong = check(connection)
            signing_keys(connection, store)  # raises where the master key is another one
        walk = verify_chain(store)
        if walk.broken is not None:
            wrong.append(f"its audit log is broken at row {walk.broken}")
        if wrong:
            raise InvalidArchive(str(source), f"is not sound: {wrong[0]}")
        return str(store.id)


@contextmanager
def _alone(path: Path) -> Iterator[sqlite3.Connection | None]:
    """The database in `path`, which nobody else has open; None where there is none, or it cannot be read any more."""
    if not path.exists():
        yield None
        return
    with closing(opened(path)) as connection:
        try:
            # Only the one who is alone may leave WAL.
            connection.execute("PRAGMA journal_mode = DELETE").fetchone()
        except sqlite3.OperationalError as error:
            if in_use(error):
                raise StoreUnavailable(f"another process has {path} open; stop it, and repeat") from error
            raise
        except sqlite3.DatabaseError:
            connection.close()
            yield None
            return
        yield connection


def _carry_over(staged: Path, present: Path, source: Path, store_id: str) -> int | None:
    """What the present database knows better than an older one: how far its numbers are, who may call, whom nobody is
    to be told of any more, and its audit log, of which it returns how many entries were added; None if it is damaged.
    """
    with closing(opened(staged)) as target:
        target.execute("ATTACH ? AS present", (str(present),)).close()
        try:
            (found,) = target.execute("SELECT store FROM present.identity").fetchone()
            if found != store_id:
                text = f"is of store {store_id}, and {present} is store {found}: restore it into another data directory"
                raise InvalidArchive(str(source), text)
            target.execute("BEGIN").close()
            target.execute(_NUMBERS).close()
            target.execute(_EPOCH).close()
            target.execute(_KEYS).close()
            for statement in _WEBHOOKS:
                target.execute(statement).close()
            kept = target.execute(_AUDIT).rowcount
            target.execute("COMMIT").close()
        except sqlite3.DatabaseError:  # the present one is damaged: that is why it is replaced
            return None
        return kept


_EPOCH = "UPDATE identity SET epoch = max(epoch, (SELECT max(epoch) FROM present.identity))"
_NUMBERS = """
    UPDATE counters SET last = max(last, (SELECT last FROM present.counters AS now WHERE now.name = counters.name))
    WHERE name IN (SELECT name FROM present.counters)
"""
_KEYS = "INSERT OR REPLACE INTO api_keys SELECT * FROM present.api_keys"  # both have the newest schema
_WEBHOOKS = (
    "DELETE FROM webhooks WHERE id NOT IN (SELECT id FROM present.webhooks)",
    "DELETE FROM deliveries WHERE webhook_id NOT IN (SELECT id FROM webhooks)",
)
# Only where the present log goes on from the backup's last entry, and so is the same log.
_AUDIT = """
    INSERT INTO audit (seq, at, actor, action, gallery_id, subject_id, detail, hash)
    SELECT seq, at, actor, action, gallery_id, subject_id, detail, hash FROM present.audit
    WHERE seq > (SELECT coalesce(max(seq), 0) FROM main.audit) AND EXISTS (
        SELECT 1 FROM main.audit AS last JOIN present.audit AS same USING (seq, hash)
        WHERE last.seq = (SELECT max(seq) FROM main.audit)
    )
"""


def _put(staged: Path, path: Path, present: sqlite3.Connection | None, progress: Progress | None) -> None:
    """Replace the database: all of it, or nothing if this is killed on the way."""
    with file_errors():
        if present is not None:
            # As one transaction of SQLite's, so that whoever opens it now sees the one or the other.
            with closing(opened(staged)) as whole:
                copy(whole, present, progress)
            return
        remove(path, log_only=True)
        synced(staged)
        staged.replace(path)
        synced(path.parent)
