"""A gallery as the records of an archive, in one moment of the database and a page at a time."""

from collections.abc import Generator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, Connection, CursorResult, FromClause, Row, and_, func, or_, select

from gallery.keys.sealing import Sealer, bound_to
from gallery.store.bulk import among
from gallery.store.heads import head
from gallery.store.moments import moment
from gallery.store.records import Facts, Record, SubjectRecord, TemplateRecord
from gallery.store.schema import galleries, subjects, templates, vault
from gallery.store.secrets import unsealed

if TYPE_CHECKING:
    from gallery.store.store import Store

PAGE = 500


class Exporter:
    """One gallery in the moment of `connection`, which is one of `Store.read`; raises `UnknownGallery`.

    Those whose consent has expired are left out, unless a hold keeps them.
    """

    def __init__(self, connection: Connection, store: "Store", name: str, *, with_vault: bool) -> None:
        self._connection, self._store, self._with_vault = connection, store, with_vault
        self.at = head(connection, name)
        current = or_(subjects.c.expires.is_(None), subjects.c.expires > moment(), subjects.c.hold.is_not(None))
        self._kept: ColumnElement[bool] = and_(subjects.c.gallery_id == self.at.key, current)

    def facts(self) -> Facts:
        connection, secrets = self._connection, self._store.secrets
        row = connection.execute(select(galleries).where(galleries.c.id == self.at.key)).one()
        transform = secrets.newest(connection, self.at.key, "transform") if row.protected else None
        of_subjects = templates.join(subjects, subjects.c.id == templates.c.subject_id)
        in_vault = of_subjects.join(vault, vault.c.template_id == templates.c.id)
        return Facts(
            store=self._store.id,
            gallery=row.family,
            name=row.name,
            fingerprint=row.fingerprint,
            dim=row.dim,
            created=row.created,
            subjects=self._count(subjects),
            templates=self._count(of_subjects),
            skeletons=self._count(in_vault) if self._with_vault else 0,
            vault_days=row.vault_days,
            protected=row.protected,
            calibration=row.calibration,
            source_key=secrets.source_key(connection, row.family),
            transform=None if transform is None else transform.key,
        )

    def records(self) -> Generator[Record, None, None]:
        """Each subject, and behind it its templates; to be closed before the connection is."""
        after = ""
        # By name, for which there is an index.
        wanted = select(subjects).where(self._kept).order_by(subjects.c.name).limit(PAGE)
        while page := self._connection.execute(wanted.where(subjects.c.name > after)).all():
            after = page[-1].name
            # Closed in time, whoever stops in the middle: PostgreSQL has a cursor open for it.
            with closing(self._templates([row.id for row in page])) as held:
                template = held.fetchone()
                for row in sorted(page, key=lambda row: int(row.id)):
                    sealer = Sealer(self._store.secrets.data_key(self._connection, row))
                    yield self._subject(sealer, row)
                    while template is not None and template.subject_id == row.id:
                        yield self._template(sealer, template)
                        template = held.fetchone()

    def _count(self, source: FromClause) -> int:
        return self._connection.scalar(select(func.count()).select_from(source).where(self._kept)) or 0

    def _templates(self, owners: Sequence[int]) -> CursorResult[Any]:
        wanted = select(templates).where(among(self._connection, templates.c.subject_id, owners))
        if self._with_vault:
            kept = templates.join(vault, vault.c.template_id == templates.c.id, isouter=True)
            wanted = wanted.select_from(kept).add_columns(vault.c.skeleton, vault.c.expires)
        wanted = wanted.order_by(templates.c.subject_id, templates.c.id)
        return self._connection.execute(wanted, execution_options={"yield_per": PAGE})

    def _subject(self, sealer: Sealer, row: Row[Any]) -> SubjectRecord:
        content = row.metadata
        if content is not None:
            content = unsealed(sealer, content, bound_to("metadata", self.at.key, row.id))
        return SubjectRecord(row.id, row.name, row.created, row.consent, row.purpose, row.expires, row.hold, content)

    def _template(self, sealer: Sealer, row: Row[Any]) -> TemplateRecord:
        owner = row.subject_id
        embedding = unsealed(sealer, row.embedding, bound_to("embedding", self.at.key, owner))
        skeleton, expires = (row.skeleton, row.expires) if self._with_vault else (None, None)
        if skeleton is not None:
            skeleton = unsealed(sealer, skeleton, bound_to("skeleton", self.at.key, owner))
        about = (row.labels, row.frames, row.source, row.created)
        return TemplateRecord(row.id, embedding, *about, skeleton, expires)
