"""The store: every write with its change rows in one transaction, acknowledged after it is on the disk."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from gallery.store import reading, writing
from gallery.store.engine import connect
from gallery.store.failures import as_unavailable
from gallery.store.migrate import upgrade
from gallery.store.rows import Added, Details, Head, Rows, Stored, Update
from gallery.template import Gallery, NewTemplate, Subject, Template, now
from model.errors import BundleMismatch, InvalidRequest, StoreUnavailable

PAGE = 1000


def open_store(where: Path | str) -> "Store":
    """The store in a data directory (or `sqlite:///DIRECTORY`), made if it is missing, migrated if it is old.

    Raises `StoreUnavailable`, saying what to do.
    """
    text = str(where)
    scheme, separator, rest = text.partition("://")
    if separator and scheme != "sqlite":
        raise StoreUnavailable(f"this version keeps its data in SQLite; {scheme}:// is not supported")
    directory = Path(rest.removeprefix("/") or ".") if separator else Path(where)
    with as_unavailable():
        engine = connect(directory)
        try:
            upgrade(engine)
        except BaseException:
            engine.dispose()
            raise
    return Store(engine, directory)


class Store:
    """Galleries, subjects and templates. Any thread may call any method; other processes may use the same database.

    Every method raises `StoreUnavailable` where the database cannot do what is asked; then nothing of it was done.
    """

    def __init__(self, engine: Engine, directory: Path) -> None:
        self._engine = engine
        self.directory = directory

    def close(self) -> None:
        self._engine.dispose()

    @contextmanager
    def _read(self) -> Iterator[Connection]:
        """One moment of the database: what other writers do meanwhile is not seen."""
        with as_unavailable(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def _write(self) -> Iterator[Connection]:
        with as_unavailable(), self._engine.connect() as connection:
            # Leaving the inner block commits, and only then does the caller go on.
            writing_connection = connection.execution_options(writes=True)
            with writing_connection.begin():
                yield writing_connection

    # Galleries

    def create_gallery(self, name: str, fingerprint: str, dim: int) -> Gallery:
        """Raises `GalleryExists`."""
        gallery = Gallery(name, fingerprint, dim, now())
        with self._write() as connection:
            writing.create_gallery(connection, gallery)
        return gallery

    def delete_gallery(self, name: str) -> None:
        """Delete a gallery with all its subjects and templates. Raises `UnknownGallery`."""
        with self._write() as connection:
            writing.delete_gallery(connection, reading.head(connection, name))

    def galleries(self) -> list[Gallery]:
        with self._read() as connection:
            return [found.gallery for found in reading.details(connection)]

    def gallery(self, name: str) -> Details:
        """Raises `UnknownGallery`."""
        with self._read() as connection:
            return reading.details(connection, name)[0]

    def set_calibration(self, name: str, calibration: Mapping[str, Any] | None) -> None:
        """Keep a gallery's own calibration (`Calibration.to_json()`), or forget it."""
        with self._write() as connection:
            writing.set_calibration(connection, reading.head(connection, name), calibration)

    def calibration(self, name: str) -> Mapping[str, Any] | None:
        """A gallery's own calibration, if it has one. Raises `UnknownGallery`."""
        with self._read() as connection:
            return reading.calibration(connection, reading.head(connection, name))

    # Subjects and templates

    def enroll(self, gallery: str, fingerprint: str, new: Sequence[NewTemplate]) -> list[Added]:
        """Add templates of the bundle with this fingerprint, all or none; subjects are made as needed.

        Raises `UnknownGallery`, `BundleMismatch`.
        """
        with self._write() as connection:
            at = reading.head(connection, gallery)
            if at.fingerprint != fingerprint:
                raise BundleMismatch(gallery, at.fingerprint, fingerprint)
            for item in new:
                if len(item.embedding) != at.dim:
                    raise InvalidRequest("embedding", f"must have {at.dim} numbers, got {len(item.embedding)}")
            return writing.enroll(connection, at, new)

    def erase_subject(self, gallery: str, subject: str) -> int:
        """Erase a subject; returns how many templates it had. Raises `UnknownGallery`, `UnknownSubject`."""
        with self._write() as connection:
            return writing.erase_subject(connection, reading.head(connection, gallery), subject)

    def erase_template(self, gallery: str, template: int) -> None:
        """Erase one template, and its subject with its last one. Raises `UnknownGallery`, `UnknownTemplate`."""
        with self._write() as connection:
            writing.erase_template(connection, reading.head(connection, gallery), template)

    def subjects(self, gallery: str, *, after: str = "", limit: int = PAGE) -> list[Subject]:
        """At most `limit` subjects by id, those behind `after`. Raises `UnknownGallery`."""
        with self._read() as connection:
            return reading.subject_page(connection, reading.head(connection, gallery), after, limit)

    def subject(self, gallery: str, subject: str) -> Subject:
        """Raises `UnknownGallery`, `UnknownSubject`."""
        with self._read() as connection:
            return reading.subject(connection, reading.head(connection, gallery), subject)

    def templates_of(self, gallery: str, subject: str) -> list[Template]:
        """A subject's templates, oldest first. Raises `UnknownGallery`, `UnknownSubject`."""
        with self._read() as connection:
            return reading.templates_of(connection, reading.head(connection, gallery), subject)

    def sources(self, gallery: str) -> set[tuple[str, str]]:
        """(subject, source) of all templates that were enrolled with a source. Raises `UnknownGallery`."""
        with self._read() as connection:
            return reading.sources(connection, reading.head(connection, gallery))

    # For caches

    def head(self, gallery: str) -> Head:
        """The gallery and the number of its last change; cheap enough to ask before every search."""
        with self._read() as connection:
            return reading.head(connection, gallery)

    def everything(self, gallery: str) -> tuple[Head, Rows]:
        """All templates, and the change they are up to."""
        with self._read() as connection:
            at = reading.head(connection, gallery)
            return at, reading.everything(connection, at)

    def update(self, gallery: str, since: int) -> tuple[Head, Update]:
        """What happened after change `since`."""
        with self._read() as connection:
            at = reading.head(connection, gallery)
            return at, reading.update(connection, at, since)

    def stored(self, ids: Sequence[int], dim: int) -> Mapping[int, Stored]:
        """These templates as they are now; whatever was erased is missing."""
        with self._read() as connection:
            return reading.stored(connection, ids, dim)

    def check(self) -> list[str]:
        """What is wrong with the database's file; empty when it is sound."""
        with self._read() as connection:
            found = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check")]
            broken = [
                f"{row[0]} {row[1]}: no {row[2]}" for row in connection.exec_driver_sql("PRAGMA foreign_key_check")
            ]
        return [line for line in found if line != "ok"] + broken
