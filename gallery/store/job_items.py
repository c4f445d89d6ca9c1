"""What a bulk enrollment has still to take in, and what became of each: an item goes from one to the other in the
transaction that enrolls it, so that it is done once, however often the process is killed.

Whoever is erased, renamed or merged while their items wait is not enrolled again by these: each item knows which
subject it was meant for, and what the job itself has enrolled of it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, func, insert, select, update

from gallery.keys.sealing import bound_to
from gallery.store.bulk import among
from gallery.store.rows import Added, Head
from gallery.store.schema import job_inputs, job_results, jobs, subjects
from gallery.store.secrets import unsealed
from gallery.store.store import Store
from gallery.template import Consent


class SubjectGone(Exception):
    """Items whose subject was erased, renamed or merged since the job began: `places` of them. No caller's error."""

    def __init__(self, places: Collection[int]) -> None:
        super().__init__(f"places {sorted(places)}")
        self.places = frozenset(places)


@dataclass(frozen=True, slots=True)
class Input:
    """One item of a bulk enrollment, as it is put in. packed: the sequence (`gallery/vault.py`). refused: why it is
    none, if that is seen already; "" if not."""

    subject: str
    packed: bytes
    labels: Mapping[str, str]
    consent: Consent | None = None
    refused: str = ""


class _Sealed(msgspec.Struct, array_like=True):
    """What is sealed of an item. same: the first place of this subject in the job; known: its key, if it was there."""

    subject: str
    packed: bytes
    labels: dict[str, str]
    same: int
    known: int | None
    consent: tuple[str | None, str | None, datetime | None] | None


@dataclass(frozen=True, slots=True)
class Item:
    """One item that waits. place: in the job. same, known: as in the sealed content."""

    place: int
    subject: str
    packed: bytes
    labels: Mapping[str, str]
    same: int
    known: int | None
    consent: Consent | None


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What became of one item. status: `enrolled`, `repeated` or `refused`; reasons: of a refusal, machine-readable."""

    place: int
    status: str
    template: int | None = None
    reasons: tuple[str, ...] = ()


def add_inputs(connection: Connection, store: Store, at: Head, job: str, secret: int, inputs: Sequence[Input]) -> None:
    """Seal the items of a new job, in the caller's transaction."""
    sealer = store.secrets.sealer(connection, secret)
    names = sorted({item.subject for item in inputs if not item.refused})
    known = _keys(connection, at.key, names)
    first: dict[str, int] = {}
    rows, refused = [], []
    for place, item in enumerate(inputs):
        same = first.setdefault(item.subject, place)
        if item.refused:
            refused.append(
                {"job_id": job, "place": place, "same": same, "status": "refused", "reasons": [item.refused]}
            )
            continue
        consent = None if item.consent is None else (item.consent.reference, item.consent.purpose, item.consent.expires)
        plain = _Sealed(item.subject, item.packed, dict(item.labels), same, known.get(item.subject), consent)
        content = sealer.seal(msgspec.msgpack.encode(plain), bound_to(f"job {job}", place))
        rows.append({"job_id": job, "place": place, "content": content})
    for table, some in ((job_inputs, rows), (job_results, refused)):
        if some:
            connection.execute(insert(table), some)
    connection.execute(update(jobs).where(jobs.c.id == job).values(done=len(refused)))


def waiting_items(store: Store, job: str, limit: int) -> list[Item]:
    """The next items of a job, in their order."""
    wanted = (
        select(job_inputs.c.place, job_inputs.c.content, jobs.c.secret)
        .join(jobs, jobs.c.id == job_inputs.c.job_id)
        .where(job_inputs.c.job_id == job, jobs.c.secret.is_not(None))
        .order_by(job_inputs.c.place)
        .limit(limit)
    )
    with store.read() as connection:
        return [_item(connection, store, job, row) for row in connection.execute(wanted).all()]


def _item(connection: Connection, store: Store, job: str, row: Any) -> Item:
    sealer = store.secrets.sealer(connection, row.secret)
    plain = unsealed(sealer, row.content, bound_to(f"job {job}", row.place))
    found = msgspec.msgpack.decode(plain, type=_Sealed)
    consent = None if found.consent is None else Consent(*found.consent)
    return Item(row.place, found.subject, found.packed, found.labels, found.same, found.known, consent)


def record_enrolled(connection: Connection, job: str, items: Sequence[Item], added: Sequence[Added]) -> None:
    """Note what was added for these items, in the transaction that adds it.

    Raises `SubjectGone`, which must undo that transaction, where somebody was erased, renamed or merged meanwhile.
    """
    gallery = connection.scalar(select(jobs.c.gallery_id).where(jobs.c.id == job))
    now = {} if gallery is None else _keys(connection, gallery, sorted({item.subject for item in items}))
    before = _of_same(connection, job, {item.same for item in items})
    gone = [item.place for item in items if _is_gone(item, now.get(item.subject), before.get(item.same, ()))]
    if gone:
        raise SubjectGone(gone)
    results = [
        ItemResult(item.place, "repeated" if one.repeated else "enrolled", one.template)
        for item, one in zip(items, added, strict=True)
    ]
    _record(connection, job, items, results, now)


def record_refused(connection: Connection, job: str, items: Sequence[Item], results: Sequence[ItemResult]) -> None:
    """Note why these items were not enrolled, in the caller's transaction."""
    _record(connection, job, items, results, {})


def results_page(store: Store, job: str, *, after: int = -1, limit: int = 100) -> list[ItemResult]:
    """What became of the items of a job, by place, those behind `after`."""
    wanted = select(job_results).where(job_results.c.job_id == job, job_results.c.place > after)
    with store.read() as connection:
        rows = connection.execute(wanted.order_by(job_results.c.place).limit(limit)).all()
    return [ItemResult(row.place, row.status, row.template, tuple(row.reasons)) for row in rows]


def counted_results(store: Store, job: str) -> dict[str, int]:
    """How many items of a job came to each end."""
    wanted = select(job_results.c.status, func.count()).where(job_results.c.job_id == job)
    with store.read() as connection:
        return dict(connection.execute(wanted.group_by(job_results.c.status)).all())


def _record(
    connection: Connection,
    job: str,
    items: Sequence[Item],
    results: Sequence[ItemResult],
    keys: Mapping[str, int],
) -> None:
    if not items:
        return
    rows = [
        {
            "job_id": job,
            "place": item.place,
            "same": item.same,
            "status": one.status,
            "template": one.template,
            "subject_id": keys.get(item.subject),
            "reasons": list(one.reasons),
        }
        for item, one in zip(items, results, strict=True)
    ]
    connection.execute(insert(job_results), rows)
    places = among(connection, job_inputs.c.place, [item.place for item in items])
    connection.execute(delete(job_inputs).where(job_inputs.c.job_id == job, places))
    connection.execute(update(jobs).where(jobs.c.id == job).values(done=jobs.c.done + len(items)))


def _keys(connection: Connection, gallery: int, names: Sequence[str]) -> dict[str, int]:
    """The keys of those of these subjects that a gallery has."""
    wanted = select(subjects.c.name, subjects.c.id).where(subjects.c.gallery_id == gallery)
    found = connection.execute(wanted.where(among(connection, subjects.c.name, names)))
    return dict(found.all())


def _of_same(connection: Connection, job: str, same: Collection[int]) -> dict[int, list[int | None]]:
    """By their `same`, the subjects that items of this job were enrolled for: None for one that is no more."""
    wanted = select(job_results.c.same, job_results.c.subject_id).where(
        job_results.c.job_id == job, job_results.c.status != "refused"
    )
    found: dict[int, list[int | None]] = {}
    for number, key in connection.execute(wanted.where(among(connection, job_results.c.same, sorted(same)))):
        found.setdefault(number, []).append(key)
    return found


def _is_gone(item: Item, now: int | None, before: Collection[int | None]) -> bool:
    """now: the key of its subject after the enrollment, which makes a new one of who is not there."""
    return any(key != now for key in (*before, *([] if item.known is None else [item.known])))
