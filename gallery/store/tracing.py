"""Erasures as they are listed, and what the database still has of one: nothing, if all is well."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Table, func, or_, select

from gallery.store import heads, reading
from gallery.store.audit import ChainHead
from gallery.store.bulk import among
from gallery.store.erasing import MOVED, as_erasure, position
from gallery.store.rows import Erasure
from gallery.store.schema import audit, erasures, galleries, secrets, subjects, templates, vault
from model.errors import InvalidRequest

if TYPE_CHECKING:
    from gallery.store.store import Store


_ERASED = erasures.c.state != MOVED


@dataclass(frozen=True, slots=True)
class Traces:
    """What there is of an erasure. erasure: as the store has it; rows: how many are left, by what they are; answers:
    template numbers that an answer could name; generations: numbers of snapshot keys that may seal it and are there;
    audit: what is wrong with its place in the audit log, empty if nothing is."""

    erasure: Erasure | None
    rows: Mapping[str, int]
    generations: tuple[int, ...]
    audit: str


def find(connection: Connection, erasure: str) -> tuple[Erasure, ChainHead | None]:
    """An erasure and its place in the audit log. Raises `InvalidRequest` where there is none of this id."""
    row = connection.execute(select(erasures).where(erasures.c.id == erasure, _ERASED)).one_or_none()
    if row is None:
        raise InvalidRequest("erasure", f"no {erasure!r}; `gaitkeeper gallery erasures` lists them")
    found = as_erasure(row)
    return found, position(connection, found)


def erasures_page(store: "Store", after: int = 0, limit: int = 1000, *, gallery: int | None = None) -> list[Erasure]:
    """At most `limit` erasures by their change numbers, those behind `after`; of one gallery, or of all."""
    wanted = select(erasures).where(erasures.c.seq > after, _ERASED).order_by(erasures.c.seq).limit(limit)
    if gallery is not None:
        wanted = wanted.where(erasures.c.gallery_id == gallery)
    with store.read() as connection:
        return [as_erasure(row) for row in connection.execute(wanted)]


def key_of_gallery(store: "Store", gallery: str) -> int:
    """What the logs call a gallery. Raises `UnknownGallery`."""
    return store.head(gallery).key


def key_of_subject(store: "Store", gallery: str, subject: str) -> int:
    """What the logs call a subject. Raises `UnknownGallery`, `UnknownSubject`."""
    with store.read() as connection:
        return int(reading.subject_row(connection, heads.head(connection, gallery), subject).id)


def signing_keys(connection: Connection, store: "Store") -> set[str]:
    """The public keys, in base64, of all that this store signs or has signed with. Raises `KeyUnavailable`."""
    from gallery.keys.signing import public_of

    numbers = connection.scalars(select(secrets.c.id).where(secrets.c.kind == "signing")).all()
    return {b64encode(public_of(store.secrets.key(connection, number))).decode() for number in numbers}


def traces_of(connection: Connection, store: "Store", erasure: Erasure, at: ChainHead) -> Traces:
    """Look in every table that could have something of an erasure. at: where in the audit log it is said to be."""
    row = connection.execute(select(erasures).where(erasures.c.id == erasure.id, _ERASED)).one_or_none()
    return Traces(
        erasure=None if row is None else as_erasure(row),
        rows={**_rows(connection, erasure), "answers": len(store.owners(erasure.templates))},
        generations=_generations(connection, erasure),
        audit=_audit(connection, erasure, at),
    )


def _rows(connection: Connection, erasure: Erasure) -> dict[str, int]:
    listed = among(connection, templates.c.id, erasure.templates)
    made_from = among(connection, templates.c.origin, erasure.templates)
    kept = among(connection, vault.c.template_id, erasure.templates)
    found = {
        "templates": _count(connection, templates, or_(listed, made_from)),
        "skeletons in the vault": _count(connection, vault, kept),
    }
    if erasure.subject == 0:
        own = secrets.c.gallery_id == erasure.gallery
        found["galleries"] = _count(connection, galleries, galleries.c.id == erasure.gallery)
        found["subjects of the gallery"] = _count(connection, subjects, subjects.c.gallery_id == erasure.gallery)
        found["templates of the gallery"] = _count(connection, templates, templates.c.gallery_id == erasure.gallery)
        # What hashes the sources belongs to all generations of a gallery.
        found["keys of the gallery"] = _count(connection, secrets, own & (secrets.c.kind != "source"))
    elif erasure.whole:
        found["subjects with their data keys"] = _count(connection, subjects, subjects.c.id == erasure.subject)
        found["templates of the subject"] = _count(connection, templates, templates.c.subject_id == erasure.subject)
    return found


def _count(connection: Connection, table: Table, condition: Any) -> int:
    return connection.scalar(select(func.count()).select_from(table).where(condition)) or 0


def _generations(connection: Connection, erasure: Erasure) -> tuple[int, ...]:
    """Keys of snapshots, of any generation of the gallery, that are not younger than the erasure."""
    if erasure.generation is None:
        return ()
    family = select(galleries.c.family).where(galleries.c.id == erasure.gallery).scalar_subquery()
    kin = select(galleries.c.id).where(galleries.c.family == family)
    own = or_(secrets.c.gallery_id == erasure.gallery, secrets.c.gallery_id.in_(kin))
    wanted = select(secrets.c.id).where(secrets.c.kind == "snapshot", secrets.c.id <= erasure.generation, own)
    return tuple(connection.scalars(wanted.order_by(secrets.c.id)))


def _audit(connection: Connection, erasure: Erasure, at: ChainHead) -> str:
    row = connection.execute(select(audit.c.hash, audit.c.detail).where(audit.c.seq == at.seq)).one_or_none()
    if row is not None and bytes(row.hash).hex() == at.hash:
        return "" if f'"erasure":"{erasure.id}"' in row.detail else f"row {at.seq} is of something else"
    # The log itself was restored from an older backup: then it says that the erasure was done again, and where it was.
    spelled = f'%"audit":"{at}"%"erasure":"{erasure.id}"%'
    again = (audit.c.gallery_id == erasure.gallery, audit.c.action == "replay", audit.c.detail.like(spelled))
    if connection.scalar(select(func.count()).where(*again)):
        return ""
    return f"row {at.seq} is not there" if row is None else f"row {at.seq} has another hash"
