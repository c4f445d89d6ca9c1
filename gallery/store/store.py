"""The store: every write with its change and audit rows in one transaction, acknowledged after it is on the disk."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import Connection, Engine, select

from gallery.journal import Journal
from gallery.keys.masters import Masters
from gallery.store import checking, enrolling, erasing, feed, reading, removing, writing
from gallery.store import heads as asked
from gallery.store.counters import next_keys
from gallery.store.database import Database
from gallery.store.rows import Added, Details, Erasure, Head, Rows, Sources, Update
from gallery.store.schema import identity
from gallery.store.writing import KEEP, Keep
from gallery.template import Consent, Gallery, NewTemplate, Subject, Template, now
from model.errors import BundleMismatch, InvalidRequest, StoreUnavailable
from model.sequence import Floats

PAGE = 1000

Within: TypeAlias = Callable[[Connection, Sequence[Added]], None]


class Store(Database):
    """Galleries, subjects and templates. Any thread may call any method; other processes may use the same database.

    Every method raises `StoreUnavailable` where the database cannot do what is asked, and then nothing of it was done;
    those that meet sealed content raise `KeyUnavailable` where the master key is not to be had.

    directory: of the data, on this machine. kind: of database. id, epoch: who this store is, and how often it was
    restored when it was opened. journal: of the erasures.
    """

    def __init__(self, engine: Engine, directory: Path, masters: Masters) -> None:
        super().__init__(engine, masters)
        self.directory = directory
        with self.read() as connection:
            self.id, self.epoch = connection.execute(select(identity.c.store, identity.c.epoch)).one()
        self.journal = Journal(directory, self.id)

    def next_keys(self, connection: Connection, name: str, count: int) -> int:
        """The first of `count` new keys in a row (`counters.NAMES`), in a transaction of `write`."""
        return next_keys(connection, name, count)

    # Galleries

    def create_gallery(
        self, name: str, fingerprint: str, dim: int, *, vault_days: int | None = None, protected: bool = False
    ) -> Gallery:
        """Raises `GalleryExists`."""
        gallery = Gallery(name, fingerprint, dim, now(), vault_days=vault_days, protected=protected)
        with self.write() as connection:
            writing.create_gallery(connection, self, gallery)
        return gallery

    def delete_gallery(self, name: str) -> None:
        """Delete a gallery, all generations of it, with all their subjects, templates and keys.

        Raises `UnknownGallery`, `SubjectHeld`.
        """
        with self.write() as connection:
            erasures = removing.delete_gallery(connection, self, asked.head(connection, name))
        for erasure in erasures:
            erasing.confirm(self, erasure)

    def galleries(self) -> list[Gallery]:
        with self.read() as connection:
            return [found.gallery for found in reading.details(connection)]

    def gallery(self, name: str) -> Details:
        """Raises `UnknownGallery`."""
        with self.read() as connection:
            return reading.details(connection, name)[0]

    def set_calibration(self, name: str, calibration: Mapping[str, Any] | None) -> None:
        """Keep a gallery's own calibration (`Calibration.to_json()`), or forget it."""
        with self.write() as connection:
            writing.set_calibration(connection, self, asked.head(connection, name), calibration)

    def calibration(self, name: str) -> Mapping[str, Any] | None:
        """A gallery's own calibration, if it has one. Raises `UnknownGallery`."""
        with self.read() as connection:
            return reading.calibration(connection, asked.head(connection, name))

    def transform(self, name: str) -> Floats | None:
        """The secret transform (dim, dim) of a protected gallery; None of any other. Raises `UnknownGallery`."""
        with self.read() as connection:
            return reading.transform(connection, self.secrets, asked.head(connection, name))

    # Subjects and templates

    def enroll(
        self,
        gallery: str,
        fingerprint: str,
        new: Sequence[NewTemplate],
        *,
        consent: Consent | None = None,
        epoch: int | None = None,
        within: Within | None = None,
    ) -> list[Added]:
        """Add templates of the bundle with this fingerprint, all or none; subjects are made as needed.

        consent: given to every subject of this call. epoch: of the head whose transform the embeddings are under, if
        it is protected. within: called in the same transaction with what was added; what it raises undoes all.
        Raises `UnknownGallery`, `BundleMismatch`, `InvalidRequest`.
        """
        with self.write() as connection:
            at = asked.head(connection, gallery)
            if epoch is not None and at.epoch != epoch:
                raise StoreUnavailable(f"gallery {gallery!r} was given another transform just now; repeat")
            if at.fingerprint != fingerprint:
                raise BundleMismatch(gallery, at.fingerprint, fingerprint)
            for item in new:
                if len(item.embedding) != at.dim:
                    raise InvalidRequest("embedding", f"must have {at.dim} numbers, got {len(item.embedding)}")
            added = enrolling.enroll(connection, self, at, new, consent)
            if within is not None:
                within(connection, added)
            return added

    def update_subject(
        self,
        gallery: str,
        subject: str,
        *,
        consent: Consent | Keep | None = KEEP,
        hold: str | Keep | None = KEEP,
        metadata: Mapping[str, Any] | Keep | None = KEEP,
    ) -> Subject:
        """Change what is known of a subject; None takes it away. metadata: an object of JSON, 16 KiB at most.

        Raises `UnknownGallery`, `UnknownSubject`, `InvalidRequest`, `LimitExceeded`.
        """
        with self.write() as connection:
            at = asked.head(connection, gallery)
            writing.update_subject(connection, self, at, subject, consent, hold, metadata)
            return reading.subject(connection, self.secrets, at, subject)

    def erase_subject(self, gallery: str, subject: str) -> Erasure:
        """Erase a subject; on return it is withheld from every answer, everywhere.

        Raises `UnknownGallery`, `UnknownSubject`, `SubjectHeld`.
        """
        with self.write() as connection:
            erasure = removing.erase_subject(connection, self, asked.head(connection, gallery), subject)
        erasing.confirm(self, erasure)
        return erasure

    def erase_template(self, gallery: str, template: int) -> Erasure:
        """Erase one template, and its subject with its last one.

        Raises `UnknownGallery`, `UnknownTemplate`, `SubjectHeld`.
        """
        with self.write() as connection:
            erasure = removing.erase_template(connection, self, asked.head(connection, gallery), template)
        erasing.confirm(self, erasure)
        return erasure

    def subjects(self, gallery: str, *, after: str = "", limit: int = PAGE) -> list[Subject]:
        """At most `limit` subjects by id, those behind `after`. Raises `UnknownGallery`."""
        with self.read() as connection:
            return reading.subject_page(connection, self.secrets, asked.head(connection, gallery), after, limit)

    def subject(self, gallery: str, subject: str) -> Subject:
        """Raises `UnknownGallery`, `UnknownSubject`."""
        with self.read() as connection:
            return reading.subject(connection, self.secrets, asked.head(connection, gallery), subject)

    def templates_of(self, gallery: str, subject: str) -> list[Template]:
        """A subject's templates, oldest first. Raises `UnknownGallery`, `UnknownSubject`."""
        with self.read() as connection:
            return reading.templates_of(connection, self.secrets, asked.head(connection, gallery), subject)

    def sources(self, gallery: str) -> Sources:
        """(subject, source) of all templates that were enrolled with a source. Raises `UnknownGallery`."""
        with self.read() as connection:
            return reading.sources(connection, self.secrets, asked.head(connection, gallery))

    # For caches

    def head(self, gallery: str) -> Head:
        """The gallery and the number of its last change; cheap enough to ask before every search."""
        with self.ask() as connection:
            return asked.head(connection, gallery)

    def heads(self) -> list[Head]:
        """Of all galleries, by key."""
        with self.ask() as connection:
            return asked.heads(connection)

    def owners(self, ids: Sequence[int]) -> Mapping[int, str]:
        """The subject of each of these templates that is there, unless its subject has expired."""
        with self.ask() as connection:
            return asked.owners(connection, ids)

    def everything(self, gallery: str) -> tuple[Head, Rows]:
        """All templates, and the change they are up to."""
        with self.read() as connection:
            at = asked.head(connection, gallery)
            return at, feed.everything(connection, self.secrets, at)

    def update(self, gallery: str, since: int) -> tuple[Head, Update]:
        """What happened after change `since`."""
        with self.read() as connection:
            at = asked.head(connection, gallery)
            return at, feed.update(connection, self.secrets, at, since)

    def check(self) -> list[str]:
        """What is wrong in the database; empty when it is sound."""
        with self.read() as connection:
            return checking.check(connection)
