"""Which keys there are, what they wrap, and which are left over from a rotation that was interrupted."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection, func, select

from gallery.keys.file import FileMasters
from gallery.store.moments import when
from gallery.store.rotation import master_users
from gallery.store.schema import galleries, secrets, subjects
from gallery.template import State

if TYPE_CHECKING:
    from gallery.store.store import Store


@dataclass(frozen=True, slots=True)
class MasterKey:
    """wraps: how many keys of this store."""

    id: str
    current: bool
    wraps: int


@dataclass(frozen=True, slots=True)
class GalleryKeys:
    """key: number of the gallery's current key. subjects: those whose data keys it wraps. old: how many subjects are
    still under which older keys; none unless a rotation is at work, or was interrupted. transform: number of a
    protected gallery's transform, since `transform_since`."""

    gallery: str
    key: int
    since: datetime
    subjects: int
    old: dict[int, int]
    transform: int | None
    transform_since: datetime | None


def master_keys(store: "Store") -> list[MasterKey]:
    """Oldest first where they come from a file; elsewhere those that are in use, and the current one."""
    with store.read() as connection:
        users = master_users(connection)
    current = store.masters.current
    names = list(store.masters.names) if isinstance(store.masters, FileMasters) else sorted(users.keys() - {current})
    missing = sorted(users.keys() - {*names, current})
    return [MasterKey(name, name == current, users.get(name, 0)) for name in dict.fromkeys([*missing, *names, current])]


def gallery_keys(store: "Store") -> list[GalleryKeys]:
    """Of every gallery by name, and of those generations of it that do not answer: `staff (retired)`."""
    columns = (galleries.c.id, galleries.c.family, galleries.c.name, galleries.c.state)
    with store.read() as connection:
        rows = connection.execute(select(*columns).order_by(galleries.c.id)).all()
        names = {row.family: row.name for row in rows if row.state == State.ACTIVE}
        found = []
        for row in rows:
            name = names.get(row.family, row.name)
            found.append(_keys_of(connection, row.id, name if row.state == State.ACTIVE else f"{name} ({row.state})"))
        return sorted(found, key=lambda each: each.gallery)


def _keys_of(connection: Connection, gallery: int, name: str) -> GalleryKeys:
    wanted = select(secrets.c.id, secrets.c.kind, secrets.c.created).where(secrets.c.gallery_id == gallery)
    rows = connection.execute(wanted.order_by(secrets.c.id)).all()
    own = [row for row in rows if row.kind == "gallery"]
    transforms = [row for row in rows if row.kind == "transform"]
    under = select(subjects.c.wrapped_by, func.count()).where(subjects.c.gallery_id == gallery)
    counts = {row[0]: row[1] for row in connection.execute(under.group_by(subjects.c.wrapped_by))}
    newest = own[-1]
    transform = transforms[-1] if transforms else None
    return GalleryKeys(
        gallery=name,
        key=newest.id,
        since=when(newest.created),
        subjects=counts.get(newest.id, 0),
        old={row.id: counts.get(row.id, 0) for row in own[:-1]},
        transform=None if transform is None else transform.id,
        transform_since=None if transform is None else when(transform.created),
    )
