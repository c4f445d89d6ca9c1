"""Enrollment: subjects and sealed templates in bulk, in the caller's transaction."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from operator import xor
from typing import TYPE_CHECKING, Any

import numpy as np
from sqlalchemy import Connection, bindparam, select, tuple_, update

from gallery.keys.sealing import Sealer, bound_to, keyed_hash, mark_of, new_key
from gallery.store import audit
from gallery.store.bulk import Question, among, as_pairs, insert_many, pairs
from gallery.store.moments import moment, stamp
from gallery.store.reading import family_of
from gallery.store.rows import Added, Change, Head
from gallery.store.schema import changes, galleries, subjects, templates, vault
from gallery.store.secrets import Secrets
from gallery.template import Consent, NewTemplate
from model.errors import InvalidRequest

if TYPE_CHECKING:
    from gallery.store.store import Store

DAY_US = 24 * 3600 * 1_000_000

_SUBJECT = ("id", "gallery_id", "name", "data_key", "wrapped_by", "consent", "purpose", "expires", "created")
_TEMPLATE = tuple(templates.c.keys())
_CHANGE = ("seq", "kind", "gallery_id", "subject_id", "template_id", "at")
_VAULT = ("template_id", "skeleton", "expires")

# Which of these (subject, source) there are.
_HELD = Question(
    lambda kind: select(templates.c.subject_id, templates.c.source).where(
        tuple_(templates.c.subject_id, templates.c.source).in_(pairs(kind))
    )
)


def enroll(
    connection: Connection,
    store: "Store",
    at: Head,
    new: Sequence[NewTemplate],
    consent: Consent | None = None,
    origins: Sequence[int | None] | None = None,
) -> list[Added]:
    """Add templates, and the subjects they need; a source that its subject has already is not added again.

    consent: given to every subject of this call. origins: of each template, the one it was made again from by a
    change of encoder. Raises `InvalidRequest` where a subject has expired and no new consent is given.
    """
    made = moment()
    owners = _Owners(connection, store, at, sorted({item.subject for item in new}), consent, made)
    sources = _hashed(connection, store.secrets, at, new)
    fresh = _fresh(connection, owners, new, sources)
    first = store.next_keys(connection, "templates", len(fresh))
    keys = dict(zip(fresh, range(first, first + len(fresh)), strict=True))
    rows = list(_rows(at, owners, new, keys, sources, origins or [None] * len(new), made))
    insert_many(connection, templates, _TEMPLATE, rows)
    insert_many(connection, vault, _VAULT, _skeletons(at, owners, new, keys, made))
    log(connection, store, at.key, [*owners.changed, *((Change.ENROLLED, row[2], row[0]) for row in rows)])
    if rows:
        count(connection, at.key, len(rows), (row[4] for row in rows))
        detail = {"templates": len(rows), "first": first, "last": first + len(rows) - 1, "subjects": len(owners.of)}
        only = rows[0][2] if len(owners.of) == 1 else None
        audit.append(connection, store, "enroll", at.key, only, **detail)
    return [Added(keys.get(place)) for place in range(len(new))]


def _rows(
    at: Head,
    owners: "_Owners",
    new: Sequence[NewTemplate],
    keys: Mapping[int, int],
    sources: Sequence[str | None],
    origins: Sequence[int | None],
    made: int,
) -> Iterator[tuple[Any, ...]]:
    """The rows of those of the new templates that have keys, in the order of `_TEMPLATE`."""
    texts: dict[tuple[tuple[str, str], ...], str] = {}  # many have the same labels
    for place, key in keys.items():
        item = new[place]
        owner, sealer, bound = owners.of[item.subject]
        sealed = sealer.seal(np.ascontiguousarray(item.embedding, "<f4").tobytes(), bound)
        labels = tuple(item.labels.items())
        text = texts.get(labels)
        if text is None:
            text = texts[labels] = json.dumps(dict(labels))
        described = (at.fingerprint, text, item.frames, sources[place], origins[place], made)
        yield (key, at.key, owner, sealed, mark_of(sealed), *described)


def _skeletons(
    at: Head, owners: "_Owners", new: Sequence[NewTemplate], keys: Mapping[int, int], made: int
) -> list[tuple[int, bytes, int]]:
    """Rows of the vault, if the gallery keeps one."""
    if at.vault_days is None:
        return []
    expires = made + at.vault_days * DAY_US
    rows = []
    for place, key in keys.items():
        skeleton = new[place].skeleton
        if skeleton is not None:
            owner, sealer, _ = owners.of[new[place].subject]
            rows.append((key, sealer.seal(skeleton, bound_to("skeleton", at.key, owner)), expires))
    return rows


def log(
    connection: Connection, store: "Store", gallery: int, rows: Sequence[tuple[Change, int | None, int | None]]
) -> int:
    """Add (kind, subject, template) to the change log; returns the number of the last."""
    if not rows:
        return 0
    first, now = store.next_keys(connection, "changes", len(rows)), moment()
    numbered = [(seq, kind.value, gallery, owner, key, now) for seq, (kind, owner, key) in enumerate(rows, first)]
    insert_many(connection, changes, _CHANGE, numbered)
    return first + len(rows) - 1


# On SQLite, which has no exclusive or: a ^ b = (a | b) - (a & b).
_COUNT = (
    update(galleries)
    .where(galleries.c.id == bindparam("gallery"))
    .values(
        templates=galleries.c.templates + bindparam("more"),
        content=galleries.c.content.bitwise_or(bindparam("marks"))
        - galleries.c.content.bitwise_and(bindparam("marks")),
    )
)


def count(connection: Connection, gallery: int, more: int, marks: Iterable[int]) -> None:
    """Account for `more` templates with these marks, which came (or, where `more` is negative, went)."""
    connection.execute(_COUNT, {"gallery": gallery, "more": more, "marks": reduce(xor, marks, 0)})


class _Owners:
    """The subjects of one call: their keys, and what seals for each; made where they are missing."""

    def __init__(
        self, connection: Connection, store: "Store", at: Head, names: Sequence[str], consent: Consent | None, made: int
    ) -> None:
        self.of: dict[str, tuple[int, Sealer, bytes]] = {}
        self.known: set[int] = set()
        self.changed: list[tuple[Change, int | None, int | None]] = []
        self._find(connection, store.secrets, at, names, consent, made)
        self._make(connection, store, at, [name for name in names if name not in self.of], consent, made)

    def _find(
        self,
        connection: Connection,
        secrets: Secrets,
        at: Head,
        names: Sequence[str],
        consent: Consent | None,
        now: int,
    ) -> None:
        wanted = select(subjects.c.id, subjects.c.gallery_id, subjects.c.name, subjects.c.data_key)
        wanted = wanted.add_columns(subjects.c.wrapped_by, subjects.c.expires).where(subjects.c.gallery_id == at.key)
        for row in connection.execute(wanted.where(among(connection, subjects.c.name, names))).all():
            if consent is None and row.expires is not None and row.expires <= now:
                raise InvalidRequest("subject", f"the consent of {row.name!r} has expired; give a new one, or erase it")
            sealer = Sealer(secrets.data_key(connection, row))
            self.of[row.name] = (row.id, sealer, bound_to("embedding", at.key, row.id))
            self.known.add(row.id)
        if consent is not None and self.known:
            keys = sorted(self.known)
            connection.execute(
                update(subjects).where(among(connection, subjects.c.id, keys)).values(consent_values(consent))
            )
            self.changed = [(Change.SUBJECT_CHANGED, key, None) for key in keys]

    def _make(
        self, connection: Connection, store: "Store", at: Head, names: Sequence[str], consent: Consent | None, made: int
    ) -> None:
        if not names:
            return
        above = store.secrets.gallery_key(connection, at.key)
        wrapper = store.secrets.sealer(connection, above.number)
        given = consent_values(consent or Consent())
        rows = []
        for key, name in enumerate(names, store.next_keys(connection, "subjects", len(names))):
            plain = new_key()
            wrapped = wrapper.seal(plain, bound_to("data key", at.key, key))
            rows.append((key, at.key, name, wrapped, above.number, *given.values(), made))
            self.of[name] = (key, Sealer(plain), bound_to("embedding", at.key, key))
        insert_many(connection, subjects, _SUBJECT, rows)


def consent_values(consent: Consent) -> dict[str, Any]:
    """The columns `consent`, `purpose` and `expires`."""
    expires = None if consent.expires is None else stamp(consent.expires)
    return {"consent": consent.reference, "purpose": consent.purpose, "expires": expires}


def _hashed(connection: Connection, secrets: Secrets, at: Head, new: Sequence[NewTemplate]) -> list[str | None]:
    """The sources as they are kept: a hash that cannot be tried out, and is another one in every gallery."""
    if all(item.source is None for item in new):
        return [None] * len(new)
    key = secrets.source_key(connection, family_of(connection, at))
    return [None if item.source is None else keyed_hash(key, item.source) for item in new]


def _fresh(
    connection: Connection, owners: _Owners, new: Sequence[NewTemplate], sources: Sequence[str | None]
) -> list[int]:
    """Places in `new` of the templates that are no repetitions."""
    marks = [(owners.of[item.subject][0], source) for item, source in zip(new, sources, strict=True)]
    asked = sorted({(owner, source) for owner, source in marks if source is not None and owner in owners.known})
    known = set(_HELD.ask(connection, **as_pairs(connection.dialect.name, asked))) if asked else set()
    fresh = []
    for place, mark in enumerate(marks):
        if mark[1] is None or mark not in known:
            fresh.append(place)
            known.add(mark)
    return fresh
