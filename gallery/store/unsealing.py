"""Can everything that is sealed be read? What the database's own checks cannot see: a byte that the disk has turned."""

from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, select

from gallery.keys.sealing import Sealer, bound_to, mark_of
from gallery.store import heads, reading
from gallery.store.bulk import stream
from gallery.store.schema import galleries, subjects, templates, vault
from gallery.store.secrets import Secrets, unsealed
from model.errors import InvalidArchive, KeyUnavailable, StoreUnavailable

if TYPE_CHECKING:
    from gallery.store.store import Store

# A table that is gone is one piece of news, not a million.
LISTED = 20


def unreadable(store: "Store") -> list[str]:
    """What cannot be unsealed, or is not what its mark says, a line each; of many the first, and how many there are.

    Without the master key it says so, and nothing else.
    """
    found: list[str] = []
    more = 0
    try:
        with store.read() as connection:
            for fault in _faults(connection, store.secrets):
                more += len(found) == LISTED
                found += [fault] if len(found) < LISTED else []
    except KeyUnavailable as error:
        return [f"what is sealed could not be read: {error}"]
    return [*found, f"{more} more of what is sealed cannot be read"] if more else found


def _faults(connection: Connection, secrets: Secrets) -> Iterator[str]:
    held = connection.execute(select(galleries.c.id, galleries.c.protected).order_by(galleries.c.id)).all()
    for key, protected in held:
        if protected and not _transform_is_whole(connection, secrets, key):
            yield f"gallery {key}: its secret transform is damaged"
        owners: dict[int, Sealer] = {}
        wanted = select(subjects.c.id, subjects.c.data_key, subjects.c.wrapped_by, subjects.c.metadata)
        with closing(stream(connection, wanted.where(subjects.c.gallery_id == key))) as chunks:
            rows = [row for chunk in chunks for row in chunk]
        for owner, data_key, number, metadata in rows:
            wrapper = secrets.sealer(connection, number)
            plain = _opened(wrapper, data_key, bound_to("data key", key, owner))
            if plain is None:
                yield f"gallery {key}, subject {owner}: its data key is damaged or not where it belongs"
                continue
            owners[owner] = Sealer(plain)
            if metadata is not None and _opened(owners[owner], metadata, bound_to("metadata", key, owner)) is None:
                yield f"gallery {key}, subject {owner}: its metadata are damaged or not where they belong"
        yield from _templates(connection, key, owners)


def _templates(connection: Connection, gallery: int, owners: dict[int, Sealer]) -> Iterator[str]:
    """Of subjects whose data key can be read."""
    wanted = (
        select(templates.c.id, templates.c.subject_id, templates.c.mark, templates.c.embedding, vault.c.skeleton)
        .join(vault, vault.c.template_id == templates.c.id, isouter=True)
        .where(templates.c.gallery_id == gallery)
        .order_by(templates.c.id)
    )
    with closing(stream(connection, wanted)) as chunks:
        for key, owner, mark, embedding, skeleton in (row for chunk in chunks for row in chunk):
            sealer = owners.get(owner)
            if sealer is None:
                continue
            plain = _opened(sealer, embedding, bound_to("embedding", gallery, owner))
            if plain is None or mark_of(embedding) != mark:
                yield f"gallery {gallery}, subject {owner}: template {key} is damaged or not where it belongs"
            if skeleton is not None and _opened(sealer, skeleton, bound_to("skeleton", gallery, owner)) is None:
                yield f"gallery {gallery}, subject {owner}: the skeleton of template {key} is damaged"


def _transform_is_whole(connection: Connection, secrets: Secrets, gallery: int) -> bool:
    at = heads.generation(connection, gallery)
    try:
        return at is not None and reading.transform(connection, secrets, at) is not None
    except (StoreUnavailable, InvalidArchive):
        return False


def _opened(sealer: Sealer, sealed: Any, bound: bytes) -> bytes | None:
    try:
        return unsealed(sealer, sealed, bound)
    except StoreUnavailable:
        return None
