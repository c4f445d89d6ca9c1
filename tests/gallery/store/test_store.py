import os
import stat
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from gallery.store import Store, open_store
from gallery.store.schema import metadata
from gallery.template import NewTemplate
from model.errors import (
    BundleMismatch,
    GalleryExists,
    InvalidRequest,
    StoreUnavailable,
    UnknownGallery,
    UnknownSubject,
    UnknownTemplate,
)
from model.sequence import Floats

Vectors = Callable[..., Floats]
BUNDLE = "b" * 64


@pytest.fixture
def staff(store: Store) -> Store:
    store.create_gallery("staff", BUNDLE, 8)
    return store


def everything_in(store: Store) -> str:
    """All rows of all tables."""
    with store.read() as connection:
        return "".join(str(connection.execute(select(table)).all()) for table in metadata.sorted_tables)


def test_a_gallery_is_made_once_described_listed_and_deleted(store: Store) -> None:
    made = store.create_gallery("staff", BUNDLE, 8)
    with pytest.raises(GalleryExists):
        store.create_gallery("staff", BUNDLE, 8)
    store.create_gallery("guests", BUNDLE, 16)
    found = store.gallery("staff").gallery
    assert (found.name, found.fingerprint, found.dim) == (made.name, made.fingerprint, made.dim)
    assert abs((found.created - made.created).total_seconds()) < 1
    assert [each.name for each in store.galleries()] == ["guests", "staff"]
    store.delete_gallery("staff")
    assert [each.name for each in store.galleries()] == ["guests"]
    for ask in (store.gallery, store.head, store.everything, store.subjects, store.sources, store.delete_gallery):
        with pytest.raises(UnknownGallery):
            ask("staff")


def test_a_template_comes_back_as_it_was_enrolled(staff: Store, vectors: Vectors) -> None:
    embedding = vectors(1)[0]
    (added,) = staff.enroll("staff", BUNDLE, [NewTemplate("ann", embedding, {"view": "090"}, 71, "recording")])
    (found,) = staff.templates_of("staff", "ann")
    assert found.id == added.template
    assert found.embedding.tolist() == embedding.tolist()
    assert (found.subject, found.gallery, found.fingerprint) == ("ann", "staff", BUNDLE)
    assert (dict(found.labels), found.frames) == ({"view": "090"}, 71)
    held = staff.sources("staff")
    assert ("ann", "recording") in held
    assert ("bob", "recording") not in held
    assert ("ann", "another") not in held
    assert len(held) == 1


def test_the_same_recording_of_the_same_subject_is_kept_once(staff: Store, vectors: Vectors) -> None:
    first = [NewTemplate("ann", vectors(1)[0], source="r1"), NewTemplate("ann", vectors(1)[0], source="r1")]
    assert [one.repeated for one in staff.enroll("staff", BUNDLE, first)] == [False, True]
    again = [
        NewTemplate("ann", vectors(1)[0], source="r1"),
        NewTemplate("bob", vectors(1)[0], source="r1"),
        NewTemplate("ann", vectors(1)[0], source="r2"),
    ]
    assert [one.repeated for one in staff.enroll("staff", BUNDLE, again)] == [True, False, False]
    assert staff.gallery("staff").gallery.templates == 3


def test_templates_without_a_source_are_never_repetitions(staff: Store, vectors: Vectors) -> None:
    new = [NewTemplate("ann", vectors(1)[0])] * 3
    assert not any(one.repeated for one in staff.enroll("staff", BUNDLE, new))


def test_an_enrollment_is_kept_whole_or_not_at_all(staff: Store, vectors: Vectors) -> None:
    wrong = NewTemplate("bob", vectors(1, 16)[0])
    with pytest.raises(InvalidRequest, match="8 numbers"):
        staff.enroll("staff", BUNDLE, [NewTemplate("ann", vectors(1)[0]), wrong])
    with pytest.raises(BundleMismatch):
        staff.enroll("staff", "c" * 64, [NewTemplate("ann", vectors(1)[0])])
    assert staff.gallery("staff").gallery.subjects == 0
    assert staff.subjects("staff") == []


def test_subjects_are_paged_in_order(staff: Store, vectors: Vectors) -> None:
    names = [f"s{i:02}" for i in range(25)]
    staff.enroll("staff", BUNDLE, [NewTemplate(name, vectors(1)[0]) for name in reversed(names)])
    seen: list[str] = []
    while page := staff.subjects("staff", after=seen[-1] if seen else "", limit=10):
        seen += [subject.id for subject in page]
    assert seen == names


def test_an_erased_subject_is_gone_with_all_its_templates(staff: Store, vectors: Vectors) -> None:
    staff.enroll("staff", BUNDLE, [NewTemplate(name, each) for name, each in zip("aab", vectors(3), strict=True)])
    erasure = staff.erase_subject("staff", "a")
    assert (len(erasure.templates), erasure.whole, erasure.state) == (2, True, "withheld")
    assert erasure.seq == staff.head("staff").seq
    for ask in (staff.subject, staff.templates_of, staff.erase_subject):
        with pytest.raises(UnknownSubject):
            ask("staff", "a")
    assert [subject.id for subject in staff.subjects("staff")] == ["b"]


def test_a_subject_goes_with_its_last_template(staff: Store, vectors: Vectors) -> None:
    added = staff.enroll("staff", BUNDLE, [NewTemplate("ann", each) for each in vectors(2)])
    first, second = (one.template or 0 for one in added)
    staff.erase_template("staff", first)
    assert staff.subject("staff", "ann").templates == 1
    staff.erase_template("staff", second)
    with pytest.raises(UnknownSubject):
        staff.subject("staff", "ann")
    with pytest.raises(UnknownTemplate):
        staff.erase_template("staff", second)


def test_a_template_of_another_gallery_cannot_be_erased_through_this_one(staff: Store, vectors: Vectors) -> None:
    staff.create_gallery("guests", BUNDLE, 8)
    (added,) = staff.enroll("guests", BUNDLE, [NewTemplate("ann", vectors(1)[0])])
    with pytest.raises(UnknownTemplate):
        staff.erase_template("staff", added.template or 0)


def test_an_id_is_never_used_again(staff: Store, vectors: Vectors) -> None:
    (first,) = staff.enroll("staff", BUNDLE, [NewTemplate("ann", vectors(1)[0])])
    staff.erase_subject("staff", "ann")
    (second,) = staff.enroll("staff", BUNDLE, [NewTemplate("ann", vectors(1)[0])])
    assert second.template != first.template
    key = staff.head("staff").key
    staff.delete_gallery("staff")
    staff.create_gallery("staff", BUNDLE, 8)
    assert staff.head("staff").key != key


def test_what_is_erased_leaves_no_name_behind(staff: Store, vectors: Vectors) -> None:
    staff.enroll("staff", BUNDLE, [NewTemplate("a very telling name", vectors(1)[0])])
    staff.update_subject("staff", "a very telling name", metadata={"also": "telling"})
    staff.erase_subject("staff", "a very telling name")
    assert "telling" not in everything_in(staff)


def test_thousands_are_enrolled_in_one_transaction(staff: Store, vectors: Vectors) -> None:
    new = [NewTemplate(f"s{i // 3}", each, source=str(i)) for i, each in enumerate(vectors(5000))]
    added = staff.enroll("staff", BUNDLE, new)
    _, rows = staff.everything("staff")
    assert rows.ids.tolist() == [one.template for one in added]
    assert np.array_equal(rows.embeddings, vectors(5000))
    assert all(one.repeated for one in staff.enroll("staff", BUNDLE, new))


def test_threads_enroll_side_by_side_and_nothing_is_lost(staff: Store, vectors: Vectors) -> None:
    def work(name: str) -> None:
        for each in vectors(20):
            staff.enroll("staff", BUNDLE, [NewTemplate(name, each), NewTemplate("shared", each)])

    threads = [threading.Thread(target=work, args=(f"s{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert staff.subject("staff", "shared").templates == 80
    assert staff.gallery("staff").gallery.templates == 160
    assert staff.check() == []


def test_more_may_erase_at_once_than_there_are_connections(staff: Store, vectors: Vectors) -> None:
    names = [f"s{i}" for i in range(50)]
    staff.enroll("staff", BUNDLE, [NewTemplate(name, vectors(1)[0]) for name in names])
    with ThreadPoolExecutor(len(names)) as pool:
        erasures = list(pool.map(lambda name: staff.erase_subject("staff", name), names))
    assert sorted(each.templates[0] for each in erasures) == list(range(1, 51))
    assert staff.subjects("staff") == []


def test_only_this_user_can_read_the_data(tmp_path: Path) -> None:
    store = open_store(tmp_path / "new")
    store.create_gallery("staff", BUNDLE, 8)
    assert stat.S_IMODE(store.directory.stat().st_mode) == 0o700
    files = list(store.directory.iterdir())
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert len(files) == 4  # the database, its log and its index of the log, and the master key
    store.close()


def test_a_commit_is_durable_and_readers_do_not_wait(store: Store) -> None:
    with store.write() as connection:
        if store.kind == "postgresql":
            assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
            return
        asked = ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        assert [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in asked] == ["wal", 2, 1, 1]


def test_the_store_is_the_same_after_it_was_opened_again(
    staff: Store, vectors: Vectors, open_again: Callable[[], Store]
) -> None:
    staff.enroll("staff", BUNDLE, [NewTemplate("ann", vectors(1)[0])])
    staff.close()
    again = open_again()
    assert again.subject("staff", "ann").templates == 1
    assert (again.id, again.epoch) == (staff.id, staff.epoch)
    assert np.array_equal(again.everything("staff")[1].embeddings, vectors(1))


@pytest.mark.parametrize(
    "database", ["mysql://keeper:hidden@there/data", "sqlite:///data", "hidden", "", "postgresql:"]
)
def test_another_kind_of_database_is_refused(tmp_path: Path, database: str) -> None:
    with pytest.raises(StoreUnavailable, match="postgresql://USER@HOST/NAME") as refused:
        open_store(tmp_path, database=database)
    assert "hidden" not in str(refused.value)


def test_the_url_of_a_database_is_no_data_directory() -> None:
    with pytest.raises(StoreUnavailable, match="GAITKEEPER_DATABASE"):
        open_store("postgresql://localhost/gaitkeeper")


def test_a_file_where_the_directory_should_be_is_explained(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(StoreUnavailable, match=f"{os.sep}data"):
        open_store(tmp_path / "data")
