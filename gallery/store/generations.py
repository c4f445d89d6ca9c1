"""Generations of a gallery: the one that answers under its name, one that a change of encoder fills beside it, and
those that were replaced and can be gone back to. What is erased from one is erased from all.

Only the generation that answers has the gallery's name; the others have none that could be asked for (`/KEY`). To
switch is to exchange names, in one transaction: every process sees another key behind the name at its next request.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from gallery.store import audit, heads, reading, writing
from gallery.store.enrolling import log
from gallery.store.moments import when
from gallery.store.rows import Change, Head
from gallery.store.schema import changes, galleries, jobs, secrets, subjects, templates, webhooks
from gallery.store.store import Store
from gallery.template import Gallery, State, now
from model.errors import InvalidRequest, SubjectHeld


@dataclass(frozen=True, slots=True)
class Generation:
    """One generation of a gallery. key: never used again; changed: the change that gave it its state."""

    key: int
    state: State
    fingerprint: str
    dim: int
    subjects: int
    templates: int
    created: datetime
    changed: int


def generations(store: Store, gallery: str) -> list[Generation]:
    """All generations of a gallery, in the order in which they got their states. Raises `UnknownGallery`."""
    with store.read() as connection:
        return _of(connection, heads.head(connection, gallery))


def newest(store: Store, gallery: str, state: State) -> Generation | None:
    """The generation that got this state last, if one has it. Raises `UnknownGallery`."""
    return next((each for each in reversed(generations(store, gallery)) if each.state is state), None)


def begin(store: Store, gallery: str, fingerprint: str, dim: int) -> Generation:
    """A generation for another bundle, to be filled: the one that was begun, or a new one with keys of its own.

    Raises `UnknownGallery`, and `InvalidRequest` where another is being filled or one of this bundle is there.
    """
    with store.write() as connection:
        at = heads.head(connection, gallery)
        for each in _of(connection, at):
            if each.state is State.BUILDING and each.fingerprint == fingerprint:
                return each
            _check_free(each, fingerprint)
        row = connection.execute(select(galleries).where(galleries.c.id == at.key)).one()
        # It has a valid name until it has its key, and nobody sees that.
        draft = Gallery(f"draft of {at.key}", fingerprint, dim, now(), vault_days=row.vault_days)
        draft = replace(draft, protected=row.protected, state=State.BUILDING)
        key = writing.create_gallery(connection, store, draft, row.family)
        connection.execute(update(galleries).where(galleries.c.id == key).values(name=_hidden(key)))
        return next(each for each in _of(connection, at) if each.key == key)


def check_free(store: Store, gallery: str, fingerprint: str) -> None:
    """Raises `InvalidRequest` where `begin` would, and begins nothing."""
    for each in generations(store, gallery):
        if each.state is not State.BUILDING or each.fingerprint != fingerprint:
            _check_free(each, fingerprint)


def switch(connection: Connection, store: Store, at: Head, target: int) -> int:
    """Let another generation answer under the gallery's name; `at`, which did until now, is kept. Returns the change
    that says so."""
    for key, name, state in ((at.key, _hidden(at.key), State.RETIRED), (target, at.name, State.ACTIVE)):
        values = {"name": name, "state": state.value}
        connection.execute(update(galleries).where(galleries.c.id == key).values(values))
        seq = log(connection, store, key, [(Change.GALLERY_CHANGED, None, None)])
    for table in (jobs, webhooks):  # they are about the gallery, whichever generation answers
        connection.execute(update(table).where(table.c.gallery_id == at.key).values(gallery_id=target))
    audit.append(connection, store, "switch", target, replaced=at.key)
    return seq


def drop(store: Store, gallery: str, states: Collection[State]) -> list[Generation]:
    """Delete the generations with these states, with all their keys; returns them.

    Raises `UnknownGallery`, and `SubjectHeld` where somebody is held who is in no other generation.
    """
    assert State.ACTIVE not in states
    with store.write() as connection:
        at = heads.head(connection, gallery)
        gone = [each for each in _of(connection, at) if each.state in states]
        _check_held(connection, at, [each.key for each in gone])
        for each in gone:
            _delete(connection, store, each.key)
        return gone


def _hidden(key: int) -> str:
    return f"/{key}"  # no gallery can be called so


def _of(connection: Connection, at: Head) -> list[Generation]:
    count = select(func.count()).where(subjects.c.gallery_id == galleries.c.id).scalar_subquery()
    states = (Change.GALLERY_CREATED.value, Change.GALLERY_CHANGED.value)
    changed = select(func.max(changes.c.seq)).where(changes.c.gallery_id == galleries.c.id, changes.c.kind.in_(states))
    wanted = select(galleries, count.label("subjects"), changed.scalar_subquery().label("changed"))
    rows = connection.execute(wanted.where(galleries.c.family == reading.family_of(connection, at)))
    return sorted((_generation(row) for row in rows), key=lambda each: (each.changed, each.state is State.ACTIVE))


def _generation(row: Any) -> Generation:
    about = (row.fingerprint, row.dim, row.subjects, row.templates, when(row.created), row.changed or 0)
    return Generation(row.id, State(row.state), *about)


def _check_free(each: Generation, fingerprint: str) -> None:
    if each.state is State.BUILDING:
        raise InvalidRequest(
            "bundle",
            f"a migration to bundle {each.fingerprint[:12]} has begun; go on with that bundle, or give it up first "
            "(--abandon)",
        )
    if each.fingerprint == fingerprint:
        what = "the gallery is of this bundle already"
        if each.state is State.RETIRED:
            what = "a former generation is of this bundle: `gaitkeeper gallery rollback` goes back to it"
        raise InvalidRequest("bundle", what)


def _check_held(connection: Connection, at: Head, gone: Iterable[int]) -> None:
    elsewhere = select(subjects.c.name).where(subjects.c.gallery_id == at.key)
    held = select(subjects.c.name, subjects.c.hold).where(
        subjects.c.gallery_id.in_(list(gone)), subjects.c.hold.is_not(None), subjects.c.name.not_in(elsewhere)
    )
    for name, reason in connection.execute(held.limit(1)):
        raise SubjectHeld(at.name, name, reason)


def _delete(connection: Connection, store: Store, key: int) -> None:
    """No erasure that a restored backup repeats: there, this generation may be the one that answers."""
    for table in (templates, subjects):
        connection.execute(delete(table).where(table.c.gallery_id == key))
    connection.execute(delete(galleries).where(galleries.c.id == key))
    # The key of sources is of all generations, and has the number of the first, which may be this one.
    own = select(secrets.c.id).where(secrets.c.gallery_id == key, secrets.c.kind != "source")
    for number in connection.scalars(own).all():
        store.secrets.destroy(connection, number)
    log(connection, store, key, [(Change.GALLERY_DELETED, None, None)])
    audit.append(connection, store, "drop", key)


def generation_head(connection: Connection, key: int) -> Head:
    """The head of a generation. Raises `InvalidRequest` where it is gone."""
    found = heads.generation(connection, key)
    if found is None:
        raise InvalidRequest("generation", "it was dropped meanwhile; begin again")
    return found


def answering(connection: Connection, gallery: str, key: int) -> Head:
    """The head of the generation that answers. Raises `UnknownGallery`, `InvalidRequest` where it is not `key`."""
    at = heads.head(connection, gallery)
    if at.key != key:
        raise InvalidRequest("gallery", f"another process has switched {gallery!r} meanwhile; see `gallery show`")
    return at


def set_calibration(connection: Connection, store: Store, at: Head, content: Mapping[str, Any]) -> None:
    """Keep the calibration of a generation, in the caller's transaction."""
    writing.set_calibration(connection, store, at, content)
