"""Which keys the subjects of a gallery have."""

from collections.abc import Sequence

from sqlalchemy import select

from gallery.store.rows import Head
from gallery.store.schema import subjects
from gallery.store.store import Store
from model.errors import UnknownSubject

CHUNK = 500


def subject_keys(store: Store, at: Head, names: Sequence[str]) -> dict[str, int]:
    """Keys of these subjects, by their ids. Raises `UnknownSubject` for the first that is not there."""
    wanted = list(dict.fromkeys(names))
    found: dict[str, int] = {}
    with store.read() as connection:
        for start in range(0, len(wanted), CHUNK):
            chosen = (subjects.c.gallery_id == at.key, subjects.c.name.in_(wanted[start : start + CHUNK]))
            rows = connection.execute(select(subjects.c.name, subjects.c.id).where(*chosen))
            found.update((name, key) for name, key in rows)
    for name in wanted:
        if name not in found:
            raise UnknownSubject(at.name, name)
    return found
