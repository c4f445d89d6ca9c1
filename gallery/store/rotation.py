"""New keys for old while others work: each step is one short transaction, and what was interrupted goes on.

A new key is the newest of its kind from the commit that makes it, in every process, so that nothing new comes under
the old one. Then what the old one wraps is wrapped again, batch by batch; a reader has the rows and the key of one
moment, so it never misses one. When nothing is left under the old key, it is destroyed.

Data keys stay as they are: rotation is for a wrapping key that somebody may have seen, in the store as it is from now
on. Whoever has both the old key and an old copy of the database can read that copy.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from sqlalchemy import Connection, bindparam, func, select, update

from gallery.keys.file import FileMasters
from gallery.keys.sealing import bound_to, new_key
from gallery.store import audit
from gallery.store.heads import head
from gallery.store.reading import family_of
from gallery.store.schema import galleries, secrets, subjects
from gallery.store.secrets import BY_MASTER
from model.errors import KeyUnavailable

if TYPE_CHECKING:
    from gallery.store.store import Store

BATCH = 1000
MASTER_BATCH = 50

# Called between two transactions with what is done and what is to do; may raise to stop there.
Progress: TypeAlias = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Rotation:
    """current: the key that wraps from now on; destroyed: those that are no more; wrapped: how many keys were wrapped
    again; resumed: whether it went on with a rotation that was interrupted."""

    current: str
    destroyed: tuple[str, ...]
    wrapped: int
    resumed: bool


def rotate_gallery(store: "Store", name: str, progress: Progress | None = None) -> list[Rotation]:
    """A new key for a gallery, for each generation of it. Raises `UnknownGallery`, `KeyUnavailable`."""
    with store.read() as connection:
        family = family_of(connection, head(connection, name))
        keys = connection.scalars(select(galleries.c.id).where(galleries.c.family == family).order_by(galleries.c.id))
        generations = [int(key) for key in keys]
    begun = [_begin(store, key) for key in generations]
    total = sum(each.left for each in begun)
    done, found = 0, []
    for each in begun:
        wrapped = 0
        while step := _wrap_again(store, each):
            wrapped, done = wrapped + step, done + step
            if progress is not None:
                progress(done, total)
        gone = _finish(store, each)
        found.append(Rotation(str(each.new), tuple(map(str, gone)), wrapped, each.resumed))
    return found


@dataclass(frozen=True, slots=True)
class _Begun:
    gallery: int
    new: int
    old: tuple[int, ...]
    left: int
    resumed: bool


def _begin(store: "Store", gallery: int) -> _Begun:
    """Make the new key; unless there are two, since the last rotation was interrupted or another one is at work."""
    with store.write() as connection:
        numbers = _numbers(connection, gallery, "gallery")
        if not numbers:
            raise KeyUnavailable(f"of gallery {gallery}", "was destroyed")
        resumed = len(numbers) > 1
        if not resumed:
            numbers.append(store.secrets.add(connection, gallery, "gallery", new_key()))
            audit.append(connection, store, "key_rotated", gallery, kind="gallery", key=numbers[-1], before=numbers[0])
        *old, new = numbers
        left = connection.scalar(select(func.count()).where(subjects.c.wrapped_by.in_(old)))
    return _Begun(gallery, new, tuple(old), left or 0, resumed)


def _wrap_again(store: "Store", begun: _Begun) -> int:
    """One batch of data keys; returns how many, 0 when none is left."""
    columns = (subjects.c.id, subjects.c.gallery_id, subjects.c.data_key, subjects.c.wrapped_by)
    with store.write() as connection:
        wanted = select(*columns).where(subjects.c.wrapped_by.in_(begun.old)).limit(BATCH)
        rows = connection.execute(wanted).all()
        again = [_row(connection, store, row, begun.new) for row in rows]
        if again:
            change = update(subjects).where(subjects.c.id == bindparam("key"))
            connection.execute(change.values(data_key=bindparam("sealed"), wrapped_by=begun.new), again)
    return len(again)


def _row(connection: Connection, store: "Store", row: Any, new: int) -> dict[str, Any]:
    plain = store.secrets.data_key(connection, row)
    sealed = store.secrets.sealer(connection, new).seal(plain, bound_to("data key", row.gallery_id, row.id))
    return {"key": row.id, "sealed": sealed}


def _finish(store: "Store", begun: _Begun) -> list[int]:
    """Wrap transforms and snapshot keys again and destroy the old keys, unless something is under them after all."""
    with store.write() as connection:
        under = secrets.c.wrapped_by.in_([str(number) for number in begun.old])
        rows = connection.execute(select(secrets).where(under, secrets.c.kind.not_in(BY_MASTER))).all()
        for row in rows:
            plain = store.secrets.key(connection, row.id)
            bound = bound_to(row.kind, row.gallery_id or 0, row.id)
            sealed = store.secrets.sealer(connection, begun.new).seal(plain, bound)
            change = update(secrets).where(secrets.c.id == row.id)
            connection.execute(change.values(wrapped=sealed, wrapped_by=str(begun.new)))
        gone = [number for number in begun.old if _unused(connection, number)]
        for number in gone:
            store.secrets.destroy(connection, number)
        if gone:
            audit.append(connection, store, "key_destroyed", begun.gallery, kind="gallery", keys=gone)
    return gone


def rotate_master(store: "Store", progress: Progress | None = None) -> Rotation:
    """Wrap what a master key wraps again, under the current one; of masters from a file, first make a new one.

    The old master keys stay where they are: other processes hold them, and backups need them (`destroy_old_masters`).
    Raises `KeyUnavailable`.
    """
    with store.read() as connection:
        store.secrets.check_masters(connection)
        users = master_users(connection)
    current = store.masters.current
    resumed = bool(set(users) - {current})
    if isinstance(store.masters, FileMasters) and not resumed:
        current = store.masters.add()
    total = sum(count for name, count in users.items() if name != current)
    done = 0
    while step := _wrap_by_master_again(store, current):
        done += step
        if progress is not None:
            progress(done, total)
    return Rotation(current, (), done, resumed)


def master_users(connection: Connection) -> dict[str, int]:
    """How many keys each master key wraps, by its id."""
    wanted = select(secrets.c.wrapped_by, func.count()).where(secrets.c.kind.in_(BY_MASTER))
    return {row[0]: row[1] for row in connection.execute(wanted.group_by(secrets.c.wrapped_by))}


def _wrap_by_master_again(store: "Store", current: str) -> int:
    """One batch; returns how many are done, 0 when all are."""
    stale = select(secrets).where(secrets.c.kind.in_(BY_MASTER), secrets.c.wrapped_by != current)
    with store.read() as connection:
        rows = connection.execute(stale.order_by(secrets.c.id).limit(MASTER_BATCH)).all()
    # A key service may take its time: nobody waits for it with the database locked.
    again = []
    for row in rows:
        bound = bound_to(row.kind, row.gallery_id or 0, row.id)
        name, wrapped = store.masters.wrap(store.masters.unwrap(row.wrapped_by, row.wrapped, bound), bound)
        if name != current:
            raise KeyUnavailable(name, f"became the current master key while all was wrapped by {current}; repeat")
        again.append({"key": row.id, "before": row.wrapped_by, "sealed": wrapped, "name": name})
    if again:
        unchanged = (secrets.c.id == bindparam("key"), secrets.c.wrapped_by == bindparam("before"))
        change = update(secrets).where(*unchanged)
        with store.write() as connection:
            connection.execute(change.values(wrapped=bindparam("sealed"), wrapped_by=bindparam("name")), again)
            audit.append(connection, store, "key_rotated", None, kind="master", key=current, wrapped=len(again))
    return len(again)


def destroy_old_masters(store: "Store") -> tuple[str, ...]:
    """Take those master keys out of their file that wrap nothing any more; returns their ids.

    Backups made before the rotation cannot be read without them. Raises `KeyUnavailable`, as where the masters are
    kept elsewhere: there, whoever keeps them takes them away.
    """
    masters = store.masters
    if not isinstance(masters, FileMasters):
        raise KeyUnavailable("masters", "are not in a file; take old ones away where they are kept (see `keys show`)")
    # Whoever wraps with a master key does so while writing, so nothing comes under an old one meanwhile.
    with store.write() as connection:
        used = master_users(connection)
        current = masters.current
        gone = tuple(name for name in masters.names if name != current and name not in used)
        if gone:
            audit.append(connection, store, "key_destroyed", None, kind="master", keys=list(gone))
        for name in gone:
            masters.remove(name)
    return gone


def _numbers(connection: Connection, gallery: int, kind: str) -> list[int]:
    wanted = select(secrets.c.id).where(secrets.c.gallery_id == gallery, secrets.c.kind == kind)
    return [int(number) for number in connection.scalars(wanted.order_by(secrets.c.id))]


def _unused(connection: Connection, number: int) -> bool:
    of_subjects = select(subjects.c.id).where(subjects.c.wrapped_by == number).limit(1)
    of_secrets = select(secrets.c.id).where(secrets.c.wrapped_by == str(number), secrets.c.kind.not_in(BY_MASTER))
    return connection.scalar(of_subjects) is None and connection.scalar(of_secrets.limit(1)) is None
