"""Templates that are there already, put somewhere else: under another subject, in another gallery or generation.

They are unsealed and sealed again under the data key of their new subject, and get new numbers: to every cache the old
ones have gone and new ones have come. What runs here runs in the caller's transaction.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, delete, insert, select

from gallery.keys.sealing import Sealer, bound_to, mark_of
from gallery.store.bulk import among, insert_many
from gallery.store.enrolling import count, log
from gallery.store.rows import Change
from gallery.store.schema import subjects, templates, vault
from gallery.store.secrets import unsealed

if TYPE_CHECKING:
    from gallery.store.store import Store

_TEMPLATE = tuple(templates.c.keys())
_CONSENT = ("consent", "purpose", "expires", "hold")


@dataclass(frozen=True, slots=True, eq=False)
class Skeleton:
    """What the vault keeps of a template, packed (`gallery/vault.py`), until `expires` (microseconds since 1970)."""

    packed: bytes
    expires: int


@dataclass(frozen=True, slots=True, eq=False)
class Plain:
    """A template, unsealed. id, mark: as it is in the store, 0 where it is not yet. embedding: float32, little-endian.
    source: hashed already. created: microseconds since 1970."""

    id: int
    mark: int
    embedding: bytes
    labels: Mapping[str, str]
    frames: int
    source: str | None
    origin: int | None
    created: int
    skeleton: Skeleton | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Owner:
    """A subject to whom templates may be given."""

    key: int
    gallery: int
    sealer: Sealer


def owner_of(connection: Connection, store: "Store", row: Row[Any]) -> Owner:
    """The owner that a row of `subjects` is."""
    return Owner(row.id, row.gallery_id, Sealer(store.secrets.data_key(connection, row)))


def make_owner(
    connection: Connection, store: "Store", gallery: int, name: str, like: Row[Any], metadata: bytes | None
) -> Owner:
    """A new subject with a data key of its own, and the consent, hold and age of the row `like`.

    metadata: plain, since it is sealed for its subject.
    """
    key = store.next_keys(connection, "subjects", 1)
    plain, wrapped, number = store.secrets.new_data_key(connection, gallery, key)
    sealer = Sealer(plain)
    values: dict[str, Any] = {name: getattr(like, name) for name in _CONSENT}
    values |= {"id": key, "gallery_id": gallery, "name": name, "created": like.created}
    values |= {"data_key": wrapped, "wrapped_by": number, "metadata": None}
    if metadata is not None:
        values["metadata"] = sealer.seal(metadata, bound_to("metadata", gallery, key))
    connection.execute(insert(subjects).values(values))
    return Owner(key, gallery, sealer)


def metadata_of(connection: Connection, store: "Store", row: Row[Any]) -> bytes | None:
    """The metadata of a row of `subjects`, as JSON."""
    if row.metadata is None:
        return None
    sealer = Sealer(store.secrets.data_key(connection, row))
    return unsealed(sealer, row.metadata, bound_to("metadata", row.gallery_id, row.id))


def plain_templates(
    connection: Connection, store: "Store", row: Row[Any], only: Sequence[int] | None = None
) -> list[Plain]:
    """The templates of a row of `subjects` by number, or those of these numbers."""
    owner = owner_of(connection, store, row)
    bound = bound_to("embedding", row.gallery_id, row.id)
    wanted = select(templates, vault.c.skeleton, vault.c.expires).join(
        vault, vault.c.template_id == templates.c.id, isouter=True
    )
    wanted = wanted.where(templates.c.subject_id == row.id).order_by(templates.c.id)
    if only is not None:
        wanted = wanted.where(among(connection, templates.c.id, only))
    return [
        Plain(
            each.id,
            each.mark,
            unsealed(owner.sealer, each.embedding, bound),
            each.labels,
            each.frames,
            each.source,
            each.origin,
            each.created,
            _skeleton(owner, each),
        )
        for each in connection.execute(wanted).all()
    ]


def _skeleton(owner: Owner, row: Row[Any]) -> Skeleton | None:
    if row.skeleton is None:
        return None
    packed = unsealed(owner.sealer, row.skeleton, bound_to("skeleton", owner.gallery, owner.key))
    return Skeleton(packed, row.expires)


def place(
    connection: Connection,
    store: "Store",
    fingerprint: str,
    given: Sequence[tuple[Owner, Plain]],
    first: int | None = None,
) -> int:
    """Give templates to owners in one gallery; their numbers are those from `first` on, which is returned."""
    if not given:
        return 0
    start = store.next_keys(connection, "templates", len(given)) if first is None else first
    gallery = given[0][0].gallery
    rows, kept = [], []
    for key, (owner, item) in enumerate(given, start):
        sealed = owner.sealer.seal(item.embedding, bound_to("embedding", gallery, owner.key))
        labels = json.dumps(dict(item.labels))
        about = (fingerprint, labels, item.frames, item.source, item.origin, item.created)
        rows.append((key, gallery, owner.key, sealed, mark_of(sealed), *about))
        if item.skeleton is not None:
            skeleton = owner.sealer.seal(item.skeleton.packed, bound_to("skeleton", gallery, owner.key))
            kept.append((key, skeleton, item.skeleton.expires))
    insert_many(connection, templates, _TEMPLATE, rows)
    insert_many(connection, vault, ("template_id", "skeleton", "expires"), kept)
    log(connection, store, gallery, [(Change.ENROLLED, row[2], row[0]) for row in rows])
    count(connection, gallery, len(rows), (row[4] for row in rows))
    return start


def displace(connection: Connection, store: "Store", row: Row[Any]) -> None:
    """Take a row of `subjects` away, with its data key and all that this sealed: its templates are elsewhere now."""
    held = connection.execute(select(templates.c.id, templates.c.mark).where(templates.c.subject_id == row.id)).all()
    connection.execute(delete(templates).where(templates.c.subject_id == row.id))
    connection.execute(delete(subjects).where(subjects.c.id == row.id))
    gone: list[tuple[Change, int | None, int | None]] = [(Change.TEMPLATE_ERASED, row.id, each.id) for each in held]
    log(connection, store, row.gallery_id, [*gone, (Change.SUBJECT_ERASED, row.id, None)])
    count(connection, row.gallery_id, -len(held), (each.mark for each in held))
