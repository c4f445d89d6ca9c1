"""An older database from before a change of encoder: who was erased after it goes from the former generation too."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from gallery.migrate import begin, complete
from gallery.store import Store, open_store
from gallery.store.engine import DATABASE
from gallery.store.generations import drop
from gallery.template import NewTemplate, State
from gallery.vault import pack, source_of
from model.inference import embed
from tests.fakes import FakeEncoder, walking

OLD, NEW = FakeEncoder(16, name="old"), FakeEncoder(12, name="new")


@pytest.fixture
def data(tmp_path: Path, migrated: Path) -> Path:
    """A data directory whose gallery `staff` has three people; of ann there is one recording without a skeleton."""
    directory = tmp_path / "data"
    directory.mkdir()
    shutil.copy(migrated, directory)
    store = open_store(directory)
    store.create_gallery("staff", OLD.fingerprint, OLD.dim, vault_days=30)
    for person, name in enumerate(("ann", "bob", "cid")):
        walks = [walking(person, seed=take) for take in range(3)]
        rows = embed(OLD, walks)
        new = [
            NewTemplate(name, row, {}, walk.frames, source_of(walk), None if (name, take) == ("ann", 2) else pack(walk))
            for take, (walk, row) in enumerate(zip(walks, rows, strict=True))
        ]
        store.enroll("staff", OLD.fingerprint, new)
    store.close()
    return directory


def after(data: Path, work: Callable[[Store], object]) -> Store:
    """Change the encoder, forget the generation before, do `work`; then put back the database of before all that."""
    older = (data / DATABASE).read_bytes()
    store = open_store(data)
    filling = begin(store, "staff", NEW, partial=True)
    assert sum(filling.steps()) == 8
    complete(filling, partial=True)
    drop(store, "staff", [State.RETIRED])
    work(store)
    store.close()
    for path in data.glob(f"{DATABASE}*"):
        path.unlink()
    (data / DATABASE).write_bytes(older)
    return open_store(data)


def test_a_subject_goes_with_recordings_that_were_left_behind(data: Path) -> None:
    store = after(data, lambda store: store.erase_subject("staff", "ann"))
    assert [(each.id, each.templates) for each in store.subjects("staff")] == [("bob", 3), ("cid", 3)]
    assert store.check() == []
    store.close()


def test_a_template_goes_under_the_number_it_had(data: Path) -> None:
    def erase(store: Store) -> None:
        store.erase_template("staff", store.templates_of("staff", "bob")[1].id)

    store = after(data, erase)
    assert [(each.id, each.templates) for each in store.subjects("staff")] == [("ann", 3), ("bob", 2), ("cid", 3)]
    assert [each.id for each in store.templates_of("staff", "bob")] == [4, 6]
    store.close()


def test_a_gallery_goes_in_all_its_generations(data: Path) -> None:
    store = after(data, lambda store: store.delete_gallery("staff"))
    assert store.galleries() == []
    store.close()


def test_a_generation_that_was_forgotten_is_nobody_erased(data: Path) -> None:
    store = after(data, lambda store: None)
    assert [(each.id, each.templates) for each in store.subjects("staff")] == [("ann", 3), ("bob", 3), ("cid", 3)]
    store.close()
