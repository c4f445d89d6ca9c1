"""A gallery of a few people whose skeletons are kept, and what may be asked of its migration."""

import numpy as np

from gallery.migrate import Filling, begin
from gallery.store import Store
from gallery.store.generations import generations
from gallery.template import NewTemplate, State
from gallery.vault import pack, source_of
from model.inference import embed
from model.sequence import Floats
from tests.fakes import FakeEncoder, walking

OLD, NEW = FakeEncoder(16, name="old"), FakeEncoder(12, name="new")
PEOPLE, TAKES = 6, 2


def add(
    store: Store, person: int, takes: int = TAKES, *, skeleton: bool = True, start: int = 0, **more: str
) -> list[int]:
    """Templates of somebody in the gallery `staff`, by the encoder whose it is."""
    encoder = OLD if store.head("staff").fingerprint == OLD.fingerprint else NEW
    walks = [walking(person, seed=start + take) for take in range(takes)]
    new = [
        NewTemplate(
            f"s{person}",
            row,
            {"take": str(take)},
            walk.frames,
            source_of(walk),
            pack(walk) if skeleton else None,
        )
        for take, (walk, row) in enumerate(zip(walks, embed(encoder, walks), strict=True))
    ]
    return [one.template or 0 for one in store.enroll("staff", encoder.fingerprint, new)]


def people_of(store: Store) -> Store:
    """The store with the gallery `staff` in it, which keeps skeletons for 30 days."""
    store.create_gallery("staff", OLD.fingerprint, OLD.dim, vault_days=30)
    for person in range(PEOPLE):
        add(store, person)
    return store


def filled(store: Store, encoder: FakeEncoder = NEW, *, partial: bool = False) -> Filling:
    filling = begin(store, "staff", encoder, partial=partial)
    assert sum(filling.steps()) >= 0
    return filling


def states(store: Store) -> list[State]:
    return [each.state for each in generations(store, "staff")]


def expected(person: int, encoder: FakeEncoder = NEW) -> Floats:
    return embed(encoder, [walking(person, seed=take) for take in range(TAKES)])


def held(store: Store, subject: str) -> Floats:
    return np.stack([each.embedding for each in store.templates_of("staff", subject)])


def agrees(store: Store) -> bool:
    head, rows = store.everything("staff")
    content = np.bitwise_xor.reduce(rows.marks) if len(rows.marks) else 0
    return (head.templates, head.content) == (len(rows.ids), content) and store.check() == []
