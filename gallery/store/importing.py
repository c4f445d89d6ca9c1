"""Checked records of an archive as a new gallery, in the caller's transaction: sealed under keys of this store, with
numbers of its own."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select, update
from sqlalchemy.exc import IntegrityError

from gallery.keys.sealing import Sealer, bound_to, mark_of, new_key
from gallery.store import audit
from gallery.store.bulk import insert_many
from gallery.store.enrolling import count
from gallery.store.records import Facts, Record, SubjectRecord, TemplateRecord
from gallery.store.schema import erasures, galleries, secrets, subjects, templates, vault
from gallery.store.writing import create_gallery
from gallery.template import Gallery
from model.errors import InvalidArchive

if TYPE_CHECKING:
    from gallery.store.store import Store

_SUBJECT = tuple(column.name for column in subjects.columns)
_TEMPLATE = tuple(column.name for column in templates.columns)
_VAULT = tuple(column.name for column in vault.columns)


class Importer:
    """Fills a new gallery, with a connection of `Store.write`.

    subjects, templates, skeletons: that came. erased: templates that did not, since they or their subjects had been
    erased in this store after they were archived.

    Raises `GalleryExists`, and `InvalidArchive` where two subjects or sources are the same.
    """

    def __init__(self, connection: Connection, store: "Store", facts: Facts, gallery: Gallery) -> None:
        self._connection, self._store, self._facts = connection, store, facts
        self.subjects = self.templates = self.skeletons = self.erased = 0
        self.key = create_gallery(connection, store, gallery)
        self._replace("source", facts.source_key)
        if facts.transform is not None:
            self._replace("transform", facts.transform)
        self._next_subject = store.next_keys(connection, "subjects", facts.subjects)
        self._next_template = store.next_keys(connection, "templates", facts.templates)
        self._above = store.secrets.gallery_key(connection, self.key).number
        self._wrapper = store.secrets.sealer(connection, self._above)
        self._owner, self._sealer = 0, self._wrapper
        self._erased_subjects, self._erased_templates = self._erased()

    def add(self, records: Sequence[Record]) -> None:
        people, made, kept = [], [], []
        for record in records:
            if isinstance(record, SubjectRecord):
                people += self._subject(record)
            elif self._owner == 0 or record.key in self._erased_templates:
                self.erased += 1
            else:
                row, skeleton = self._template(record)
                made.append(row)
                kept += skeleton
        try:
            insert_many(self._connection, subjects, _SUBJECT, people)
            insert_many(self._connection, templates, _TEMPLATE, made)
            insert_many(self._connection, vault, _VAULT, kept)
        except Exception as error:
            # COPY goes past SQLAlchemy, and raises the driver's own.
            if isinstance(error, IntegrityError) or type(error).__name__ == "UniqueViolation":
                raise InvalidArchive("archive", "holds a subject or a source twice") from None
            raise
        count(self._connection, self.key, len(made), (row[_TEMPLATE.index("mark")] for row in made))
        self.subjects, self.templates = self.subjects + len(people), self.templates + len(made)
        self.skeletons += len(kept)

    def finish(self, archive: str, signer: str) -> None:
        """archive, signer: which one this was and whose, for the audit log."""
        if self._facts.calibration is not None:
            change = update(galleries).where(galleries.c.id == self.key)
            self._connection.execute(change.values(calibration=self._facts.calibration))
        what = {"subjects": self.subjects, "templates": self.templates, "erased": self.erased}
        audit.append(self._connection, self._store, "import", self.key, archive=archive, signer=signer, **what)

    def _subject(self, record: SubjectRecord) -> list[tuple[Any, ...]]:
        if record.key in self._erased_subjects:
            self._owner = 0
            return []
        key, self._next_subject = self._next_subject, self._next_subject + 1
        plain = new_key()
        self._owner, self._sealer = key, Sealer(plain)
        wrapped = self._wrapper.seal(plain, bound_to("data key", self.key, key))
        content = record.metadata
        if content is not None:
            content = self._sealer.seal(content, bound_to("metadata", self.key, key))
        values = {
            "id": key,
            "gallery_id": self.key,
            "name": record.name,
            "data_key": wrapped,
            "wrapped_by": self._above,
            "consent": record.consent,
            "purpose": record.purpose,
            "expires": record.expires,
            "hold": record.hold,
            "metadata": content,
            "created": record.created,
        }
        return [tuple(values[name] for name in _SUBJECT)]

    def _template(self, record: TemplateRecord) -> tuple[tuple[Any, ...], list[tuple[Any, ...]]]:
        """Its row, and its row in the vault if it has one."""
        key, self._next_template = self._next_template, self._next_template + 1
        sealed = self._sealer.seal(record.embedding, bound_to("embedding", self.key, self._owner))
        values = {
            "id": key,
            "gallery_id": self.key,
            "subject_id": self._owner,
            "embedding": sealed,
            "mark": mark_of(sealed),
            "fingerprint": self._facts.fingerprint,
            "labels": json.dumps(record.labels),
            "frames": record.frames,
            "source": record.source,
            "origin": None,
            "created": record.created,
        }
        row = tuple(values[name] for name in _TEMPLATE)
        if record.skeleton is None:
            return row, []
        skeleton = self._sealer.seal(record.skeleton, bound_to("skeleton", self.key, self._owner))
        return row, [(key, skeleton, record.skeleton_expires)]

    def _replace(self, kind: str, plain: bytes) -> None:
        """Give the gallery a secret of its archive in place of the one it was made with."""
        of_kind = (secrets.c.gallery_id == self.key, secrets.c.kind == kind)
        for number in self._connection.scalars(select(secrets.c.id).where(*of_kind)).all():
            self._store.secrets.destroy(self._connection, number)
        self._store.secrets.add(self._connection, self.key, kind, plain)

    def _erased(self) -> tuple[set[int], set[int]]:
        """Numbers of the subjects and templates that were erased in this store, if the archive is of it."""
        whole: set[int] = set()
        single: set[int] = set()
        if self._facts.store == self._store.id:
            for row in self._connection.execute(select(erasures)):
                single.update(row.templates)
                whole.update([row.subject_id] if row.whole else [])
        return whole, single
