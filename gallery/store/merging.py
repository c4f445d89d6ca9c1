"""Everything that is held on one subject goes to another, in every generation of their gallery."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, select, update

from gallery.consent import stricter
from gallery.keys.sealing import bound_to
from gallery.store import erasing
from gallery.store.enrolling import consent_values, log
from gallery.store.moments import when
from gallery.store.placing import Plain, displace, make_owner, owner_of, place, plain_templates
from gallery.store.rows import Change
from gallery.store.schema import galleries, subjects, templates
from gallery.store.writing import METADATA_LIMIT
from gallery.template import Consent
from model.errors import InvalidRequest, LimitExceeded

if TYPE_CHECKING:
    from gallery.store.store import Store


def merge(
    connection: Connection,
    store: "Store",
    sources: Sequence[Row[Any]],
    targets: Sequence[Row[Any]],
    answering: int,
    metadata: bytes | None,
) -> int:
    """Give the templates of `sources` to `targets`: rows of `subjects`, one of each generation that has them.

    answering: the gallery of the two that were named. metadata: of a target that has to be made. Returns how many
    templates the target in `answering` got; a recording that a target has already is not given again.
    """
    there = {row.gallery_id: row for row in targets}
    target = there[answering]
    held = {row.gallery_id: plain_templates(connection, store, row) for row in sources}
    known = {gallery: _known(connection, there.get(gallery)) for gallery in held}
    given = {gallery: [item for item in held[gallery] if item.source not in known[gallery]] for gallery in held}
    # All numbers are known before any is written: a template of one generation says which one of another it is of.
    first = store.next_keys(connection, "templates", sum(map(len, given.values())))
    numbers = {item.id: first + i for i, item in enumerate(item for each in given.values() for item in each)}
    same = {
        item.id: known[gallery][item.source] for gallery in held for item in held[gallery] if item.id not in numbers
    }
    origins = {**numbers, **{old: origin for old, (_, origin) in same.items()}}
    for row in sources:
        if row.gallery_id in there:
            owner = owner_of(connection, store, there[row.gallery_id])
        else:
            owner = make_owner(connection, store, row.gallery_id, target.name, target, metadata)
        items = [(owner, replace(item, origin=_origin(item, origins))) for item in given[row.gallery_id]]
        displace(connection, store, row)
        of_gallery = select(galleries.c.fingerprint).where(galleries.c.id == row.gallery_id)
        place(connection, store, str(connection.scalar(of_gallery)), items, numbers[items[0][1].id] if items else None)
        became = {item.id: numbers.get(item.id) or same[item.id][0] for item in held[row.gallery_id]}
        erasing.record_move(connection, store, row.gallery_id, row.id, owner.key, became)
    return len(given[answering])


def settle(
    connection: Connection,
    store: "Store",
    rows: Sequence[Row[Any]],
    own: Row[Any],
    target: Row[Any],
    metadata: bytes | None,
) -> None:
    """Hold the merged subject, whose rows these are now, as both were held: `own`, which is gone, and `target`."""
    values: dict[str, Any] = consent_values(stricter(_consent(target), _consent(own)))
    values["created"] = min(own.created, target.created)
    for row in rows:
        if metadata is not None:
            bound = bound_to("metadata", row.gallery_id, row.id)
            values["metadata"] = owner_of(connection, store, row).sealer.seal(metadata, bound)
        connection.execute(update(subjects).where(subjects.c.id == row.id).values(values))
        log(connection, store, row.gallery_id, [(Change.SUBJECT_CHANGED, row.id, None)])


def check_purposes(own: Row[Any], target: Row[Any]) -> None:
    """Raises `InvalidRequest` where two were enrolled for different purposes."""
    if own.purpose and target.purpose and own.purpose != target.purpose:
        raise InvalidRequest(
            "purpose",
            f"{own.name!r} was enrolled for {own.purpose!r} and {target.name!r} for {target.purpose!r}; "
            "force it if the consent of both covers what the other was enrolled for",
        )


def both(of_source: bytes | None, of_target: bytes | None) -> bytes | None:
    """The metadata of two, as JSON; the target's where both have a key. Raises `LimitExceeded`."""
    if of_source is None:
        return of_target
    merged = {**json.loads(of_source), **json.loads(of_target or b"{}")}
    content = json.dumps(merged, allow_nan=False, ensure_ascii=False).encode()
    if len(content) > METADATA_LIMIT:
        raise LimitExceeded("metadata of both, in bytes", METADATA_LIMIT, len(content))
    return content


def _known(connection: Connection, target: Row[Any] | None) -> dict[str | None, tuple[int, int]]:
    """The recordings that a target has already: source → template and its origin, which may be itself."""
    if target is None:
        return {}
    wanted = select(templates.c.source, templates.c.id, templates.c.origin)
    rows = connection.execute(wanted.where(templates.c.subject_id == target.id, templates.c.source.is_not(None)))
    return {row.source: (row.id, row.origin or row.id) for row in rows}


def _origin(item: Plain, origins: dict[int, int]) -> int | None:
    return None if item.origin is None else origins.get(item.origin, item.origin)


def _consent(row: Row[Any]) -> Consent:
    return Consent(row.consent, row.purpose, None if row.expires is None else when(row.expires))
