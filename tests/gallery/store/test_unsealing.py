"""The check of a store reads what is sealed: what the disk has turned, or somebody has moved, is named."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from gallery.store import Store
from gallery.store.inspecting import faults
from gallery.store.schema import secrets, subjects, templates, vault
from gallery.store.unsealing import LISTED
from gallery.template import NewTemplate
from model.sequence import Floats

BUNDLE = "b" * 64


@pytest.fixture
def staff(store: Store, vectors: Callable[..., Floats]) -> Store:
    store.create_gallery("staff", BUNDLE, 8, vault_days=30, protected=True)
    new = [NewTemplate(f"s{place % 3}", each, skeleton=b"bones") for place, each in enumerate(vectors(60))]
    store.enroll("staff", BUNDLE, new)
    store.update_subject("staff", "s1", metadata={"note": "left-handed"})
    return store


def damage(store: Store, table: Any, key: int, **columns: Any) -> None:
    with store.write() as connection:
        first = next(iter(table.primary_key))
        connection.execute(update(table).where(first == key).values(**columns))


def keys_of(store: Store, table: Any) -> list[int]:
    with store.read() as connection:
        first = next(iter(table.primary_key))
        return list(connection.scalars(select(first).order_by(first)))


def test_a_store_whose_seals_all_open_is_sound(staff: Store) -> None:
    assert faults(staff) == []


def test_a_template_that_the_disk_has_turned_is_named(staff: Store) -> None:
    damage(staff, templates, 7, embedding=b"\0" * 60)
    assert faults(staff) == ["gallery 1, subject 1: template 7 is damaged or not where it belongs"]


def test_a_template_that_somebody_gave_to_another_subject_is_named(staff: Store) -> None:
    damage(staff, templates, 7, subject_id=2)
    assert faults(staff) == [
        "gallery 1, subject 2: template 7 is damaged or not where it belongs",
        "gallery 1, subject 2: the skeleton of template 7 is damaged",
    ]


def test_metadata_skeletons_data_keys_and_transforms_are_looked_at_too(staff: Store) -> None:
    damage(staff, subjects, 2, metadata=b"m" * 60)
    damage(staff, vault, 7, skeleton=b"s" * 60)
    damage(staff, subjects, 3, data_key=b"k" * 60)
    with staff.write() as connection:
        connection.execute(update(secrets).where(secrets.c.kind == "transform").values(wrapped=b"t" * 300))
    staff.secrets.forget()
    assert faults(staff) == [
        "gallery 1: its secret transform is damaged",
        "gallery 1, subject 2: its metadata are damaged or not where they belong",
        "gallery 1, subject 3: its data key is damaged or not where it belongs",
        "gallery 1, subject 1: the skeleton of template 7 is damaged",
    ]


def test_of_very_many_the_first_are_listed_and_the_others_counted(staff: Store) -> None:
    for key in keys_of(staff, templates):
        damage(staff, templates, key, embedding=b"\0" * 60)
    found = faults(staff)
    assert len(found) == LISTED + 1
    assert found[-1] == f"{60 - LISTED} more of what is sealed cannot be read"


def test_without_the_master_key_the_check_says_that_it_could_not_look(
    staff: Store, tmp_path: Path, open_again: Callable[[], Store]
) -> None:
    (tmp_path / "data" / "master.key").rename(tmp_path / "elsewhere")
    (said,) = faults(open_again())
    assert "could not be read" in said
    assert "master.key: is missing" in said
