"""What goes: subjects, templates and galleries. Nothing is decrypted, so that nobody needs a key to be forgotten.

Each function runs in the caller's transaction. With the rows go the keys of what they sealed, and in the same commit
come the rows of the change log, the erasure's own (`erasing.py`) and the entry in the audit log.
"""

import uuid
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, delete, func, or_, select

from gallery.store import erasing, reading
from gallery.store.bulk import among
from gallery.store.enrolling import count, log
from gallery.store.moments import moment, when
from gallery.store.rows import Change, Erasure, Head
from gallery.store.schema import galleries, jobs, secrets, subjects, templates, webhooks
from gallery.template import State
from model.errors import SubjectHeld, UnknownSubject, UnknownTemplate

if TYPE_CHECKING:
    from gallery.store.store import Store


_HELD = (templates.c.id, templates.c.subject_id, templates.c.gallery_id, templates.c.mark, templates.c.origin)


def delete_gallery(connection: Connection, store: "Store", at: Head) -> list[Erasure]:
    """Delete a gallery, and with the one that answers all its other generations, with all their keys."""
    own = connection.execute(select(galleries).where(galleries.c.id == at.key)).one()
    one = galleries.c.id == at.key
    gone = one if own.state != State.ACTIVE else galleries.c.family == own.family
    doomed = connection.execute(select(galleries.c.id, galleries.c.name).where(gone).order_by(galleries.c.id)).all()
    for key, name in doomed:
        held = select(subjects.c.name, subjects.c.hold).where(
            subjects.c.gallery_id == key, subjects.c.hold.is_not(None)
        )
        for subject, reason in connection.execute(held.limit(1)):
            raise SubjectHeld(name, subject, reason)
    # The first generation too, if it has gone before: an older backup may have it, and not those that came after it.
    keys = dict.fromkeys([*(key for key, _ in doomed), own.family])
    return [_delete_one(connection, store, key, own.family) for key in keys]


def _delete_one(connection: Connection, store: "Store", key: int, family: int) -> Erasure:
    generation = _newest_snapshot(connection, [key])
    # What jobs are sealed under, and webhooks signed with, is no gallery's own: it goes with those that go here.
    of_others = [*connection.scalars(select(jobs.c.secret).where(jobs.c.gallery_id == key, jobs.c.secret.is_not(None)))]
    of_others += connection.scalars(select(webhooks.c.secret).where(webhooks.c.gallery_id == key))
    for table in (templates, subjects):
        connection.execute(delete(table).where(table.c.gallery_id == key))
    connection.execute(delete(galleries).where(galleries.c.id == key))
    numbers = list(
        connection.scalars(select(secrets.c.id).where(secrets.c.gallery_id == key, secrets.c.kind != "source"))
    )
    if connection.scalar(select(galleries.c.id).where(galleries.c.family == family).limit(1)) is None:
        numbers += connection.scalars(select(secrets.c.id).where(secrets.c.gallery_id == family))
    for number in (*numbers, *of_others):
        store.secrets.destroy(connection, number)
    seq = log(connection, store, key, [(Change.GALLERY_DELETED, None, None)])
    erasure = Erasure(str(uuid.uuid4()), key, 0, True, (), seq, generation, "withheld", when(moment()))
    erasing.record(connection, store, erasure, "delete")
    return erasure


def _refuse_held(at: Head, rows: Iterable[Row[Any]]) -> None:
    for row in rows:
        if row.hold is not None:
            raise SubjectHeld(at.name, row.name, row.hold)


def erase_subject(connection: Connection, store: "Store", at: Head, name: str, *, action: str = "erase") -> Erasure:
    """Erase a subject from all generations of its gallery: templates, vault, data keys. Nothing is decrypted."""
    rows = reading.everywhere(connection, at, name)
    if not rows:
        raise UnknownSubject(at.name, name)
    # Whom a change of encoder left behind is only in a generation that does not answer any more.
    own = next((row for row in rows if row.gallery_id == at.key), rows[-1])
    _refuse_held(at, rows)
    held = select(*_HELD)
    gone = connection.execute(held.where(among(connection, templates.c.subject_id, [row.id for row in rows]))).all()
    return _erase(connection, store, own, gone, rows, action)


def erase_template(connection: Connection, store: "Store", at: Head, template: int) -> Erasure:
    """Erase one template, with those that a change of encoder made from the same recording; its subject stays, and
    goes with its last template."""
    wanted = select(templates.c.subject_id, func.coalesce(templates.c.origin, templates.c.id).label("origin"))
    found = connection.execute(wanted.where(templates.c.id == template, templates.c.gallery_id == at.key)).one_or_none()
    if found is None:
        raise UnknownTemplate(at.name, str(template))
    own = connection.execute(select(subjects).where(subjects.c.id == found.subject_id)).one()
    _refuse_held(at, reading.everywhere(connection, at, own.name))
    held = select(*_HELD)
    same = or_(templates.c.id == found.origin, templates.c.origin == found.origin)
    gone = connection.execute(held.where(same)).all()
    owners = connection.execute(
        select(subjects).where(among(connection, subjects.c.id, [row.subject_id for row in gone]))
    ).all()
    ids = [row.id for row in gone]
    rest = select(templates.c.subject_id, func.count().label("left")).where(
        among(connection, templates.c.subject_id, [row.id for row in owners]), ~among(connection, templates.c.id, ids)
    )
    left = {owner for owner, _ in connection.execute(rest.group_by(templates.c.subject_id))}
    return _erase(connection, store, own, gone, [row for row in owners if row.id not in left], "erase")


def _erase(
    connection: Connection,
    store: "Store",
    own: Row[Any],
    gone: Sequence[Any],
    owners: Sequence[Row[Any]],
    action: str,
) -> Erasure:
    """Erase templates, and subjects that have no others; `own` is the subject that was named."""
    touched = sorted({row.gallery_id for row in (*gone, *owners)})
    generation = _newest_snapshot(connection, touched)
    for table, rows in ((templates, gone), (subjects, owners)):
        connection.execute(delete(table).where(among(connection, table.c.id, [row.id for row in rows])))
    last = {}
    for gallery in touched:
        here = [row for row in gone if row.gallery_id == gallery]
        rows_: list[tuple[Change, int | None, int | None]] = [
            (Change.TEMPLATE_ERASED, row.subject_id, row.id) for row in here
        ]
        rows_ += [(Change.SUBJECT_ERASED, row.id, None) for row in owners if row.gallery_id == gallery]
        last[gallery] = log(connection, store, gallery, rows_)
        count(connection, gallery, -len(here), (row.mark for row in here))
    erasure = Erasure(
        id=str(uuid.uuid4()),
        gallery=own.gallery_id,
        subject=own.id,
        whole=any(row.id == own.id for row in owners),
        # Those that a change of encoder made them from, too: an older backup may have these and not them.
        templates=tuple(sorted({row.id for row in gone} | {row.origin for row in gone if row.origin is not None})),
        seq=last[own.gallery_id],
        generation=generation,
        state="withheld",
        at=when(moment()),
    )
    erasing.record(connection, store, erasure, action)
    return erasure


def _newest_snapshot(connection: Connection, keys: Sequence[int]) -> int | None:
    of_kind = select(func.max(secrets.c.id)).where(secrets.c.kind == "snapshot")
    found: int | None = connection.scalar(of_kind.where(among(connection, secrets.c.gallery_id, keys)))
    return found
