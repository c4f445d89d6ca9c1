"""What is of somebody's body is sealed on the disk, under keys that go with it."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select, update

from gallery.keys.file import FileMasters
from gallery.keys.masters import EnvironmentMasters
from gallery.keys.sealing import new_key
from gallery.store import Store, open_store
from gallery.store.schema import secrets, subjects, templates
from gallery.template import NewTemplate
from model.errors import KeyUnavailable, UnknownSubject
from model.sequence import Floats

Vectors = Callable[..., Floats]
BUNDLE = "b" * 64


@pytest.fixture
def staff(store: Store) -> Store:
    store.create_gallery("staff", BUNDLE, 8, vault_days=30)
    return store


def contents_of(store: Store) -> Iterator[bytes]:
    """Of every file that the store's data can be in."""
    places = [store.directory]
    if store.kind == "postgresql":
        with store.read() as connection:
            root = connection.exec_driver_sql("SHOW data_directory").scalar_one()
            mine = connection.exec_driver_sql("SELECT oid FROM pg_database WHERE datname = current_database()").scalar()
        places += [Path(root) / folder for folder in (f"base/{mine}", "pg_wal")]
    for path in (path for place in places for path in place.rglob("*")):
        with suppress(FileNotFoundError, IsADirectoryError):  # the server puts parts of its log away as it goes
            yield path.read_bytes()


def flushed(store: Store) -> None:
    if store.kind == "postgresql":
        with store._single.connect() as connection:
            connection.exec_driver_sql("CHECKPOINT")


def test_no_embedding_skeleton_metadata_or_source_is_on_the_disk_in_the_clear(staff: Store, vectors: Vectors) -> None:
    embeddings = vectors(40)
    new = [
        NewTemplate(f"s{i % 9}", each, source=f"a source to be found {i}", skeleton=b"a skeleton to be found " * 20)
        for i, each in enumerate(embeddings)
    ]
    added = staff.enroll("staff", BUNDLE, new)
    staff.update_subject("staff", "s1", metadata={"note": "a note to be found"})
    staff.erase_subject("staff", "s2")
    staff.erase_template("staff", added[0].template or 0)
    assert staff.subject("staff", "s1").metadata == {"note": "a note to be found"}
    flushed(staff)
    asked = [*(each.tobytes() for each in embeddings), b"to be found"]
    searched = list(contents_of(staff))
    content = b"|".join(searched)
    assert [each for each in asked if each in content] == []
    assert b"staff" in content  # the search does find what is there: names are not sealed


def test_an_erased_subject_takes_its_data_key_along(staff: Store, vectors: Vectors) -> None:
    staff.enroll("staff", BUNDLE, [NewTemplate(name, each) for name, each in zip("ab", vectors(2), strict=True)])
    staff.erase_subject("staff", "a")
    with staff.read() as connection:
        assert connection.scalars(select(subjects.c.name)).all() == ["b"]
        assert len(connection.scalars(select(templates.c.id)).all()) == 1


def test_a_deleted_gallery_takes_its_keys_along(staff: Store) -> None:
    staff.create_gallery("guests", BUNDLE, 8, protected=True)
    staff.delete_gallery("staff")
    with staff.read() as connection:
        kinds = sorted(connection.scalars(select(secrets.c.kind)))
    assert kinds == ["gallery", "signing", "source", "transform"]
    staff.delete_gallery("guests")
    with staff.read() as connection:
        assert connection.scalars(select(secrets.c.kind)).all() == ["signing"]


def test_the_same_embedding_twice_is_sealed_to_different_bytes(staff: Store, vectors: Vectors) -> None:
    staff.enroll("staff", BUNDLE, [NewTemplate("ann", vectors(1)[0])] * 2)
    with staff.read() as connection:
        first, second = connection.scalars(select(templates.c.embedding)).all()
    assert first[12:] != second[12:]


def test_whoever_lost_the_master_key_is_told_and_can_still_list_and_erase(
    staff: Store, vectors: Vectors, open_again: Callable[[], Store]
) -> None:
    staff.enroll("staff", BUNDLE, [NewTemplate(name, each) for name, each in zip("ab", vectors(2), strict=True)])
    template = staff.templates_of("staff", "b")[0].id
    staff.close()
    key = staff.directory / "master.key"
    lost = key.read_bytes()
    key.unlink()
    again = open_again()
    for ask in (again.everything, again.sources, lambda name: again.templates_of(name, "a")):
        with pytest.raises(
            KeyUnavailable, match=r"master\.key is missing; put the file .* back|master\.key: is missing"
        ):
            ask("staff")
    with pytest.raises(KeyUnavailable):
        again.enroll("staff", BUNDLE, [NewTemplate("c", vectors(1)[0])])
    with pytest.raises(KeyUnavailable):
        again.create_gallery("another", BUNDLE, 8)
    assert not key.exists()
    assert [each.id for each in again.subjects("staff")] == ["a", "b"]
    again.erase_subject("staff", "a")
    again.erase_template("staff", template)
    with pytest.raises(UnknownSubject):
        again.subject("staff", "b")
    key.write_bytes(lost)
    key.chmod(0o600)
    assert len(again.everything("staff")[1].ids) == 0
    again.enroll("staff", BUNDLE, [NewTemplate("c", vectors(1)[0])])


def test_another_master_key_opens_nothing(staff: Store, vectors: Vectors, database: str | None) -> None:
    staff.enroll("staff", BUNDLE, [NewTemplate("ann", vectors(1)[0])])
    other = EnvironmentMasters(f"other:{b64encode(new_key()).decode()}")
    again = open_store(staff.directory, masters=other, database=database)
    for ask in (lambda: again.everything("staff"), lambda: again.create_gallery("guests", BUNDLE, 8)):
        with pytest.raises(KeyUnavailable, match="must add it"):
            ask()
    again.close()


def test_a_master_key_that_is_added_wraps_from_then_on_and_the_old_one_still_opens(
    staff: Store, vectors: Vectors, open_again: Callable[[], Store]
) -> None:
    staff.enroll("staff", BUNDLE, [NewTemplate("ann", vectors(1)[0])])
    name = FileMasters(staff.directory / "master.key").add()
    staff.create_gallery("guests", BUNDLE, 8)
    with staff.read() as connection:
        assert len(set(connection.scalars(select(secrets.c.wrapped_by)))) == 2
        assert name in connection.scalars(select(secrets.c.wrapped_by)).all()
    assert np.array_equal(open_again().everything("staff")[1].embeddings, vectors(1))


def test_a_data_key_that_was_put_to_another_subject_opens_nothing(staff: Store, vectors: Vectors) -> None:
    staff.enroll("staff", BUNDLE, [NewTemplate(name, each) for name, each in zip("ab", vectors(2), strict=True)])
    with staff.write() as connection:
        first = select(subjects.c.data_key).where(subjects.c.name == "a").scalar_subquery()
        connection.execute(update(subjects).where(subjects.c.name == "b").values(data_key=first))
    with pytest.raises(Exception, match="not where it belongs"):
        staff.templates_of("staff", "b")


def test_the_signing_key_is_made_once_and_is_the_same_for_all(staff: Store, open_again: Callable[[], Store]) -> None:
    with staff.write() as connection:
        made = staff.secrets.signing_key(connection)
    again = open_again()
    with again.write() as connection:
        assert again.secrets.signing_key(connection) == made


def test_a_protected_gallery_has_a_transform_and_others_have_none(
    staff: Store, open_again: Callable[[], Store]
) -> None:
    staff.create_gallery("guests", BUNDLE, 8, protected=True)
    transform = staff.transform("guests")
    assert transform is not None
    assert np.allclose(transform @ transform.T, np.eye(8), atol=1e-5)
    assert np.array_equal(open_again().transform("guests"), transform)  # type: ignore[arg-type]
    assert staff.transform("staff") is None
    assert staff.head("guests").protected
