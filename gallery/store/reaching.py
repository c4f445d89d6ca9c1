"""What logs and receipts call the galleries of these names: for a caller who reaches no others."""

from collections.abc import Collection
from typing import TYPE_CHECKING

from sqlalchemy import select

from gallery.store.schema import erasures, galleries

if TYPE_CHECKING:
    from gallery.store.store import Store


def numbers_of(store: "Store", names: Collection[str]) -> frozenset[int]:
    """The keys of all generations of the galleries with these names; a name that no gallery has adds none."""
    families = select(galleries.c.family).where(galleries.c.name.in_(list(names)))
    with store.read() as connection:
        return frozenset(connection.scalars(select(galleries.c.id).where(galleries.c.family.in_(families))))


def gallery_of_erasure(store: "Store", erasure: str) -> int | None:
    """The key of the gallery that something was erased from; None for an erasure that is not known."""
    with store.read() as connection:
        return connection.scalar(select(erasures.c.gallery_id).where(erasures.c.id == erasure))
