"""What a store holds, in numbers, and everything in it that can be checked."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from gallery.store.audit import audit_head, verify_chain
from gallery.store.destroying import DESTROYED, WITHHELD
from gallery.store.failures import as_unavailable
from gallery.store.rows import Head
from gallery.store.schema import erasures, subjects, templates
from gallery.store.unsealing import unreadable
from model.errors import InvalidArchive

if TYPE_CHECKING:
    from gallery.store.store import Store


@dataclass(frozen=True, slots=True)
class Contents:
    """head: of the audit log. withheld, destroyed: how many erasures are so."""

    store: str
    kind: str
    directory: str
    epoch: int
    galleries: list[Head]
    subjects: int
    templates: int
    head: str
    withheld: int
    destroyed: int


def contents(store: "Store") -> Contents:
    """Sizes and ends of logs; nothing is decrypted."""
    heads, end = store.heads(), audit_head(store)
    with store.read() as connection:
        sizes = [connection.scalar(select(func.count()).select_from(each)) or 0 for each in (subjects, templates)]
        states = select(erasures.c.state, func.count().label("number")).group_by(erasures.c.state)
        count = {row.state: row.number for row in connection.execute(states)}
    return Contents(
        store=store.id,
        kind=store.kind,
        directory=str(Path(store.directory).absolute()),
        epoch=store.epoch,
        galleries=heads,
        subjects=sizes[0],
        templates=sizes[1],
        head=str(end),
        withheld=count.get(WITHHELD, 0),
        destroyed=count.get(DESTROYED, 0),
    )


def faults(store: "Store", *, progress: Callable[[int, int], None] | None = None) -> list[str]:
    """What is wrong with database, sealed contents, audit log and journal, a line each; empty when all is sound."""
    wrong = [*store.check(), *unreadable(store)]
    walk = verify_chain(store, progress=progress)
    if walk.broken is not None:
        wrong.append(f"audit log: broken at entry {walk.broken}: {walk.reason}")
    try:
        with as_unavailable():
            lines = [line.id for line in store.journal.lines() if line.done]
    except InvalidArchive as error:
        return [*wrong, str(error)]
    with store.read() as connection:
        known = set(connection.scalars(select(erasures.c.id)))
    wrong += [f"erasure {each}: in the journal, and not in the database" for each in lines if each not in known]
    return wrong + [f"erasure {each}: not in the journal" for each in sorted(known.difference(lines))]
