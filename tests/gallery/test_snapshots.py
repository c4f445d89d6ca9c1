import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gallery.follow import Follower
from gallery.index import CoarseIndex, IndexPolicy
from gallery.library import Library
from gallery.snapshots import SnapshotPolicy
from gallery.store import Store
from gallery.store.snapshots import generations, stale
from gallery.template import NewTemplate
from gallery.view import View
from model.sequence import Floats
from tests.gallery.test_follow import until

Vectors = Callable[..., Floats]
BUNDLE = "b" * 64


# What lies in files and in memory is the same over both kinds of database.
on_sqlite = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
def filled(library: Library, vectors: Vectors) -> Library:
    """`staff` with 40 subjects of two templates each, open."""
    new = [NewTemplate(f"s{i // 2:02}", row) for i, row in enumerate(vectors(80))]
    library.enroll("staff", new, fingerprint=BUNDLE)
    library.warm("staff")
    return library


@pytest.fixture
def again(open_again: Callable[[], Store]) -> Callable[[], Library]:
    """The library as another process would open it."""
    return lambda: Library(open_again())


def view_of(library: Library) -> View:
    (cache,) = library.views.open.values()
    assert cache.view is not None
    return cache.view


def files(library: Library) -> list[Path]:
    return sorted(library.snapshots.directory.glob("*"))


def answers(library: Library, probes: Floats) -> list[list[tuple[str, int, float]]]:
    decisions = library.identify("staff", probes, fingerprint=BUNDLE, top_k=100)
    return [[(one.subject, one.template, one.score) for one in decision.candidates] for decision in decisions]


def test_a_process_that_starts_again_reads_the_snapshot_and_answers_the_same(
    filled: Library, again: Callable[[], Library], vectors: Vectors
) -> None:
    assert filled.snapshots.save(view_of(filled)) is not None
    other = again()
    assert answers(other, vectors(5, seed=2)) == answers(filled, vectors(5, seed=2))
    assert (other.snapshots.loaded, other.snapshots.refused, other.views.rebuilt) == (1, 0, 0)


def test_what_happened_since_a_snapshot_is_followed(
    filled: Library, again: Callable[[], Library], vectors: Vectors
) -> None:
    filled.snapshots.save(view_of(filled))
    filled.erase_subject("staff", "s03")
    filled.enroll("staff", [NewTemplate("new", vectors(1, seed=7)[0])], fingerprint=BUNDLE)
    other = again()
    assert answers(other, vectors(5, seed=2)) == answers(filled, vectors(5, seed=2))
    assert (other.snapshots.loaded, other.views.rebuilt) == (1, 0)


@on_sqlite
def test_a_view_goes_on_changing_while_it_is_written(filled: Library, vectors: Vectors) -> None:
    taken = view_of(filled).taken()
    filled.erase_subject("staff", "s03")
    filled.enroll("staff", [NewTemplate("new", row) for row in vectors(2000, seed=7)], fingerprint=BUNDLE)
    filled.warm("staff")
    assert taken.index.count == len(taken.ids) == 80
    assert np.array_equal(taken.index.vectors_of(taken.ids), vectors(80))


@on_sqlite
def test_nothing_on_the_disk_tells_an_embedding(filled: Library, vectors: Vectors) -> None:
    filled.snapshots.save(view_of(filled))
    (file,) = files(filled)
    content = file.read_bytes()
    assert all(row.tobytes()[:8] not in content for row in vectors(80))
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0


@on_sqlite
@pytest.mark.parametrize("harm", ["a bit", "the end", "the name", "all", "nothing"])
def test_a_damaged_or_foreign_file_is_refused_said_so_and_rebuilt_over(
    filled: Library, again: Callable[[], Library], vectors: Vectors, caplog: pytest.LogCaptureFixture, harm: str
) -> None:
    filled.snapshots.save(view_of(filled))
    (file,) = files(filled)
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    harmed = {"a bit": bytes(content), "the end": file.read_bytes()[:-1], "all": b"faiss" * 100, "nothing": b""}
    if harm == "the name":
        assert filled.snapshots.save(view_of(filled)) is not None  # the generation that is named, by another's file
        (newer,) = files(filled)
        harmed[harm] = bytes(content)
        file = newer
    file.write_bytes(harmed[harm])
    other = again()
    with caplog.at_level(logging.WARNING):
        assert answers(other, vectors(5, seed=2)) == answers(filled, vectors(5, seed=2))
    assert (other.snapshots.loaded, other.snapshots.refused) == (0, 1)
    assert "a snapshot is not used" in caplog.text
    other.snapshots.save(view_of(other))
    last = again()
    last.warm("staff")
    assert (last.snapshots.loaded, len(files(last))) == (1, 1)


@on_sqlite
def test_a_snapshot_that_does_not_agree_with_the_store_is_not_answered_from(
    filled: Library, again: Callable[[], Library], vectors: Vectors
) -> None:
    (row, *_) = vectors(1)
    view = view_of(filled)
    lost = filled.templates_of("staff", "s00")[0].id
    view.index.remove(np.array([lost]))
    view.owners.remove(np.array([lost]))
    filled.snapshots.save(view)
    other = again()
    assert answers(other, row[None])[0][0][:2] == ("s00", lost)
    assert (other.snapshots.loaded, other.views.rebuilt) == (1, 1)


def test_an_erasure_is_followed_by_a_new_generation_and_the_end_of_the_old_keys(
    filled: Library, again: Callable[[], Library], tmp_path: Path, vectors: Vectors
) -> None:
    first = filled.snapshots.save(view_of(filled))
    (file,) = files(filled)
    shutil.copy(file, tmp_path)
    filled.erase_subject("staff", "s03")
    assert [one.number for one in stale(filled.store, view_of(filled).key)] == [first]
    filled.snapshots.replace("staff")
    (kept,) = generations(filled.store)
    assert kept.number != first
    assert [path.name for path in files(filled)] == [f"{kept.gallery}-{kept.number}.gks"]
    # The old file, put back under either name, is of no use to anybody.
    shutil.copy(tmp_path / file.name, file)
    shutil.copy(tmp_path / file.name, files(filled)[-1])
    other = again()
    assert "s03" not in {name for name, *_ in answers(other, vectors(1))[0]}
    assert other.snapshots.loaded == 0
    other.snapshots.sweep()
    assert not file.exists()


def test_a_process_that_has_not_opened_the_gallery_only_destroys(filled: Library, again: Callable[[], Library]) -> None:
    filled.snapshots.save(view_of(filled))
    other = again()
    other.snapshots.replace("staff")
    assert len(files(other)) == 1
    other.erase_subject("staff", "s03")
    other.snapshots.replace("staff")
    assert (files(other), generations(other.store)) == ([], [])


def test_nothing_is_kept_of_a_view_that_has_still_what_was_erased(
    filled: Library, again: Callable[[], Library]
) -> None:
    again().erase_subject("staff", "s03")
    assert filled.snapshots.save(view_of(filled)) is None
    assert (files(filled), generations(filled.store)) == ([], [])
    filled.warm("staff")
    assert filled.snapshots.save(view_of(filled)) is not None


def test_each_data_directory_has_files_of_its_own(
    filled: Library, again: Callable[[], Library], tmp_path: Path
) -> None:
    elsewhere = again()
    elsewhere.snapshots.directory = tmp_path / "elsewhere"
    elsewhere.warm("staff")
    ours, theirs = (each.snapshots.save(view_of(each)) for each in (filled, elsewhere))
    assert {one.number for one in generations(filled.store)} == {ours, theirs}
    filled.erase_subject("staff", "s03")
    filled.snapshots.replace("staff")
    assert [one.number for one in generations(filled.store)] == [max(one.number for one in generations(filled.store))]
    assert len(files(elsewhere)) == 1
    elsewhere.snapshots.sweep()
    assert not files(elsewhere)


def test_the_snapshots_of_a_gallery_that_was_deleted_are_removed(filled: Library) -> None:
    filled.snapshots.save(view_of(filled))
    filled.delete("staff")
    Follower(filled).save_once()
    assert not files(filled)


@on_sqlite
def test_what_a_killed_process_left_half_written_is_removed_in_time(filled: Library) -> None:
    filled.snapshots.save(view_of(filled))
    (file,) = files(filled)
    old, fresh = (file.with_name(f".{file.name}.{pid}") for pid in (1, 2))
    for draft in (old, fresh):
        draft.write_bytes(b"half")
    os.utime(old, (0, 0))
    filled.snapshots.sweep()
    assert set(files(filled)) == {file, fresh}


@on_sqlite
def test_a_snapshot_that_cannot_be_written_leaves_nothing(filled: Library, tmp_path: Path) -> None:
    (tmp_path / "full").write_text("")
    filled.snapshots.directory = tmp_path / "full"
    with pytest.raises(OSError, match="full"):
        filled.snapshots.save(view_of(filled))
    assert generations(filled.store) == []


@on_sqlite
def test_snapshots_are_made_beside_when_there_is_reason_to(filled: Library, vectors: Vectors) -> None:
    policy = SnapshotPolicy(smallest=80, share=0.25, after_s=3600, apart_s=0)
    assert not filled.snapshots.is_due(view_of(filled), SnapshotPolicy())
    with Follower(filled, every_s=0.01, snapshots=policy):
        until(lambda: len(files(filled)) == 1)
    before = files(filled)
    filled.enroll("staff", [NewTemplate("more", row) for row in vectors(10, seed=3)], fingerprint=BUNDLE)
    filled.warm("staff")
    assert not filled.snapshots.is_due(view_of(filled), policy)
    assert filled.snapshots.is_due(view_of(filled), SnapshotPolicy(smallest=80, after_s=0))
    filled.enroll("staff", [NewTemplate("more", row) for row in vectors(20, seed=4)], fingerprint=BUNDLE)
    filled.warm("staff")
    assert filled.snapshots.is_due(view_of(filled), policy)
    Follower(filled, snapshots=policy).save_once()
    assert len(files(filled)) == 1
    assert files(filled) != before


@on_sqlite
def test_an_index_that_was_trained_since_is_kept_so_that_nobody_has_to_train_it_again(
    filled: Library, open_again: Callable[[], Store], vectors: Vectors
) -> None:
    policy = IndexPolicy(flat_limit=300)
    trained = Library(open_again(), policy=policy)
    view = trained.views.at(trained.store.head("staff"))
    trained.snapshots.save(view)
    new = [NewTemplate(f"n{i}", row) for i, row in enumerate(vectors(600, seed=3))]
    trained.enroll("staff", new, fingerprint=BUNDLE)
    trained.warm("staff")
    assert isinstance(view.index, CoarseIndex)
    view.index.settle()
    assert view.index.kind == "coarse"
    assert trained.snapshots.is_due(view, SnapshotPolicy(smallest=80, share=9))
    trained.snapshots.save(view)
    assert not trained.snapshots.is_due(view, SnapshotPolicy(smallest=80, share=9))
    last = Library(open_again(), policy=policy)
    assert last.views.at(last.store.head("staff")).index.kind == "coarse"
