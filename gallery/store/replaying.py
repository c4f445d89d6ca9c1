"""Erases again what the journal says was erased, when an older backup was restored; before anything is answered."""

import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from gallery.journal import Line
from gallery.store import erasing
from gallery.store.audit import append
from gallery.store.bulk import among
from gallery.store.enrolling import count, log
from gallery.store.failures import as_unavailable
from gallery.store.jobs import abandon_jobs
from gallery.store.rows import Change, Erasure
from gallery.store.schema import counters, erasures, galleries, identity, secrets, subjects, templates

if TYPE_CHECKING:
    from gallery.store.store import Store

_log = logging.getLogger(__name__)


def catch_up(store: "Store") -> int:
    """Make the database and its journal of erasures agree; to be called before a store answers anything.

    Erasures that the database does not know are done again: it was restored from an older backup. Numbers that were
    used after that backup are not used again, and the store's epoch tells caches to throw away what they hold.
    Erasures that the journal does not know, of other hosts on the same database, are written into it. Returns how many
    were done again. Raises `StoreUnavailable`, and `InvalidArchive` for a journal that is damaged or another store's.
    """
    with as_unavailable():
        if _agree(store):
            return 0
        with store.write() as connection:
            store.journal.settle(lambda asked: erasing.fate(connection, store, asked))
            lines = list(store.journal.lines())
            again = _unknown(connection, lines)
            if again:
                _move_on(connection, lines)
                abandon_jobs(connection, store, "an older backup was restored")
            moves = [line for line in lines if erasing.is_move(line)]
            for line in again:
                _do_again(connection, store, line, moves)
            _write_missing(connection, store, lines)
            # Another process may have been faster.
            store.epoch = connection.scalar(select(identity.c.epoch)) or 0
    if again:
        _log.warning(
            "an older backup was restored: %d erasures were done again from %s", len(again), store.journal.path
        )
    return len(again)


def _agree(store: "Store") -> bool:
    """Whether there is nothing to do, seen from the ends: the journal's last line is the database's last erasure."""
    last = store.journal.last()
    with store.read() as connection:
        held = connection.scalar(select(func.count()).select_from(erasures)) or 0
        if last is None:
            return held == 0
        known = connection.scalar(select(erasures.c.id).where(erasures.c.id == last.id)) is not None
    return last.done and known and last.number == held


def _unknown(connection: Connection, lines: Iterable[Line]) -> list[Line]:
    known = set(connection.scalars(select(erasures.c.id)))
    return [line for line in lines if line.id not in known]


def _write_missing(connection: Connection, store: "Store", lines: Iterable[Line]) -> None:
    written = {line.id for line in lines}
    for row in connection.execute(select(erasures).order_by(erasures.c.seq)).all():
        if row.id not in written:
            erasing.write_missing(connection, store, row)


def _move_on(connection: Connection, lines: Iterable[Line]) -> None:
    """Numbers go on behind the last that was used in the time that the backup does not know."""
    for line in lines:
        for name, last in line.fields["counters"].items():
            behind = (counters.c.name == name, counters.c.last < last)
            connection.execute(update(counters).where(*behind).values(last=last))
    connection.execute(update(identity).values(epoch=identity.c.epoch + 1))


def _do_again(connection: Connection, store: "Store", line: Line, moves: Sequence[Line]) -> None:
    if erasing.is_move(line):  # who was merged or moved is not: the backup has them apart, as they were
        connection.execute(insert(erasures).values(erasing.move_row(line)))
        return
    erasure = erasing.of_line(line)
    if erasure.subject == 0:
        _delete_gallery(connection, store, erasure.gallery)
    else:
        _erase(connection, store, *_formerly(erasure, [each for each in moves if each.number < line.number]))
    connection.execute(insert(erasures).values(**erasing.values_of(erasure)))
    detail = {"erasure": erasure.id, "change": erasure.seq, "audit": line.fields["audit"]}
    append(connection, store, "replay", erasure.gallery, erasure.subject or None, **detail)


def _formerly(erasure: Erasure, moves: Sequence[Line]) -> tuple[set[int], set[int]]:
    """Keys of the subject and of the templates that were erased, now and before they were merged or moved."""
    people, held = {erasure.subject} if erasure.whole else set(), set(erasure.templates)
    for line in reversed(moves):
        move = line.fields["templates"]
        if move["to"] in people:
            people.add(line.fields["subject_id"])
        held.update(old for old, new in move["numbers"] if new in held)
    return people, held


def _erase(connection: Connection, store: "Store", people: set[int], held: set[int]) -> None:
    """The templates that were erased, and what a change of encoder made of them; the subjects, if they were, and
    whoever has no template left by that."""
    wanted = select(templates.c.id, templates.c.subject_id, templates.c.gallery_id, templates.c.mark)
    listed = sorted(held)
    by_number = or_(among(connection, templates.c.id, listed), among(connection, templates.c.origin, listed))
    if people:  # with rows of the same in other generations, and all that these have
        people |= set(connection.scalars(select(templates.c.subject_id).where(by_number)))
    gone = connection.execute(
        wanted.where(or_(by_number, among(connection, templates.c.subject_id, sorted(people))))
    ).all()
    connection.execute(delete(templates).where(among(connection, templates.c.id, [row.id for row in gone])))
    owners = _left_empty(connection, {row.subject_id for row in gone} | people)
    connection.execute(delete(subjects).where(among(connection, subjects.c.id, [row.id for row in owners])))
    for gallery in sorted({row.gallery_id for row in (*gone, *owners)}):
        here = [row for row in gone if row.gallery_id == gallery]
        changed = [(Change.TEMPLATE_ERASED, row.subject_id, row.id) for row in here]
        left: list[tuple[Change, int | None, int | None]] = [
            (Change.SUBJECT_ERASED, row.id, None) for row in owners if row.gallery_id == gallery
        ]
        log(connection, store, gallery, [*changed, *left])
        count(connection, gallery, -len(here), (row.mark for row in here))


def _left_empty(connection: Connection, keys: Iterable[int]) -> Sequence[Any]:
    """(id, gallery_id) of those of these subjects that have no template."""
    some = select(templates.c.id).where(templates.c.subject_id == subjects.c.id).exists()
    wanted = select(subjects.c.id, subjects.c.gallery_id).where(among(connection, subjects.c.id, sorted(keys)), ~some)
    return connection.execute(wanted).all()


def _delete_gallery(connection: Connection, store: "Store", key: int) -> None:
    """All generations of a gallery. key: of any of them, or of the first, which they have in common."""
    family = connection.scalar(select(galleries.c.family).where(galleries.c.id == key)) or key
    for each in connection.scalars(select(galleries.c.id).where(galleries.c.family == family)).all():
        for table in (templates, subjects):
            connection.execute(delete(table).where(table.c.gallery_id == each))
        connection.execute(delete(galleries).where(galleries.c.id == each))
        for number in connection.scalars(select(secrets.c.id).where(secrets.c.gallery_id.in_((each, family)))).all():
            store.secrets.destroy(connection, number)
        log(connection, store, each, [(Change.GALLERY_DELETED, None, None)])
