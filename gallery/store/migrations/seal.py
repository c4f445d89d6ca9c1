"""The part of migration 0002 that moves what there is: everything that was in the clear is sealed under new keys."""

import uuid
from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import count
from operator import xor
from typing import Any

from sqlalchemy import Connection, Row, text

from gallery.keys.masters import Masters
from gallery.keys.sealing import Sealer, bound_to, keyed_hash, mark_of, new_key
from gallery.store.moments import moment

COUNTERS = ("audit", "changes", "galleries", "secrets", "subjects", "templates")
CHUNK = 1000


def begin(connection: Connection) -> None:
    """Who this store is, and its counters."""
    connection.execute(
        text("INSERT INTO identity (store, epoch, created) VALUES (:store, 0, :now)"),
        {"store": str(uuid.uuid4()), "now": moment()},
    )
    connection.execute(
        text("INSERT INTO counters (name, last) VALUES (:name, 0)"), [{"name": name} for name in COUNTERS]
    )


def seal_all(connection: Connection, masters: Masters) -> None:
    """Move the rows of `old_…` into the new tables. SQLite only: no other database has any."""
    connection.execute(
        text(
            "INSERT INTO changes (seq, kind, gallery_id, subject_id, template_id, at) "
            "SELECT seq, kind, gallery_id, subject_id, template_id, at FROM old_changes"
        )
    )
    # To find them by their subject. Sorting would put them, in the clear, into a file beside the database.
    connection.execute(text("CREATE INDEX old_templates_of_subject ON old_templates (subject_id, id)"))
    numbers = count(1)
    for row in connection.execute(text("SELECT * FROM old_galleries ORDER BY id")).all():
        _Gallery(connection, row, masters, numbers).move()
    for name in ("changes", "galleries", "subjects", "templates"):
        # Of keys that were used, also by what is no more.
        connection.execute(
            text("UPDATE counters SET last = (SELECT seq FROM sqlite_sequence WHERE name = :old) WHERE name = :name"),
            {"old": f"old_{name}", "name": name},
        )
    connection.execute(text("UPDATE counters SET last = :last WHERE name = 'secrets'"), {"last": next(numbers) - 1})


class _Gallery:
    """One gallery on its way into the new tables."""

    def __init__(self, connection: Connection, row: Row[Any], masters: Masters, numbers: Iterator[int]) -> None:
        self._connection, self._row, self._masters = connection, row, masters
        self._number, key = next(numbers), new_key()
        self._source_number, self._source_key = next(numbers), new_key()
        self._sealer = Sealer(key)
        self._secrets = (("gallery", self._number, key), ("source", self._source_number, self._source_key))

    def move(self) -> None:
        self._add_gallery()
        self._add_secrets()
        wanted = text("SELECT * FROM old_subjects WHERE gallery_id = :gallery ORDER BY id")
        marks: list[int] = []
        for chunk in self._connection.execute(wanted, {"gallery": self._row.id}).partitions(CHUNK):
            marks += self._move_subjects(chunk)
        self._connection.execute(
            text("UPDATE galleries SET templates = :templates, content = :content WHERE id = :id"),
            {"id": self._row.id, "templates": len(marks), "content": reduce(xor, marks, 0)},
        )

    def _add_gallery(self) -> None:
        self._connection.execute(
            text(
                "INSERT INTO galleries (id, name, family, state, fingerprint, dim, calibration, vault_days, protected,"
                " templates, content, created)"
                " SELECT id, name, id, 'active', fingerprint, dim, calibration, NULL, 0, 0, 0, created"
                " FROM old_galleries WHERE id = :id"
            ),
            {"id": self._row.id},
        )

    def _add_secrets(self) -> None:
        for kind, number, key in self._secrets:
            wrapped_by, wrapped = self._masters.wrap(key, bound_to(kind, self._row.id, number))
            values = {"id": number, "gallery": self._row.id, "kind": kind, "wrapped": wrapped, "by": wrapped_by}
            self._connection.execute(
                text(
                    "INSERT INTO secrets (id, gallery_id, kind, wrapped, wrapped_by, created)"
                    " VALUES (:id, :gallery, :kind, :wrapped, :by, :now)"
                ),
                {**values, "now": moment()},
            )

    def _move_subjects(self, rows: Sequence[Row[Any]]) -> list[int]:
        """Move some subjects with their templates; returns the templates' marks."""
        keys = {row.id: new_key() for row in rows}
        values = [
            {
                "id": row.id,
                "gallery": row.gallery_id,
                "name": row.name,
                "data_key": self._sealer.seal(keys[row.id], bound_to("data key", row.gallery_id, row.id)),
                "number": self._number,
                "created": row.created,
            }
            for row in rows
        ]
        self._connection.execute(
            text(
                "INSERT INTO subjects (id, gallery_id, name, data_key, wrapped_by, created)"
                " VALUES (:id, :gallery, :name, :data_key, :number, :created)"
            ),
            values,
        )
        return [mark for row in rows for mark in self._move_templates(row.id, Sealer(keys[row.id]))]

    def _move_templates(self, subject: int, sealer: Sealer) -> list[int]:
        wanted = text("SELECT * FROM old_templates WHERE subject_id = :subject ORDER BY id")
        bound = bound_to("embedding", self._row.id, subject)
        values = []
        for row in self._connection.execute(wanted, {"subject": subject}).all():
            sealed = sealer.seal(row.embedding, bound)
            source = None if row.source is None else keyed_hash(self._source_key, row.source)
            values.append({**row._mapping, "embedding": sealed, "mark": mark_of(sealed), "source": source})
        if values:
            self._connection.execute(
                text(
                    "INSERT INTO templates (id, gallery_id, subject_id, embedding, mark, fingerprint, labels, frames,"
                    " source, created) VALUES (:id, :gallery_id, :subject_id, :embedding, :mark, :fingerprint, :labels,"
                    " :frames, :source, :created)"
                ),
                values,
            )
        return [value["mark"] for value in values]
